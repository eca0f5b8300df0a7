/**
 * HTTP for guests. Every request passes: its URL is normalised, the gate decides on the origin, the name is resolved
 * once, every address is checked, and the connection goes to an address that was checked, so that a name which
 * answers differently a moment later changes nothing. TLS is the host's; nothing is kept open between requests.
 */

import * as http from "node:http";
import * as https from "node:https";
import { isIP } from "node:net";
import { type Grant, parseNetwork } from "../../policy/index.ts";
import type { Gate } from "../gate.ts";
import type { SandboxLimits } from "../limits.ts";
import { addressKind, isInNetworks } from "../net/address.ts";
import type { Resolve } from "../net/sockets.ts";
import { HttpFailure, httpFailureOf } from "./failure.ts";
import { fitsBounds, type Header, headerProblem, isForbiddenName } from "./headers.ts";

export interface HttpClientOptions {
  readonly gate: Gate;
  readonly limits: SandboxLimits;
  readonly resolve: Resolve;
  /** Networks and addresses that are reached though they are not public: `192.168.1.0/24`. */
  readonly addresses: readonly string[];
  readonly grants: readonly Grant[];
  /** Trusted certificates, as `node:tls` takes them. Default: the system's. */
  readonly certificates?: string;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly Header[];
}

export interface HttpTimeouts {
  /** Until the last byte. Never more than `httpTimeMsMax`. */
  readonly totalMs?: number;
  readonly connectMs?: number;
  readonly firstByteMs?: number;
  readonly betweenBytesMs?: number;
}

/** A response whose body is still to come. */
export interface OpenResponse {
  readonly status: number;
  readonly headers: readonly Header[];
  /** Read it in pieces: what nobody reads stays with the sender, but for a small buffer. */
  readonly body: http.IncomingMessage;
  /** To be called with each piece that is read. @throws HttpFailure beyond `httpResponseBytesMax`. */
  take(bytes: Uint8Array): void;
}

/** A request that is under way. */
export interface OpenRequest {
  /** Rejects with `HttpFailure`. */
  readonly response: Promise<OpenResponse>;
  /** False when the connection wants a pause; `onDrain` tells when it is over. */
  write(bytes: Uint8Array): boolean;
  onDrain(resume: () => void): void;
  end(): void;
  /** Ends it at once, body included. Also when everything is over: it frees the place for another request. */
  close(): void;
}

const urlLengthMax = 8_192;
/** Beyond so many bytes a writer is asked to wait for the connection. */
const earlyBytesMax = 65_536;
const methodPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/;
/** CONNECT makes a tunnel and TRACE tells headers that the guest did not write. */
const forbiddenMethods: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

export class HttpClient {
  readonly limits: SandboxLimits;
  readonly #options: HttpClientOptions;
  readonly #open = new Set<OpenRequest>();
  readonly #startedMs: number[] = [];

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.limits = options.limits;
  }

  /** Requests under way. */
  get pendingCount(): number {
    return this.#open.size;
  }

  /**
   * Starts one request; redirects are not followed.
   *
   * @throws HttpFailure when it is malformed, refused or one too many; then nothing was resolved or connected.
   */
  open(request: HttpRequest, timeouts: HttpTimeouts = {}): OpenRequest {
    const target = checkRequest(request, this.limits);
    this.#checkGate(target);
    this.#takePlace();
    const open = new Exchange(this.#options, { request, target, timeouts }, () => this.#open.delete(open));
    this.#open.add(open);
    return open;
  }

  /** Ends all requests. */
  close(): void {
    for (const open of [...this.#open]) open.close();
  }

  #checkGate(target: Target): void {
    this.#options.gate.act(
      "net.http",
      target.origin,
      () => {},
      (): never => {
        throw new HttpFailure({ tag: "HTTP-request-denied" }, `${target.origin} is not granted`);
      },
    );
  }

  #takePlace(): void {
    const { httpPendingMax, httpPerMinuteMax } = this.limits;
    const now = performance.now();
    while ((this.#startedMs[0] ?? now) < now - 60_000) this.#startedMs.shift();
    if (this.#open.size >= httpPendingMax || this.#startedMs.length >= httpPerMinuteMax) {
      throw new HttpFailure({ tag: "connection-limit-reached" });
    }
    this.#startedMs.push(now);
  }
}

/** Where a request goes, after all spellings are one. */
export interface Target {
  readonly url: URL;
  /** `https://api.example.org:443` */
  readonly origin: string;
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly isAddress: boolean;
}

/**
 * Reads a URL as the web does, which makes one spelling out of many ("0x7f.1", "①②⑦.0.0.1"), and refuses what is
 * no plain HTTP URL.
 *
 * @throws HttpFailure `HTTP-request-URI-invalid`
 */
export function targetOf(text: string): Target {
  if (text.length > urlLengthMax) throw new HttpFailure({ tag: "HTTP-request-URI-too-long" });
  // The parser drops tabs and line ends and takes "\" for "/": other readers of the same text do not.
  if (/[\p{Cc}\s\\]/u.test(text)) throw invalidUrl("it has a control character, a space or a backslash");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw invalidUrl("it is no URL");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw invalidUrl("its scheme is not http or https");
  if (!/^https?:\/\/[^/?#]/i.test(text)) throw invalidUrl("it has no host behind //");
  if (url.username !== "" || url.password !== "" || /^[^/?#]*\/\/[^/?#]*@/.test(text)) {
    throw invalidUrl("it has a user name");
  }
  const bare = url.hostname.replace(/^\[|\]$/g, "");
  const host = bare.endsWith(".") ? bare.slice(0, -1) : bare;
  if (host === "" || /^\.|\.\.|\.$/.test(host)) throw invalidUrl("it has no host");
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  if (port === 0) throw invalidUrl("its port is 0");
  const isAddress = isIP(host) !== 0;
  const shown = isIP(host) === 6 ? `[${host}]` : host;
  return { url, origin: `${url.protocol}//${shown}:${port}`, host, port, isAddress };
}

function invalidUrl(reason: string): HttpFailure {
  return new HttpFailure({ tag: "HTTP-request-URI-invalid" }, `The URL is refused: ${reason}`);
}

function checkRequest(request: HttpRequest, limits: SandboxLimits): Target {
  const method = request.method.toUpperCase();
  if (!methodPattern.test(method) || forbiddenMethods.has(method)) {
    throw new HttpFailure({ tag: "HTTP-request-method-invalid" });
  }
  if (!fitsBounds(request.headers, limits)) {
    throw new HttpFailure({ tag: "HTTP-request-header-section-size", val: limits.httpHeaderBytesMax });
  }
  for (const header of request.headers) {
    if (headerProblem(header) !== undefined) throw new HttpFailure({ tag: "HTTP-protocol-error" });
  }
  return targetOf(request.url);
}

interface ExchangeOptions {
  readonly request: HttpRequest;
  readonly target: Target;
  readonly timeouts: HttpTimeouts;
}

/** One request and its response. */
class Exchange implements OpenRequest {
  readonly response: Promise<OpenResponse>;
  readonly #client: HttpClientOptions;
  readonly #options: ExchangeOptions;
  readonly #onClose: () => void;
  readonly #timer: NodeJS.Timeout;
  #phaseTimer: NodeJS.Timeout | undefined;
  #message: http.ClientRequest | undefined;
  #incoming: http.IncomingMessage | undefined;
  #failure: HttpFailure | undefined;
  #fail: (failure: HttpFailure) => void = () => {};
  /** Written before the connection is there. */
  #early: Uint8Array[] = [];
  #isEnded = false;
  #isClosed = false;
  #resume: () => void = () => {};
  #bytesOut = 0;

  constructor(client: HttpClientOptions, options: ExchangeOptions, onClose: () => void) {
    this.#client = client;
    this.#options = options;
    this.#onClose = onClose;
    this.#timer = setTimeout(
      () => this.#abort({ tag: "HTTP-response-timeout" }),
      client.limits.httpTimeMsMax,
    );
    this.response = new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#start().then(resolve, (error: unknown) => reject(this.#failure ?? httpFailureOf(error)));
    });
    // Whoever asked may not be listening yet; the failure stays in the promise.
    this.response.catch(() => this.close());
  }

  write(bytes: Uint8Array): boolean {
    this.#bytesOut += bytes.length;
    if (this.#bytesOut > this.#client.limits.httpRequestBytesMax) {
      this.#abort({ tag: "HTTP-request-body-size", val: BigInt(this.#client.limits.httpRequestBytesMax) });
      return false;
    }
    const copy = bytes.slice(); // the guest's memory changes; the connection may take its time
    if (this.#message !== undefined) return this.#message.write(copy);
    this.#early.push(copy);
    return this.#bytesOut < earlyBytesMax;
  }

  onDrain(resume: () => void): void {
    this.#resume = resume;
  }

  end(): void {
    this.#isEnded = true;
    this.#message?.end();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#phaseTimer);
    this.#early = [];
    this.#message?.destroy();
    this.#incoming?.destroy();
    this.#onClose();
    this.#fail(new HttpFailure({ tag: "connection-terminated" }));
  }

  async #start(): Promise<OpenResponse> {
    const address = await this.#checkedAddress();
    if (this.#isClosed) throw this.#failure ?? new HttpFailure({ tag: "connection-terminated" });
    return this.#send(address);
  }

  /** The one address to connect to. All that the name has are checked: one that is private condemns the name. */
  async #checkedAddress(): Promise<string> {
    const { target } = this.#options;
    const found = target.isAddress ? [target.host] : await this.#resolved(target.host);
    for (const address of found) this.#checkAddress(address);
    const [first] = found;
    if (first === undefined) throw new HttpFailure({ tag: "DNS-error", val: { rcode: "NXDOMAIN" } });
    return first;
  }

  async #resolved(name: string): Promise<readonly string[]> {
    try {
      return await this.#client.resolve(name);
    } catch {
      // Why a name is not found is the host's network's business.
      throw new HttpFailure({ tag: "DNS-error", val: { rcode: "NXDOMAIN" } });
    }
  }

  #checkAddress(address: string): void {
    const { gate, addresses, grants } = this.#client;
    const { target } = this.#options;
    const kind = addressKind(address);
    if (kind === "public") return;
    const isNamed = target.isAddress && isNamedOrigin(target.origin, grants);
    if (kind !== "malformed" && (isNamed || isInNetworks(address, addresses))) return;
    gate.refuse("net.http", target.origin, `the address ${address} is ${kind} and not named`);
    throw new HttpFailure({ tag: "destination-IP-prohibited" });
  }

  #send(address: string): Promise<OpenResponse> {
    const { target, request, timeouts } = this.#options;
    const { limits, certificates } = this.#client;
    const { url } = target;
    const family = isIP(address);
    const headers: [string, string][] = request.headers.map(([name, value]) => [
      name,
      Buffer.from(value).toString("latin1"),
    ]);
    const message = (url.protocol === "https:" ? https : http).request({
      host: target.host,
      port: target.port,
      method: request.method.toUpperCase(),
      path: `${url.pathname}${url.search}`,
      headers: [...headers, ["Host", url.host]].flat(),
      agent: false,
      setHost: false,
      maxHeaderSize: limits.httpHeaderBytesMax,
      insecureHTTPParser: false,
      // The name was resolved and checked; this is not asked again.
      lookup: (_name, options, done) => {
        if (options.all === true) done(null, [{ address, family }]);
        else done(null, address, family);
      },
      ...(target.isAddress ? {} : { servername: target.host }),
      ...(certificates !== undefined && { ca: certificates }),
    });
    this.#message = message;
    this.#phase(timeouts.connectMs, "connection-timeout");
    message.on("drain", () => this.#resume());
    message.on("socket", (socket) => {
      const ready = url.protocol === "https:" ? "secureConnect" : "connect";
      socket.once(ready, () => this.#phase(timeouts.firstByteMs, "connection-read-timeout"));
    });
    return new Promise((resolve, reject) => {
      message.on("error", (error) => reject(this.#failure ?? httpFailureOf(error)));
      message.on("information", () => {});
      message.on("upgrade", (_response, socket) => {
        socket.destroy();
        reject(new HttpFailure({ tag: "HTTP-upgrade-failed" }));
      });
      message.on("response", (incoming) => {
        try {
          resolve(this.#received(incoming));
        } catch (error) {
          this.#abort(httpFailureOf(error).reason);
        }
      });
      for (const bytes of this.#early.splice(0)) message.write(bytes);
      if (this.#isEnded) message.end();
      else {
        message.flushHeaders();
        this.#resume();
      }
    });
  }

  #received(incoming: http.IncomingMessage): OpenResponse {
    const { limits } = this.#client;
    const { betweenBytesMs } = this.#options.timeouts;
    this.#incoming = incoming;
    const headers: Header[] = [];
    for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
      const [name = "", value = ""] = incoming.rawHeaders.slice(at, at + 2);
      headers.push([name, new Uint8Array(Buffer.from(value, "latin1"))]);
    }
    if (!fitsBounds(headers, limits)) {
      throw new HttpFailure({ tag: "HTTP-response-header-section-size", val: limits.httpHeaderBytesMax });
    }
    clearTimeout(this.#phaseTimer);
    if (betweenBytesMs !== undefined) {
      incoming.setTimeout(betweenBytesMs, () => this.#abort({ tag: "connection-read-timeout" }));
    }
    let bytesIn = 0;
    const take = (bytes: Uint8Array): void => {
      bytesIn += bytes.length;
      if (bytesIn <= limits.httpResponseBytesMax) return;
      this.#abort({ tag: "HTTP-response-body-size", val: BigInt(limits.httpResponseBytesMax) });
      throw this.#failure ?? new HttpFailure({ tag: "connection-terminated" });
    };
    incoming.on("error", () => {}); // whoever reads the body hears of it; nobody else must
    incoming.on("close", () => this.#finished());
    const visible = headers.filter(([name]) => !isForbiddenName(name) || name.toLowerCase() === "via");
    return { status: incoming.statusCode ?? 0, headers: visible, body: incoming, take };
  }

  /** Everything was received, or the connection is gone: the place is free, the body may still be read. */
  #finished(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#phaseTimer);
    this.#onClose();
  }

  #phase(timeoutMs: number | undefined, tag: "connection-timeout" | "connection-read-timeout"): void {
    clearTimeout(this.#phaseTimer);
    if (timeoutMs === undefined || timeoutMs >= this.#client.limits.httpTimeMsMax) return;
    this.#phaseTimer = setTimeout(() => this.#abort({ tag }), timeoutMs);
  }

  #abort(reason: HttpFailure["reason"]): void {
    this.#failure ??= new HttpFailure(reason);
    this.#fail(this.#failure);
    this.#incoming?.destroy(this.#failure);
    this.close();
  }
}

/** Whether a grant names this very origin: "*" and "*.example.org" name no address. */
function isNamedOrigin(origin: string, grants: readonly Grant[]): boolean {
  return grants.some(
    (grant) =>
      grant.capability === "net.http" &&
      (grant.origins as readonly string[] | undefined)?.some((named) => canonicalOrigin(named) === origin),
  );
}

function canonicalOrigin(text: string): string | undefined {
  if (text.includes("*") || !URL.canParse(text)) return undefined;
  return targetOf(text).origin;
}

/** @throws TypeError for what is no network or address. */
export function checkNetworks(networks: readonly string[]): readonly string[] {
  for (const text of networks) {
    if (parseNetwork(text) === undefined) {
      throw new TypeError(`Cannot allow "${text}": expected an address or a network, as 192.168.1.0/24`);
    }
  }
  return networks;
}
