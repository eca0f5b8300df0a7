/**
 * WebSockets for a plugin, as a client. The gate decides on the origin (`wss://name`), the address is checked as for
 * HTTP, and redirects are not followed. The protocol is the library's (RFC 6455, without extensions); what it may hold is
 * bounded here: connections, the size of a message, messages that nobody has received, bytes that wait to be sent.
 */

import { WebSocket } from "ws";
import { Change } from "../net/change.ts";
import {
  agentOf,
  checkedAddress,
  checkOrigin,
  isStillGiven,
  lookupOf,
  type NetworkOptions,
} from "./destination.ts";
import { HttpFailure, httpFailureOf } from "./failure.ts";
import { fitsBounds, type Header, headerBytes, headerProblem } from "./headers.ts";
import { boundInformation } from "./information.ts";
import { type Target, targetOf, webSocket } from "./target.ts";

export interface WebSocketRequest {
  /** `wss://name/path`, or `ws:` without TLS. */
  readonly url: string;
  /** Subprotocols, the preferred one first. */
  readonly protocols?: readonly string[];
  readonly headers?: readonly Header[];
}

/** Text or bytes. */
export type WebSocketMessage = string | Uint8Array;

/** So that the peer can answer to a close; then the connection is cut. */
const closeTimeMs = 2_000;

/**
 * Pieces in which a message may come: each takes the host far more than the byte that it may be. They come in as many reads of
 * the connection, or as many fragments.
 */
const piecesBounds = { maxBufferedChunks: 16_384, maxFragments: 16_384 };
const protocolsMax = 16;
const protocolPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;

export class WebSockets {
  readonly #network: NetworkOptions;
  /** And what each has passed the gate for. */
  readonly #open = new Map<WebSocketConnection, Target>();

  constructor(network: NetworkOptions) {
    this.#network = network;
    network.gate.onNarrowed(() => {
      for (const [open, target] of [...this.#open]) if (!isStillGiven(target, network)) open.cut();
    });
  }

  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Starts a connection.
   *
   * @throws HttpFailure when it is malformed, refused or one too many; then nothing was resolved or connected.
   */
  open(request: WebSocketRequest): WebSocketConnection {
    const target = checkRequest(request, this.#network);
    checkOrigin(target, this.#network.gate);
    if (this.#open.size >= this.#network.limits.webSocketsMax) {
      throw new HttpFailure({ tag: "connection-limit-reached" });
    }
    const onClose = () => this.#open.delete(connection);
    const connection = new WebSocketConnection({ network: this.#network, request, target, onClose });
    this.#open.set(connection, target);
    return connection;
  }

  close(): void {
    for (const connection of [...this.#open.keys()]) connection.cut();
  }
}

interface ConnectionOptions {
  readonly network: NetworkOptions;
  readonly request: WebSocketRequest;
  readonly target: Target;
  readonly onClose: () => void;
}

/** One connection, which never blocks: one asks what there is, and can wait for a change. */
export class WebSocketConnection {
  readonly change = new Change();
  readonly #options: ConnectionOptions;
  readonly #received: WebSocketMessage[] = [];
  #narrowings: number;
  #wasGiven = true;
  /** Ends what takes too long: connecting, and later closing. */
  #timer: NodeJS.Timeout;
  #receivedBytes = 0;
  #socket: WebSocket | undefined;
  #state: "connecting" | "open" | "closing" | "closed" = "connecting";
  #failure: HttpFailure | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#narrowings = options.network.gate.narrowings;
    const { connectTimeMsMax } = options.network.limits;
    this.#timer = setTimeout(() => this.#fail({ tag: "connection-timeout" }), connectTimeMsMax);
    this.#connect().catch((error: unknown) => this.#fail(httpFailureOf(error).reason));
  }

  get state(): "connecting" | "open" | "closing" | "closed" {
    return this.#state;
  }

  /** Why it failed, if it did. */
  get failure(): HttpFailure | undefined {
    return this.#failure;
  }

  /** The subprotocol that the peer chose. */
  get protocol(): string {
    if (!this.#isGiven) return "";
    return this.#socket?.protocol ?? "";
  }

  get pendingCount(): number {
    this.#checkGiven();
    return this.#received.length;
  }

  /** The next message; also after the peer has closed, until there is none. */
  receive(): WebSocketMessage | undefined {
    this.#checkGiven();
    const message = this.#received.shift();
    if (message === undefined) return undefined;
    this.#receivedBytes -= sizeOf(message);
    if (this.#hasRoom()) this.#socket?.resume();
    return message;
  }

  /** Whether a message can be sent now: nothing much waits to be. */
  get canSend(): boolean {
    const { webSocketMessageBytesMax } = this.#options.network.limits;
    return this.#state === "open" && (this.#socket?.bufferedAmount ?? 0) < webSocketMessageBytesMax;
  }

  /** @throws HttpFailure `connection-terminated`; `HTTP-request-body-size` for a message that is too long */
  send(message: WebSocketMessage): void {
    const { webSocketMessageBytesMax } = this.#options.network.limits;
    if (sizeOf(message) > webSocketMessageBytesMax) {
      throw new HttpFailure({ tag: "HTTP-request-body-size", val: BigInt(webSocketMessageBytesMax) });
    }
    if (!this.canSend) throw new HttpFailure({ tag: "connection-terminated" });
    this.#options.network.traffic.sentBytes += sizeOf(message);
    // A copy: the guest's memory changes, and sending may take its time.
    this.#socket?.send(typeof message === "string" ? message : message.slice(), () => this.change.signal());
  }

  /** Asks the peer to close, with what was received still to be had; cuts the connection if it does not answer. */
  close(): void {
    if (this.#state === "connecting") this.cut();
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#timer = setTimeout(() => this.cut(), closeTimeMs);
    this.#socket?.resume(); // a peer's answer stands behind what it sent before
    this.#socket?.close(1_000);
  }

  /** Ends it at once. */
  cut(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#socket?.terminate();
    this.#options.onClose();
    this.change.signal();
  }

  [Symbol.dispose](): void {
    this.cut();
  }

  async #connect(): Promise<void> {
    const { network, request, target } = this.#options;
    const { limits, traffic, certificates } = network;
    const address = await checkedAddress(target, network);
    if (this.#state !== "connecting") return;
    const socket = new WebSocket(target.url, [...(request.protocols ?? [])], {
      headers: Object.fromEntries(
        (request.headers ?? []).map(([name, value]) => [name, Buffer.from(value).toString("latin1")]),
      ),
      lookup: lookupOf(address),
      agent: agentOf(target),
      ...(certificates !== undefined && { ca: certificates }),
      followRedirects: false,
      finishRequest: (upgrade) => {
        boundInformation(upgrade, traffic, () => this.#fail({ tag: "HTTP-protocol-error" }));
        upgrade.end();
      },
      perMessageDeflate: false,
      maxPayload: limits.webSocketMessageBytesMax,
      ...piecesBounds,
      maxHeaderSize: limits.httpHeaderBytesMax,
    });
    this.#socket = socket;
    traffic.sentBytes += target.url.href.length + headerBytes(request.headers ?? []);
    socket.on("open", () => {
      clearTimeout(this.#timer);
      this.#state = "open";
      this.change.signal();
    });
    socket.on("message", (data, isBinary) => this.#take(data as Buffer, isBinary)); // the default binaryType
    socket.on("error", (error) => this.#fail(reasonOf(error, this.#state)));
    socket.on("close", () => this.cut());
  }

  /** What was taken has nothing to say any more, of what had come before either. */
  #checkGiven(): void {
    if (this.#isGiven) return;
    this.#received.length = 0;
    this.#receivedBytes = 0;
  }

  get #isGiven(): boolean {
    const { network, target } = this.#options;
    const { narrowings } = network.gate;
    if (narrowings !== this.#narrowings) this.#wasGiven = isStillGiven(target, network);
    this.#narrowings = narrowings;
    return this.#wasGiven;
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (this.#state === "closed") return;
    const message = isBinary ? new Uint8Array(data) : data.toString("utf8");
    this.#received.push(message);
    this.#receivedBytes += sizeOf(message);
    this.#options.network.traffic.receivedBytes += data.length;
    // What came in the same read as this one, 64 KiB at most, still comes; all after it stays with the peer.
    if (!this.#hasRoom() && this.#state === "open") this.#socket?.pause();
    // While it closes nothing can be held back any more: what does not fit ends it.
    if (!this.#hasRoom() && this.#state === "closing") this.cut();
    this.change.signal();
  }

  /** Whether one more message would be taken. */
  #hasRoom(): boolean {
    const { webSocketMessagesMax, webSocketMessageBytesMax } = this.#options.network.limits;
    return this.#received.length < webSocketMessagesMax && this.#receivedBytes < webSocketMessageBytesMax;
  }

  #fail(reason: HttpFailure["reason"]): void {
    this.#failure ??= new HttpFailure(reason);
    this.cut();
  }
}

function checkRequest(request: WebSocketRequest, { limits }: NetworkOptions): Target {
  const { headers = [], protocols = [] } = request;
  if (!fitsBounds(headers, limits)) {
    throw new HttpFailure({ tag: "HTTP-request-header-section-size", val: limits.httpHeaderBytesMax });
  }
  for (const header of headers) {
    const isOurs = /^sec-websocket-/i.test(header[0]);
    if (isOurs || headerProblem(header) !== undefined) throw new HttpFailure({ tag: "HTTP-protocol-error" });
  }
  const areProtocols =
    protocols.length <= protocolsMax &&
    new Set(protocols).size === protocols.length &&
    protocols.every((protocol) => protocolPattern.test(protocol));
  if (!areProtocols) throw new HttpFailure({ tag: "HTTP-protocol-error" });
  const target = targetOf(request.url, webSocket);
  if (target.url.hash !== "") throw new HttpFailure({ tag: "HTTP-request-URI-invalid" });
  return target;
}

/** In UTF-8 a UTF-16 unit takes at most three bytes: a text is measured as it is sent. */
function sizeOf(message: WebSocketMessage): number {
  return typeof message === "string" ? Buffer.byteLength(message) : message.length;
}

/** What the library says, without what only the host should know. */
function reasonOf(error: Error & { readonly code?: string }, state: string): HttpFailure["reason"] {
  if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") return { tag: "HTTP-response-body-size" };
  if (error.code?.startsWith("WS_ERR") === true) return { tag: "HTTP-protocol-error" };
  const { reason } = httpFailureOf(error);
  // Anything but the upgrade that was asked for: another status, a redirect, a wrong key.
  return state === "connecting" && reason.tag === "internal-error" ? { tag: "HTTP-upgrade-failed" } : reason;
}
