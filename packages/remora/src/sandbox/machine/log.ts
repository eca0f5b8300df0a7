/**
 * Where a guest's output goes: lines to the host's log, bounded in length and in rate, and harmless to a terminal
 * and to whoever reads the log. Standard output, standard error and the log function all end here.
 */

import { harmless } from "../../policy/index.ts";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "critical";

export interface LogLine {
  readonly plugin: string;
  readonly level: LogLevel;
  /** Which way it came. */
  readonly from: "stdout" | "stderr" | "log" | "sandbox";
  /** One line without control characters. */
  readonly text: string;
}

export interface LogSink {
  write(line: LogLine): void;
}

export interface LogBounds {
  readonly logLineBytesMax: number;
  readonly logLinesPerSecondMax: number;
}

/** One plugin's way to the log: all its instances share one rate. */
export class BoundedLog {
  readonly #plugin: string;
  readonly #sink: LogSink;
  readonly #bounds: LogBounds;
  readonly #nowMs: () => number;
  #secondStartedMs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #omitted = 0;

  constructor(
    plugin: string,
    sink: LogSink,
    bounds: LogBounds,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#plugin = plugin;
    this.#sink = sink;
    this.#bounds = bounds;
    this.#nowMs = nowMs;
  }

  /** Whether there were as many lines in this second as there may be. */
  isFull(): boolean {
    const now = this.#nowMs();
    if (now - this.#secondStartedMs >= 1_000) this.#startSecond(now);
    return this.#lines >= this.#bounds.logLinesPerSecondMax;
  }

  /** Lines that nobody will see are only counted. */
  omit(lines: number): void {
    this.#omitted += lines;
  }

  /** Writes a line, unless there were too many in this second. */
  line(from: LogLine["from"], level: LogLevel, text: string): void {
    if (this.isFull()) {
      this.omit(1);
      return;
    }
    this.#lines++;
    this.#sink.write({
      plugin: this.#plugin,
      level,
      from,
      text: cut(harmless(text, this.#bounds.logLineBytesMax), this.#bounds.logLineBytesMax),
    });
  }

  /** Tells how many lines were left out, if any. */
  close(): void {
    this.#tellOmitted();
  }

  /** A byte stream that is cut into lines. */
  stream(from: "stdout" | "stderr"): LineStream {
    return new LineStream(this, from, this.#bounds);
  }

  #startSecond(now: number): void {
    this.#secondStartedMs = now;
    this.#lines = 0;
    this.#tellOmitted();
  }

  #tellOmitted(): void {
    if (this.#omitted === 0) return;
    const text = `${this.#omitted} lines omitted: more than ${this.#bounds.logLinesPerSecondMax} in a second`;
    this.#omitted = 0;
    this.#sink.write({ plugin: this.#plugin, level: "warn", from: "sandbox", text });
  }
}

/** Made harmless, a control character takes six bytes and more, and letters take up to three. */
function cut(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytesMax));
  return read === text.length ? text : `${text.slice(0, read).replace(/…$/, "")}…`;
}

/** Collects bytes until a line is whole or full. */
export class LineStream {
  readonly #log: BoundedLog;
  readonly #from: "stdout" | "stderr";
  readonly #bytesMax: number;
  readonly #pending: Uint8Array;
  readonly #decoder = new TextDecoder("utf-8");
  #length = 0;
  #isCut = false;

  constructor(log: BoundedLog, from: "stdout" | "stderr", bounds: Pick<LogBounds, "logLineBytesMax">) {
    this.#log = log;
    this.#from = from;
    this.#bytesMax = bounds.logLineBytesMax;
    this.#pending = new Uint8Array(this.#bytesMax);
  }

  write(bytes: Uint8Array): void {
    let from = 0;
    while (from < bytes.length) {
      // A write may be a million line ends: to decode a line for each would take seconds.
      if (this.#log.isFull()) {
        this.#omit(bytes.subarray(from));
        return;
      }
      const newline = bytes.indexOf(10, from);
      const end = newline < 0 ? bytes.length : newline;
      this.#take(bytes.subarray(from, end));
      if (newline < 0) return;
      this.#end();
      from = newline + 1;
    }
  }

  /** Gives out what has no line end yet. */
  flush(): void {
    if (this.#length > 0) this.#end();
  }

  /** Counts the lines that end here, and keeps the beginning of the one that does not. */
  #omit(bytes: Uint8Array): void {
    let lines = 0;
    for (let at = 0; at < bytes.length; at++) if (bytes[at] === 10) lines++;
    if (lines > 0) {
      this.#log.omit(lines);
      this.#length = 0;
      this.#isCut = false;
    }
    this.#take(bytes.subarray(bytes.lastIndexOf(10) + 1));
  }

  #take(part: Uint8Array): void {
    const room = this.#bytesMax - this.#length;
    if (part.length > room) this.#isCut = true;
    const taken = part.subarray(0, room);
    this.#pending.set(taken, this.#length);
    this.#length += taken.length;
  }

  #end(): void {
    const end = this.#pending[this.#length - 1] === 13 ? this.#length - 1 : this.#length;
    const text = this.#decoder.decode(this.#pending.subarray(0, end));
    const level = this.#from === "stderr" ? "warn" : "info";
    this.#log.line(this.#from, level, this.#isCut ? `${text}…` : text);
    this.#length = 0;
    this.#isCut = false;
  }
}
