/**
 * Cuts a stream of bytes into events: XML, one `<event>` behind the other with declarations and white space between,
 * and TAK protocol v1, `BF <varint length> <TakMessage>` (protocol.txt, "Traditional Protocol" and "Streaming
 * Connections"). Events are views into the chunks that came, except for those that a chunk's end has cut.
 *
 * What is bad inside a good frame costs that one event and the stream goes on: XML that is not well formed, a field
 * that is missing or not allowed, one event too large. XML goes on at the next `<event` or declaration, so that
 * half an event does not take the whole one behind it along. What leaves no way to tell where the next event
 * begins ends the stream: bytes that begin neither form, a length that is no varint or beyond reason, too many bad
 * events in a row.
 */

import { isRemoraError, type RemoraError } from "remora/base";
import { takErrors } from "../errors.ts";
import { asBuffer } from "./as-buffer.ts";
import { EventDecoder } from "./event-decoder.ts";
import { END_BYTES_MAX, KeptBytes, type WaitsFor } from "./kept-bytes.ts";
import { type CotLimits, cotLimits } from "./limits.ts";
import type { CotMessage } from "./message.ts";
import type { TakControl } from "./tak-message.ts";
import { CLASS, isCutShort, passSpace, SPACE, startsWith } from "./xml-characters.ts";
import { xmlError } from "./xml-error.ts";
import { FAILED, INCOMPLETE } from "./xml-markup.ts";
import { showBytes } from "./xml-text.ts";

export const MAGIC = 0xbf;
const LT = 0x3c;
const GT = 0x3e;

/** Which forms may begin at a place between two events. */
export type Accepted = "xml" | "protobuf" | "both";

/** Called from within `push`, one after the other; what they throw comes out of `push`. */
export interface StreamHandlers {
  onMessage(message: CotMessage): void;
  onControl?(control: TakControl): void;
  /** One event was dropped, for this reason. */
  onBadEvent(error: RemoraError): void;
}

/** What the reader is doing with the bytes at hand. */
type State =
  | { readonly kind: "between" }
  /** Looks for the next `<event` or declaration. */
  | { readonly kind: "skip-to-start" }
  /** Looks for the next `</event>`, and goes on behind it. */
  | { readonly kind: "skip-to-end" }
  | { readonly kind: "skip-bytes"; left: number };

const BETWEEN: State = { kind: "between" };
const SKIP_TO_START: State = { kind: "skip-to-start" };
const SKIP_TO_END: State = { kind: "skip-to-end" };

const MORE: WaitsFor = { kind: "more" };
const BRACKET: WaitsFor = { kind: "bracket" };
const EVENT_END: WaitsFor = { kind: "event-end" };

/** What a step gives back instead of the offset behind what it took. */
const WAIT = -1;

export class StreamReader {
  /** May be changed at any time, also from within `onMessage`: it counts from the next event on. */
  accepted: Accepted;

  readonly #handlers: StreamHandlers;
  readonly #limits: CotLimits;
  readonly #decoder: EventDecoder;
  #state: State = BETWEEN;
  /** What is left of earlier chunks. */
  readonly #kept: KeptBytes;
  /** Bytes of the stream before those at hand. */
  #base = 0;
  #waitsFor: WaitsFor = MORE;
  /** Of those at hand: behind what was handed out or passed. */
  #position = 0;
  #skipped = 0;
  #badInARow = 0;

  constructor(handlers: StreamHandlers, options: { accepted?: Accepted; limits?: CotLimits } = {}) {
    this.#handlers = handlers;
    this.accepted = options.accepted ?? "both";
    this.#limits = options.limits ?? cotLimits();
    this.#decoder = new EventDecoder(this.#limits);
    this.#kept = new KeptBytes(this.#limits.eventBytesMax);
  }

  /**
   * Takes the next bytes of the stream. They are kept by the events in them, so they must not change.
   *
   * @throws tak/frame-start, tak/frame-length, tak/frame-unsynchronised, tak/too-many-bad-events: the stream is over
   */
  push(chunk: Uint8Array): void {
    let rest = asBuffer(chunk);
    while (rest.length > 0) {
      if (this.#kept.length === 0) {
        this.#take(rest);
        return;
      }
      rest = rest.subarray(this.#kept.add(rest));
      // The events in it are views of that buffer, so what is left over moves to a new one.
      if (this.#kept.isWorthALook()) this.#take(this.#kept.take());
    }
  }

  /**
   * The stream has ended.
   *
   * @throws tak/stream-cut when it did so inside of an event, and what `push` throws
   */
  end(): void {
    // What would have been found with the end of the event is found now.
    if (this.#kept.length > 0 && this.#kept.waitsFor.kind === "event-end") this.#take(this.#kept.take());
    if (this.#state.kind === "between" && this.#kept.length > 0) {
      throw takErrors["stream-cut"]({ at: this.#base, sizeBytes: this.#kept.length });
    }
    if (this.#state.kind === "skip-bytes") {
      throw takErrors["stream-cut"]({ at: this.#base, sizeBytes: this.#skipped - this.#state.left });
    }
  }

  #take(bytes: Buffer): void {
    const length = bytes.length;
    this.#position = 0;
    this.#waitsFor = MORE;
    try {
      while (this.#position < length) {
        const next = this.#step(bytes, this.#position, length);
        if (next === WAIT) break;
        this.#position = next;
      }
    } finally {
      // Also when a handler throws: the event that it threw about is behind us.
      this.#base += this.#position;
      if (this.#position < length) this.#kept.keep(bytes.subarray(this.#position), this.#waitsFor);
    }
  }

  #step(bytes: Buffer, at: number, length: number): number {
    const state = this.#state;
    switch (state.kind) {
      case "between":
        return this.#takeNext(bytes, at, length);
      case "skip-bytes": {
        const taken = Math.min(state.left, length - at);
        state.left -= taken;
        if (state.left === 0) this.#state = BETWEEN;
        return at + taken;
      }
      case "skip-to-start":
        return this.#skipToStart(bytes, at, length);
      case "skip-to-end":
        return this.#skipToEnd(bytes, at, length);
    }
  }

  #takeNext(bytes: Buffer, at: number, length: number): number {
    const first = bytes[at] as number;
    if (first === LT && this.accepted !== "protobuf") return this.#takeXml(bytes, at, length);
    if (first === MAGIC && this.accepted !== "xml") return this.#takeProtobuf(bytes, at, length);
    if (((CLASS[first] as number) & SPACE) !== 0) return passSpace(bytes, at, length);
    // A byte order mark, as some write it before a document.
    if (first === 0xef && this.accepted !== "protobuf") {
      if (length - at < 3) return this.#wait(MORE);
      if (bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) return at + 3;
    }
    throw takErrors["frame-start"]({
      at: this.#base + at,
      found: `"${showBytes(bytes, at, length)}"`,
      allowed: ALLOWED[this.accepted],
    });
  }

  #takeXml(bytes: Buffer, at: number, length: number): number {
    if (!startsWith(bytes, at, length, "<event")) return this.#takeProlog(bytes, at, length);
    const end = this.#decoder.scanner.scanEvent(bytes, at, length);
    if (end === INCOMPLETE) {
      if (length - at > this.#limits.eventBytesMax) return this.#dropTooLarge(at, length - at);
      return this.#wait(EVENT_END);
    }
    if (end === FAILED) {
      this.#drop(xmlError(this.#decoder.scanner, this.#base));
      this.#skipped = 0;
      this.#state = SKIP_TO_START;
      return at + 1;
    }
    if (end - at > this.#limits.eventBytesMax) {
      this.#reportTooLarge(at, end - at);
      return end;
    }
    this.#position = end;
    this.#handOut(bytes, at, end);
    return end;
  }

  #handOut(bytes: Buffer, at: number, end: number): void {
    let event: CotMessage;
    try {
      event = this.#decoder.makeXmlEvent(bytes, at, end, this.#base);
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      this.#drop(error);
      return;
    }
    this.#badInARow = 0;
    this.#handlers.onMessage(event);
  }

  /** What may stand before an event: a declaration, an instruction, a comment. A document type costs its event. */
  #takeProlog(bytes: Buffer, at: number, length: number): number {
    if (startsWith(bytes, at, length, "<?") || startsWith(bytes, at, length, "<!--")) {
      const token = bytes[at + 1] === 0x3f ? "?>" : "-->";
      const close = bytes.indexOf(token, at + token.length, "latin1");
      if (close !== -1 && close + token.length <= length) return close + token.length;
      if (length - at > PROLOG_BYTES_MAX) {
        const found = `"${token}" not within ${PROLOG_BYTES_MAX} bytes`;
        throw takErrors["frame-start"]({ at: this.#base + at, found, allowed: ALLOWED[this.accepted] });
      }
      return this.#wait(BRACKET);
    }
    const words = ["<event", "<!--", "<?", "<!DOCTYPE"];
    if (words.some((word) => isCutShort(bytes, at, length, word))) return this.#wait(MORE);
    this.#skipped = 0;
    if (startsWith(bytes, at, length, "<!DOCTYPE")) {
      this.#drop(takErrors["xml-doctype"]({ at: this.#base + at }));
      this.#state = SKIP_TO_END;
    } else {
      const found = "an element that is not an event";
      this.#drop(takErrors["xml-malformed"]({ found, at: this.#base + at }));
      this.#state = SKIP_TO_START;
    }
    return at + 1;
  }

  #takeProtobuf(bytes: Buffer, at: number, length: number): number {
    let size = 0;
    let weight = 1;
    let start = at + 1;
    for (; ; start++) {
      if (start >= length) return this.#wait(MORE);
      const byte = bytes[start] as number;
      size += (byte & 0x7f) * weight;
      if (byte < 0x80) break;
      weight *= 128;
      // protocol.txt, "TAK Protocol Varint Encoding": ten bytes at most.
      if (start - at === 10) throw this.#badLength(at, "a varint of more than ten bytes");
    }
    start++;
    if (size > this.#limits.eventBytesMax) {
      if (size > this.#limits.skippedBytesMax) throw this.#badLength(at, `${size} bytes`);
      this.#reportTooLarge(at, size);
      this.#skipped = size;
      this.#state = { kind: "skip-bytes", left: size };
      return start;
    }
    const end = start + size;
    if (end > length) {
      return this.#wait({ kind: "length", length: end - at });
    }
    this.#position = end;
    this.#handOutTakMessage(bytes, start, end);
    return end;
  }

  #handOutTakMessage(bytes: Buffer, start: number, end: number): void {
    let message: ReturnType<EventDecoder["readTakMessage"]>;
    try {
      message = this.#decoder.readTakMessage(bytes, start, end, this.#base);
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      this.#drop(error);
      return;
    }
    this.#badInARow = 0;
    if (message.control !== undefined) this.#handlers.onControl?.(message.control);
    if (message.event !== undefined) this.#handlers.onMessage(message.event);
  }

  #skipToStart(bytes: Buffer, at: number, length: number): number {
    let from = at;
    for (;;) {
      const found = bytes.indexOf(LT, from);
      if (found === -1 || found >= length) return this.#skip(at, length);
      if (isStart(bytes, found, length)) {
        this.#state = BETWEEN;
        return found;
      }
      if (isCutShort(bytes, found, length, "<event ") || isCutShort(bytes, found, length, "<?xml")) {
        if (found > at) return this.#skip(at, found);
        return this.#wait(MORE);
      }
      from = found + 1;
    }
  }

  #skipToEnd(bytes: Buffer, at: number, length: number): number {
    const found = bytes.indexOf("</event", at, "latin1");
    if (found === -1 || found + 7 > length) {
      // The last bytes may be the beginning of it.
      const next = Math.max(at, length - 6);
      return next === at ? this.#wait(MORE) : this.#skip(at, next);
    }
    if (found > at) return this.#skip(at, found);
    const close = passSpace(bytes, found + 7, length);
    if (close >= length) {
      if (length - found > END_BYTES_MAX) return this.#skip(at, found + 1);
      return this.#wait(MORE);
    }
    if (bytes[close] !== GT) return this.#skip(at, found + 1);
    this.#state = BETWEEN;
    return close + 1;
  }

  #skip(at: number, next: number): number {
    this.#skipped += next - at;
    if (this.#skipped > this.#limits.skippedBytesMax) {
      throw takErrors["frame-unsynchronised"]({ at: this.#base + next, skippedBytes: this.#skipped });
    }
    return next;
  }

  #dropTooLarge(at: number, sizeBytes: number): number {
    this.#reportTooLarge(at, sizeBytes);
    this.#skipped = 0;
    this.#state = SKIP_TO_END;
    return at + 1;
  }

  #reportTooLarge(at: number, sizeBytes: number): void {
    const sizeBytesMax = this.#limits.eventBytesMax;
    this.#drop(takErrors["event-too-large"]({ sizeBytes, sizeBytesMax, at: this.#base + at }));
  }

  #drop(error: RemoraError): void {
    this.#badInARow++;
    this.#handlers.onBadEvent(error);
    if (this.#badInARow > this.#limits.badEventsMax) {
      throw takErrors["too-many-bad-events"]({ count: this.#badInARow, at: this.#base });
    }
  }

  #badLength(at: number, found: string): RemoraError {
    const allowed = `a varint of at most ten bytes, and ${this.#limits.eventBytesMax} bytes`;
    return takErrors["frame-length"]({ at: this.#base + at, found, allowed });
  }

  #wait(waitsFor: WaitsFor): typeof WAIT {
    this.#waitsFor = waitsFor;
    return WAIT;
  }
}

const PROLOG_BYTES_MAX = 4096;

const ALLOWED: Readonly<Record<Accepted, string>> = {
  xml: "an XML event",
  protobuf: "bf, with which a TAK protocol message starts",
  both: "an XML event, or bf, with which a TAK protocol message starts",
};

function isStart(bytes: Buffer, at: number, length: number): boolean {
  if (startsWith(bytes, at, length, "<?xml")) return true;
  if (!startsWith(bytes, at, length, "<event") || at + 6 >= length) return false;
  const byte = bytes[at + 6] as number;
  return byte === GT || byte === 0x2f || ((CLASS[byte] as number) & SPACE) !== 0;
}
