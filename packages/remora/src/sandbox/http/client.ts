/**
 * HTTP for guests. Every request passes: its URL is normalised, the gate decides on the origin, the name is resolved
 * once, every address is checked, and the connection goes to an address that was checked, so that a name which
 * answers differently a moment later changes nothing. TLS is the host's; nothing is kept open between requests.
 */

import * as http from "node:http";
import * as https from "node:https";
import type { SandboxLimits } from "../limits.ts";
import {
  agentOf,
  checkedAddress,
  checkOrigin,
  isStillGiven,
  lookupOf,
  type NetworkOptions,
} from "./destination.ts";
import { HttpFailure, httpFailureOf } from "./failure.ts";
import { fitsBounds, type Header, headerBytes, headerProblem, isForbiddenName } from "./headers.ts";
import { boundInformation } from "./information.ts";
import { type Target, targetOf } from "./target.ts";

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
  /** To be called with each piece that is read. @throws HttpFailure beyond `httpResponseBytesMax`, and when it was closed. */
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
  /** False when its origin was taken: then nothing of the response is told any more, though all may have come before. */
  readonly isGiven: boolean;
  /** Whether its body tells nothing more: whoever asked has closed it, or it was taken. */
  readonly isClosed: boolean;
  /** Ends it at once, body included. Also when everything is over: it frees the place for another request. */
  close(): void;
}

/** Beyond so many bytes a writer is asked to wait for the connection. */
const earlyBytesMax = 65_536;
const methodPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/;
/** CONNECT makes a tunnel and TRACE tells headers that the guest did not write. */
const forbiddenMethods: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

export class HttpClient {
  readonly limits: SandboxLimits;
  readonly #options: NetworkOptions;
  /** And what each has passed the gate for. */
  readonly #open = new Map<OpenRequest, Target>();
  readonly #startedMs: number[] = [];

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.limits = options.limits;
    options.gate.onNarrowed(() => {
      for (const [open, target] of [...this.#open]) if (!isStillGiven(target, options)) open.close();
    });
  }

  /** Requests under way. */
  get pendingCount(): number {
    return this.#open.size;
  }

  /** Whether what a request has brought is still to be had. */
  gives(url: string): boolean {
    return isStillGiven(targetOf(url), this.#options);
  }

  /**
   * Starts one request; redirects are not followed.
   *
   * @throws HttpFailure when it is malformed, refused or one too many; then nothing was resolved or connected.
   */
  open(request: HttpRequest, timeouts: HttpTimeouts = {}): OpenRequest {
    const target = checkRequest(request, this.limits);
    checkOrigin(target, this.#options.gate);
    this.#takePlace();
    const open = new Exchange(this.#options, { request, target, timeouts }, () => this.#open.delete(open));
    this.#open.set(open, target);
    return open;
  }

  /** Ends all requests. */
  close(): void {
    for (const open of [...this.#open.keys()]) open.close();
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
  readonly #client: NetworkOptions;
  readonly #options: ExchangeOptions;
  readonly #onClose: () => void;
  readonly #narrowings: number;
  readonly #timer: NodeJS.Timeout;
  #phaseTimer: NodeJS.Timeout | undefined;
  #message: http.ClientRequest | undefined;
  #incoming: http.IncomingMessage | undefined;
  #failure: HttpFailure | undefined;
  #fail: (failure: HttpFailure) => void = () => {};
  /** Written before the connection is there. */
  #early: Uint8Array[] = [];
  #isEnded = false;
  /** The response is here, or will not come: what is still to be sent nobody waits for. */
  #isOver = false;
  #isClosed = false;
  #resume: () => void = () => {};
  #bytesOut = 0;

  constructor(client: NetworkOptions, options: ExchangeOptions, onClose: () => void) {
    this.#client = client;
    this.#options = options;
    this.#onClose = onClose;
    this.#narrowings = client.gate.narrowings;
    this.#timer = setTimeout(
      () => this.#abort({ tag: "HTTP-response-timeout" }),
      Math.min(options.timeouts.totalMs ?? Infinity, client.limits.httpTimeMsMax),
    );
    this.response = new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#start().then(resolve, (error: unknown) => reject(this.#failure ?? httpFailureOf(error)));
    });
    // Whoever asked may not be listening yet; the failure stays in the promise.
    this.response.catch(() => this.close());
  }

  get isGiven(): boolean {
    const isAsBegun = this.#client.gate.narrowings === this.#narrowings;
    return isAsBegun || isStillGiven(this.#options.target, this.#client);
  }

  get isClosed(): boolean {
    return this.#isClosed || !this.isGiven; // one that is over nobody closes when it is taken
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#bytesOut += bytes.length;
    if (this.#bytesOut > this.#client.limits.httpRequestBytesMax) {
      this.#abort({ tag: "HTTP-request-body-size", val: BigInt(this.#client.limits.httpRequestBytesMax) });
      return false;
    }
    this.#client.traffic.sentBytes += bytes.length;
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
    if (!this.#isOver) this.#message?.end();
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
    const address = await checkedAddress(this.#options.target, this.#client);
    if (this.#isClosed) throw this.#failure ?? new HttpFailure({ tag: "connection-terminated" });
    return this.#send(address);
  }

  #send(address: string): Promise<OpenResponse> {
    const { target, request, timeouts } = this.#options;
    const { limits, traffic, certificates } = this.#client;
    const { url, isSecure } = target;
    const headers: [string, string][] = request.headers.map(([name, value]) => [
      name,
      Buffer.from(value).toString("latin1"),
    ]);
    const message = (isSecure ? https : http).request({
      host: target.host,
      port: target.port,
      method: request.method.toUpperCase(),
      path: `${url.pathname}${url.search}`,
      headers: [...headers, ...this.#framing(), ["Host", url.host]].flat(),
      agent: agentOf(target),
      setHost: false,
      maxHeaderSize: limits.httpHeaderBytesMax,
      insecureHTTPParser: false,
      lookup: lookupOf(address),
      ...(target.isAddress ? {} : { servername: target.host }),
      ...(certificates !== undefined && { ca: certificates }),
    });
    this.#message = message;
    traffic.sentBytes += url.href.length + headerBytes(request.headers);
    this.#phase(timeouts.connectMs, "connection-timeout");
    message.on("drain", () => this.#resume());
    message.on("socket", (socket) => {
      const ready = isSecure ? "secureConnect" : "connect";
      socket.once(ready, () => this.#phase(timeouts.firstByteMs, "connection-read-timeout"));
    });
    return new Promise((resolve, reject) => {
      message.on("error", (error) => reject(this.#failure ?? httpFailureOf(error)));
      boundInformation(message, traffic, () => this.#abort({ tag: "HTTP-protocol-error" }));
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

  /**
   * Where the body ends, when the guest has not said it: Node sends the body of a GET, and of other methods that seldom have
   * one, as it is, and the server would take it for the next request (RFC 9112 §6).
   */
  #framing(): readonly [name: string, value: string][] {
    const isFramed = this.#options.request.headers.some(([name]) => name.toLowerCase() === "content-length");
    if (isFramed || (this.#isEnded && this.#bytesOut === 0)) return [];
    return this.#isEnded ? [["Content-Length", String(this.#bytesOut)]] : [["Transfer-Encoding", "chunked"]];
  }

  #received(incoming: http.IncomingMessage): OpenResponse {
    const { limits, traffic } = this.#client;
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
    traffic.receivedBytes += headerBytes(headers);
    clearTimeout(this.#phaseTimer);
    if (betweenBytesMs !== undefined) {
      incoming.setTimeout(betweenBytesMs, () => this.#abort({ tag: "connection-read-timeout" }));
    }
    let bytesIn = 0;
    const take = (bytes: Uint8Array): void => {
      // What has come already is not told by what was taken meanwhile.
      if (this.isClosed) throw this.#failure ?? new HttpFailure({ tag: "connection-terminated" });
      bytesIn += bytes.length;
      traffic.receivedBytes += bytes.length;
      if (bytesIn <= limits.httpResponseBytesMax) return;
      this.#abort({ tag: "HTTP-response-body-size", val: BigInt(limits.httpResponseBytesMax) });
      throw this.#failure ?? new HttpFailure({ tag: "connection-terminated" });
    };
    incoming.on("error", () => {}); // whoever reads the body hears of it; nobody else must
    incoming.on("close", () => this.#finished());
    const visible = headers.filter(([name]) => !isForbiddenName(name) || name.toLowerCase() === "via");
    return { status: incoming.statusCode ?? 0, headers: visible, body: incoming, take };
  }

  /**
   * Everything was received, or the connection is gone: the place is free, the body may still be read. A server that has
   * answered and does not read keeps no connection, which nothing would count, with what it was to read.
   */
  #finished(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#phaseTimer);
    this.#message?.destroy();
    this.#resume();
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
