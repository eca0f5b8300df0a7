/**
 * One peer at the other end of a stream, over TCP or TLS, as its server or as its client. Bytes that come are cut into
 * events; messages that go are queued; both sides begin with XML and may agree on TAK protocol v1 (protocol.txt,
 * "Streaming Connection Protocol Negotiation").
 */

import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { isRemoraError, type RemoraError } from "remora/base";
import { createMessage } from "../cot/event-decoder.ts";
import { type CotLimits, cotLimits } from "../cot/limits.ts";
import type { CotMessage } from "../cot/message.ts";
import {
  type Negotiation,
  RESPONSE_WAIT_MS,
  readNegotiation,
  TAK_VERSION,
  writeOffer,
  writeRequest,
  writeResponse,
} from "../cot/negotiation.ts";
import { MAGIC, StreamReader } from "../cot/stream-reader.ts";
import { reasonOf, takErrors } from "../errors.ts";
import { type Clock, systemClock } from "./clock.ts";
import {
  type Connection,
  type ConnectionHandlers,
  type ConnectionStats,
  newStats,
  nextConnectionId,
} from "./connection.ts";
import { type WhenFull, WriteQueue, writeQueueDefault } from "./write-queue.ts";

/** How a peer is treated. All have a default; see `streamDefaults`. */
export interface StreamOptions {
  /**
   * `negotiate`: XML first, then what is agreed on; `xml` and `protobuf`: that and nothing else, from the first byte.
   * While nothing is agreed on, messages are read in either form, since the two cannot be confused.
   */
  readonly protocol: "negotiate" | "xml" | "protobuf";
  /** Milliseconds in which the peer neither sends nor reads a byte, after which it is closed; 0 for never. */
  readonly idleMsMax: number;
  /** Milliseconds without the peer reading anything that waits for it, after which it is closed; 0 for never. */
  readonly stalledMsMax: number;
  /** Bytes that may wait for the peer to read. */
  readonly queuedBytesMax: number;
  readonly whenFull: WhenFull;
  /** Whether `t-x-c-t`, by which clients test the connection, is answered and not passed on. */
  readonly answersPings: boolean;
  readonly limits: CotLimits;
  readonly clock: Clock;
}

export const streamDefaults: StreamOptions = {
  protocol: "negotiate",
  idleMsMax: 600_000,
  stalledMsMax: 30_000,
  queuedBytesMax: writeQueueDefault.queuedBytesMax,
  whenFull: writeQueueDefault.whenFull,
  answersPings: true,
  limits: cotLimits(),
  clock: systemClock,
};

// "Messages must be prefaced by XML header (<?xml ... ?>), followed by a newline, followed by the complete XML."
const XML_HEADER = Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n');
// Finds a peer that is gone without a word.
const KEEP_ALIVE_MS = 60_000;
const CHECK_MS = 1000;
// For the other side to go on reading what is queued, and then to close as well.
const CLOSING_MS_MAX = 5000;

export class StreamConnection implements Connection {
  readonly id = nextConnectionId();
  readonly name: string;

  readonly #socket: Socket;
  readonly #role: "server" | "client";
  readonly #handlers: ConnectionHandlers;
  readonly #options: StreamOptions;
  readonly #reader: StreamReader;
  readonly #queue: WriteQueue;
  readonly #stats: ConnectionStats;
  #isOpen = true;
  #isClosing = false;
  #isReading = true;
  /** Why it was closed from here. */
  #reason: RemoraError | undefined;
  /** When bytes last came or were taken by the peer. */
  #activeMs: number;
  #writingSinceMs = 0;
  #closingSinceMs: number | undefined;
  /** As a client that waits for the answer to its request: since when, and what must not be sent until then. */
  #request: { readonly sinceMs: number; readonly held: CotMessage[]; heldBytes: number } | undefined;
  #cancelCheck: () => void = () => {};

  constructor(
    socket: Socket,
    about: { role: "server" | "client"; name: string },
    handlers: ConnectionHandlers,
    options: StreamOptions,
  ) {
    this.#socket = socket;
    this.#role = about.role;
    this.name = about.name;
    this.#handlers = handlers;
    this.#options = options;
    this.#activeMs = options.clock.nowMs();
    this.#stats = newStats(options.protocol === "protobuf" ? "protobuf" : "xml");
    this.#queue = new WriteQueue((bytes, done) => {
      this.#writingSinceMs = options.clock.nowMs();
      socket.write(bytes, (error) => {
        this.#activeMs = options.clock.nowMs();
        done(!error);
      });
    }, options);
    this.#reader = new StreamReader(
      {
        onMessage: (message) => this.#take(message),
        onBadEvent: (error) => this.#reportBadEvent(error),
      },
      { accepted: options.protocol === "negotiate" ? "both" : options.protocol, limits: options.limits },
    );
  }

  /** Begins to read, and offers the protocol to a client. */
  open(): void {
    // Who has said all may still read what waits for it. Not before: a handshake that ends halfway is over.
    this.#socket.allowHalfOpen = true;
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#socket.on("end", () => this.#finishReading());
    this.#socket.on("error", (error) => {
      this.#reason ??= takErrors["connection-lost"]({ name: this.name, reason: reasonOf(error) }, error);
    });
    this.#socket.on("close", () => this.#finish());
    this.#scheduleCheck();
    this.#handlers.onOpen?.(this);
    if (this.#role === "server" && this.#options.protocol === "negotiate") {
      this.#write(writeOffer(`protouid-${randomUUID()}`, this.#options.clock.timeMs()), true);
    }
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isClosing;
  }

  get stats(): Readonly<ConnectionStats> {
    this.#stats.messagesOut = this.#queue.messagesWritten;
    this.#stats.bytesOut = this.#queue.bytesWritten;
    this.#stats.messagesDropped = this.#queue.messagesDropped + this.#heldDropped;
    this.#stats.queuedBytes = this.#queue.queuedBytes + (this.#request?.heldBytes ?? 0);
    return this.#stats;
  }

  send(message: CotMessage): boolean {
    if (!this.isOpen) return false;
    return this.#request === undefined ? this.#write(message) : this.#hold(message, this.#request);
  }

  close(): void {
    if (!this.isOpen) return;
    this.#isClosing = true;
    this.#closingSinceMs = this.#options.clock.nowMs();
    // What is held until the peer has answered is written then.
    if (this.#request === undefined || this.#request.held.length === 0) this.#endWriting();
  }

  #endWriting(): void {
    this.#queue.whenEmpty(() => this.#socket.end());
  }

  #write(message: CotMessage, isKept = false): boolean {
    const { format } = this.#stats;
    const bytes = message.bytes(format);
    const outcome = this.#queue.push(
      format === "xml" ? XML_HEADER : protobufHeader(bytes.length),
      bytes,
      isKept,
    );
    if (outcome === "full") {
      const { queuedBytesMax } = this.#options;
      const { queuedBytes } = this.#queue;
      this.#fail(takErrors["queue-full"]({ name: this.name, queuedBytes, queuedBytesMax }));
    }
    return outcome === "queued";
  }

  #read(chunk: Buffer): void {
    // While it is closed from here, what the peer had sent by then is read on.
    if (!this.#isReading) return;
    this.#activeMs = this.#options.clock.nowMs();
    this.#stats.bytesIn += chunk.length;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      this.#fail(error);
    }
  }

  #take(message: CotMessage): void {
    // What stands in a chunk behind the one that broke the connection.
    if (!this.#isReading) return;
    if (message.type.startsWith("t-x-") && this.#takeControl(message)) return;
    this.#stats.messagesIn++;
    const room = this.#handlers.onMessage(message, this);
    if (room instanceof Promise && !this.#socket.isPaused()) this.#pauseUntil(room);
  }

  /** What was read already is taken all the same; the peer notices by and by that nobody reads. */
  #pauseUntil(room: Promise<void>): void {
    this.#socket.pause();
    void room.then(() => {
      // Nobody was listened to: that is not the peer's idleness.
      this.#activeMs = this.#options.clock.nowMs();
      this.#socket.resume();
    });
  }

  /** Whether the message was between the peer and this connection. */
  #takeControl(message: CotMessage): boolean {
    const negotiation = readNegotiation(message);
    if (negotiation !== undefined) {
      if (this.#options.protocol === "negotiate") this.#negotiate(negotiation, message.uid);
      return true;
    }
    if (message.type !== PING || !this.#options.answersPings) return false;
    this.send(pong(this.#options.clock.timeMs()));
    return true;
  }

  #negotiate(negotiation: Negotiation, uid: string): void {
    const nowMs = this.#options.clock.timeMs();
    if (this.#role === "server") {
      if (negotiation.kind !== "request" || this.#stats.format === "protobuf") return;
      const isAccepted = negotiation.version === TAK_VERSION;
      this.#write(writeResponse(uid, nowMs, isAccepted), true);
      if (isAccepted) this.#switch();
      return;
    }
    if (negotiation.kind === "offer") {
      if (this.#request !== undefined || !negotiation.versions.includes(TAK_VERSION)) return;
      if (this.#stats.format === "protobuf") return;
      this.#write(writeRequest(uid, nowMs), true);
      this.#request = { sinceMs: this.#options.clock.nowMs(), held: [], heldBytes: 0 };
    } else if (negotiation.kind === "response" && this.#request !== undefined) {
      const { held } = this.#request;
      this.#request = undefined;
      if (negotiation.isAccepted) this.#switch();
      for (const message of held) this.#write(message);
      if (this.#isClosing) this.#endWriting();
    }
  }

  /** From here on both sides speak version 1, and nothing else. */
  #switch(): void {
    this.#stats.format = "protobuf";
    this.#reader.accepted = "protobuf";
  }

  #heldDropped = 0;

  /** "Once the client sends the request, it MUST NOT send additional CoT XML": it waits, under the queue's bound. */
  #hold(message: CotMessage, request: { readonly held: CotMessage[]; heldBytes: number }): boolean {
    const { queuedBytesMax, whenFull } = this.#options;
    const length = message.bytes("xml").length;
    while (whenFull === "drop-oldest" && request.heldBytes + length > queuedBytesMax) {
      const oldest = request.held.shift();
      if (oldest === undefined) break;
      request.heldBytes -= oldest.bytes("xml").length;
      this.#heldDropped++;
    }
    const hasRoom = request.heldBytes + length <= queuedBytesMax;
    if (hasRoom) {
      request.held.push(message);
      request.heldBytes += length;
    } else {
      this.#heldDropped++;
    }
    return hasRoom;
  }

  #reportBadEvent(error: RemoraError): void {
    this.#stats.badEventsIn++;
    this.#handlers.onBadEvent?.(error, this);
  }

  #finishReading(): void {
    try {
      this.#reader.end();
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      this.#reportBadEvent(error);
    }
    this.close();
  }

  #fail(reason: RemoraError): void {
    this.#reason ??= reason;
    this.#isClosing = true;
    this.#isReading = false;
    this.#socket.destroy();
  }

  #finish(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#isReading = false;
    this.#cancelCheck();
    this.#heldDropped += this.#request?.held.length ?? 0;
    this.#request = undefined;
    this.#handlers.onClose?.(this, this.#reason);
  }

  #scheduleCheck(): void {
    this.#cancelCheck = this.#options.clock.after(CHECK_MS, () => {
      this.#check();
      if (this.#isOpen && !this.#socket.destroyed) this.#scheduleCheck();
    });
  }

  #check(): void {
    const { idleMsMax, stalledMsMax, clock } = this.#options;
    const { name } = this;
    const nowMs = clock.nowMs();
    const stalledMs = this.#queue.isWriting ? nowMs - this.#writingSinceMs : 0;
    const idleMs = nowMs - this.#activeMs;
    const waitedMs = this.#request === undefined ? 0 : nowMs - this.#request.sinceMs;
    if (this.#closingSinceMs !== undefined) {
      // Whoever reads on gets all of it; whoever has stopped does not hold up the host's end.
      const waitingMs = this.#queue.isWriting ? stalledMs : nowMs - this.#closingSinceMs;
      if (waitingMs >= CLOSING_MS_MAX) this.#socket.destroy();
    } else if (stalledMsMax > 0 && stalledMs >= stalledMsMax) {
      this.#fail(takErrors["peer-stalled"]({ name, queuedBytes: this.#queue.queuedBytes, stalledMs }));
    } else if (waitedMs >= RESPONSE_WAIT_MS) {
      this.#fail(takErrors["negotiation-timeout"]({ name, waitedMs }));
    } else if (idleMsMax > 0 && idleMs >= idleMsMax) {
      this.#fail(takErrors["connection-idle"]({ name, idleMs, idleMsMax }));
    }
  }
}

// One for each length that occurs, of which there are few hundred.
const headers: (Uint8Array | undefined)[] = [];
const HEADERS_KEPT_MAX = 4096;

/** `BF <varint length>`. */
function protobufHeader(length: number): Uint8Array {
  const known = headers[length];
  if (known !== undefined) return known;
  const bytes = [MAGIC];
  let left = length;
  for (; left >= 0x80; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  bytes.push(left);
  const header = Uint8Array.from(bytes);
  if (length < HEADERS_KEPT_MAX) headers[length] = header;
  return header;
}

const PING = "t-x-c-t";
const PONG_HOLDS_MS = 20_000;

function pong(nowMs: number): CotMessage {
  const staleMs = nowMs + PONG_HOLDS_MS;
  return createMessage({ type: "t-x-c-t-r", uid: "takPong", timeMs: nowMs, staleMs, lat: 0, lon: 0, hae: 0 });
}

/** The defaults, with what is given in their place. */
export function streamOptions(changes: Partial<StreamOptions> = {}): StreamOptions {
  return { ...streamDefaults, ...changes };
}
