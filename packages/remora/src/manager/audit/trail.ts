/**
 * The audit trail: what happened, in lines that only grow and are linked by their hashes, so that none can be changed
 * or taken out unnoticed. A line is written, then the head that counts it. A process that is killed in between leaves
 * a whole line or a torn one, and the next writer can tell both from a trail that somebody cut.
 */

import { managerErrors } from "../errors.ts";
import { Turns } from "../turns.ts";
import { type AuditHead, headSlotOffset, printHead } from "./head.ts";
import { headOf, type ReadTrailOptions, readTrail, verifyFiles } from "./read-trail.ts";
import {
  type AuditEvent,
  type AuditRecord,
  auditEventBytesMax,
  type ChainEnd,
  chainStart,
  parseRecord,
  printRecord,
} from "./record.ts";
import { shortened } from "./shorten.ts";
import { diskTrailFiles, type TrailFiles } from "./trail-files.ts";
import { headName, numberOf, trailName, trailNames } from "./trail-names.ts";
import type { AuditVerdict } from "./verify.ts";

export interface AuditTrailOptions {
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** A file that is longer is followed by a new one. Default: 16 MiB. */
  readonly fileBytesMax?: number;
  /** More files than these, and the oldest is removed; the trail says so. Default: 64. */
  readonly filesMax?: number;
  /** Default: the folder on the disk. */
  readonly files?: TrailFiles;
}

/** How the last writer left the trail. */
export interface AuditResumption {
  /** Bytes of a line that was never whole. */
  readonly tornBytes: number;
  /** Lines that the head counts and that are not there: somebody took them out, or the disk lost them. */
  readonly linesLost: number;
  readonly isHeadMissing: boolean;
}

const lastLineBytesMax = auditEventBytesMax + 1_024;

/** Each may read a gigabyte, on the thread of whoever serves a stream. */
const questionsMax = 8;

export class AuditTrail {
  readonly folder: string;
  /** How the last writer left it. */
  readonly resumption: AuditResumption;
  readonly #files: TrailFiles;
  readonly #nowMs: () => number;
  readonly #fileBytesMax: number;
  readonly #filesMax: number;
  #names: readonly string[];
  #name: string;
  #sizeBytes: number;
  #end: ChainEnd;
  #keptAfter: ChainEnd;
  /** A write failed and could not be undone: what is behind `#sizeBytes` must go first. */
  #isUnclean = false;
  #isClosed = false;
  readonly #listeners = new Set<(record: AuditRecord) => void>();
  readonly #questions = new Turns();

  /**
   * Opens a trail to write to it. There must be no other writer.
   *
   * @throws manager/audit-unreadable manager/audit-unwritable
   */
  constructor(options: AuditTrailOptions) {
    this.folder = options.folder;
    this.#nowMs = options.nowMs;
    this.#fileBytesMax = options.fileBytesMax ?? 16 * 1024 * 1024;
    this.#filesMax = Math.max(2, options.filesMax ?? 64);
    try {
      this.#files = options.files ?? diskTrailFiles(options.folder);
      this.#names = trailNames(this.#files.list());
      this.#name = this.#names.at(-1) ?? trailName(1);
      const head = headOf(this.#files);
      const found = this.#readEnd(head);
      this.#end = found.end;
      this.#sizeBytes = found.sizeBytes;
      this.#keptAfter = head?.keptAfter ?? found.firstAfter;
      this.resumption = found.resumption;
      const { tornBytes, linesLost, isHeadMissing } = found.resumption;
      // From here on there is a head, so that a trail without one is one that lost it.
      if (head === undefined && this.#names.length === 0)
        this.#writeHead({ last: chainStart, keptAfter: chainStart });
      if (this.#names.length === 0) this.#names = [this.#name];
      this.#holdWith(this.#name);
      if (tornBytes > 0 || linesLost > 0 || isHeadMissing) {
        this.append({ kind: "audit.resumed", tornBytes, linesLost, isHeadMissing });
      }
    } catch (error) {
      throw unwritable(error, options.folder);
    }
  }

  /** The last line, for whoever wants to keep it elsewhere. */
  get end(): ChainEnd {
    return this.#end;
  }

  /**
   * Writes one line. What is not a decision of the gate is rare and matters: it is on the disk when this returns.
   *
   * @returns The line as it was written: an event that is longer than `auditEventBytesMax` was shortened.
   * @throws manager/audit-unwritable nothing was written, so whatever it is about must not happen; also when it is closed
   */
  append(event: AuditEvent): AuditRecord {
    this.#checkOpen();
    try {
      if (!this.#isHeld()) this.#goOnAnew();
      this.#clean();
      if (this.#sizeBytes >= this.#fileBytesMax) this.#rotate();
      const record = this.#write(event);
      if (!event.kind.startsWith("gate.")) this.sync();
      for (const listener of this.#listeners) listener(record);
      return record;
    } catch (error) {
      throw unwritable(error, this.#name);
    }
  }

  /** Returns when all lines are on the disk. @throws manager/audit-unwritable */
  sync(): void {
    this.#checkOpen();
    this.#files.sync(this.#name);
    this.#files.sync(headName);
  }

  /** As `readTrail`, one question after the other. @throws manager/audit-busy */
  read(options: ReadTrailOptions): Promise<AuditRecord[]> {
    return this.#ask(() => readTrail(this.folder, options, this.#files));
  }

  /**
   * Whether what is in the folder is what was written, up to the end that is known here, whatever the folder says. One
   * question after the other.
   *
   * @param expected As for `verifyTrailFolder`.
   * @throws manager/audit-busy
   */
  verify(expected?: ChainEnd): Promise<AuditVerdict> {
    // What the head in the folder says is anybody's to write. That there is one matters to whoever opens it next.
    const headNow = () => headOf(this.#files) && { last: this.#end, keptAfter: this.#keptAfter };
    return this.#ask(() => verifyFiles(this.#files, headNow, expected));
  }

  /** Tells each line after it was written, until what it returned is called. */
  onAppend(listener: (record: AuditRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Nothing is written to it any more. */
  close(): void {
    this.#isClosed = true;
    this.#listeners.clear();
    this.#files.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** All of them at once would have the event loop to themselves. */
  async #ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    if (this.#questions.size >= questionsMax) throw managerErrors["audit-busy"]({ questionsMax });
    return this.#questions.take(question);
  }

  /** Somebody else may have opened the trail since, whose lines would be written over. */
  #checkOpen(): void {
    if (this.#isClosed)
      throw managerErrors["audit-unwritable"]({ where: this.folder, reason: "it is closed" });
  }

  #write(event: AuditEvent): AuditRecord {
    const at = new Date(this.#nowMs()).toISOString();
    let { record, bytes } = this.#print(at, event);
    // Whoever opens the trail next looks no further back for its last line.
    if (bytes.length > lastLineBytesMax) ({ record, bytes } = this.#print(at, shortened(event)));
    const end = { seq: record.seq, hash: record.hash };
    try {
      this.#files.write(this.#name, bytes, this.#sizeBytes);
      this.#writeHead({ last: end, keptAfter: this.#keptAfter });
    } catch (error) {
      this.#isUnclean = true;
      throw error;
    }
    this.#sizeBytes += bytes.length;
    this.#end = end;
    return record;
  }

  #print(at: string, event: AuditEvent) {
    const { text, record } = printRecord(this.#end, at, event);
    return { record, bytes: Buffer.from(`${text}\n`) };
  }

  #writeHead(head: AuditHead): void {
    this.#files.write(headName, printHead(head), headSlotOffset(head));
  }

  /** After a full disk: what was half written goes, and the head is again that of the last whole line. */
  #clean(): void {
    if (!this.#isUnclean) return;
    this.#files.cut(this.#name, this.#sizeBytes);
    this.#writeHead({ last: this.#end, keptAfter: this.#keptAfter });
    this.#isUnclean = false;
  }

  /** The file that is written to, and the head: from here on it shows when somebody takes them away. */
  #holdWith(name: string): void {
    for (const one of [name, headName]) this.#files.hold(one);
  }

  #isHeld(): boolean {
    return [this.#name, headName].every((name) => this.#files.isHeld(name));
  }

  /**
   * Somebody removed or replaced what is written to. The chain goes on in another file from the end that is known here,
   * whatever is in the folder now, so that what is gone stays missing.
   */
  #goOnAnew(): void {
    this.#files.reopen();
    const found = trailNames(this.#files.list());
    const name = trailName(Math.max(...[this.#name, ...found].map(numberOf)) + 1);
    const foundSeq = this.#lastRecord(found)?.seq ?? this.#keptAfter.seq;
    this.#holdWith(name);
    this.#name = name;
    this.#names = [...found, name];
    this.#sizeBytes = 0;
    this.#isUnclean = false;
    const linesLost = Math.max(0, this.#end.seq - foundSeq);
    this.#write({ kind: "audit.resumed", tornBytes: 0, linesLost, isHeadMissing: false, wasOpen: true });
    this.sync();
  }

  #rotate(): void {
    this.sync();
    const name = trailName(numberOf(this.#name) + 1);
    this.#files.hold(name);
    this.#name = name;
    this.#sizeBytes = 0;
    this.#names = [...this.#names, this.#name];
    while (this.#names.length > this.#filesMax) this.#removeOldest();
  }

  /** The head first: a file that is still there although it need not be does no harm. */
  #removeOldest(): void {
    const [oldest = "", next = ""] = this.#names;
    const first = parseRecord(firstLine(this.#files.read(next) ?? new Uint8Array(0)));
    // Files of which nobody can say where they begin are for `verify` to tell, not for us to remove.
    if (first === undefined) {
      this.#names = this.#names.slice(1);
      return;
    }
    this.#keptAfter = { seq: first.seq - 1, hash: first.previous };
    this.#write({ kind: "audit.removed", file: oldest, throughSeq: first.seq - 1 });
    this.#names = this.#names.slice(1);
    this.#files.remove(oldest);
  }

  #readEnd(head: AuditHead | undefined) {
    const sizeBytes = this.#names.length === 0 ? 0 : this.#files.sizeOf(this.#name);
    const { tornBytes } = this.#tailOf(this.#name, sizeBytes);
    const last = this.#lastRecord(this.#names);
    const found: ChainEnd | undefined = last && { seq: last.seq, hash: last.hash };
    const seen = found ?? chainStart;
    const linesLost = Math.max(0, (head?.last.seq ?? 0) - seen.seq);
    // A torn line that the head counts was whole once: it stays, as evidence, and gets an end.
    const isEvidence = tornBytes > 0 && linesLost > 0;
    const keptBytes = sizeBytes - (isEvidence ? 0 : tornBytes);
    if (isEvidence) this.#files.write(this.#name, Buffer.from("\n"), sizeBytes);
    else if (tornBytes > 0) this.#files.cut(this.#name, keptBytes);
    // The chain goes on from the head, so that what is missing stays missing.
    const end = head !== undefined && linesLost > 0 ? head.last : seen;
    return {
      end,
      sizeBytes: keptBytes + (isEvidence ? 1 : 0),
      firstAfter: this.#firstAfter(),
      resumption: {
        tornBytes,
        linesLost,
        isHeadMissing: head === undefined && this.#names.length > 0,
      },
    };
  }

  /** The last line of the newest of these files that has one: a file may have been begun and not written to. */
  #lastRecord(names: readonly string[]): AuditRecord | undefined {
    for (const name of names.toReversed()) {
      const { lastLine } = this.#tailOf(name, this.#files.sizeOf(name));
      if (lastLine !== "") return parseRecord(lastLine);
    }
    return undefined;
  }

  #tailOf(name: string, sizeBytes: number) {
    return splitTail(this.#files.read(name, Math.max(0, sizeBytes - 2 * lastLineBytesMax)));
  }

  /** Without a head, what there is is all that was kept. */
  #firstAfter(): ChainEnd {
    const [name] = this.#names;
    const first =
      name === undefined ? undefined : parseRecord(firstLine(this.#files.read(name) ?? new Uint8Array(0)));
    return first === undefined ? chainStart : { seq: first.seq - 1, hash: first.previous };
  }
}

function firstLine(bytes: Uint8Array): string {
  const end = bytes.indexOf(NEWLINE);
  return new TextDecoder().decode(bytes.subarray(0, Math.max(0, end)));
}

function splitTail(bytes: Uint8Array = new Uint8Array(0)) {
  const end = bytes.lastIndexOf(NEWLINE);
  const start = end <= 0 ? 0 : bytes.lastIndexOf(NEWLINE, end - 1) + 1;
  return {
    lastLine: new TextDecoder().decode(bytes.subarray(start, Math.max(0, end))),
    tornBytes: bytes.length - end - 1,
  };
}

const NEWLINE = 0x0a;

function unwritable(error: unknown, where: string): unknown {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code !== "string" || code.startsWith("manager/")) return error;
  return managerErrors["audit-unwritable"]({ where, reason: code }, error);
}
