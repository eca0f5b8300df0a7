/** Reads an audit trail from its folder, while somebody may write to it: to verify it, and to show its end. */

import { type AuditHead, parseHead } from "./head.ts";
import { type AuditRecord, type ChainEnd, parseRecord } from "./record.ts";
import { diskTrailReader, type TrailReader } from "./trail-files.ts";
import { headName, trailNames } from "./trail-names.ts";
import { type AuditVerdict, type PlacedLine, verifySteps } from "./verify.ts";

/**
 * Whether the trail in a folder is as it was written; it may be in use, and others have their turn meanwhile. Whoever
 * writes it asks its `AuditTrail`, which knows its end.
 *
 * @param expected A line's number and hash that were kept elsewhere, to find a trail that was written anew.
 * @throws manager/audit-unreadable its folder or a file of it cannot be read
 */
export function verifyTrailFolder(folder: string, expected?: ChainEnd): Promise<AuditVerdict> {
  const files = diskTrailReader(folder);
  return verifyFiles(files, () => headOf(files), expected);
}

/** @param headNow What is known of the end and the beginning, each time that it is asked. */
export async function verifyFiles(
  files: TrailReader,
  headNow: () => AuditHead | undefined,
  expected?: ChainEnd,
): Promise<AuditVerdict> {
  for (let tries = 1; ; tries++) {
    const before = headNow();
    const verdict = await inSteps(verifySteps(allLines(files), { before, after: headNow }, expected));
    // Old files were removed while they were read: what is missing then is not.
    const hasMoved = headNow()?.keptAfter.seq !== before?.keptAfter.seq;
    if (verdict.kind === "intact" || !hasMoved || tries >= triesMax) return verdict;
  }
}

const triesMax = 5;

/** Between two steps the event loop goes on: whoever reads a trail may be the one who serves a stream. */
async function inSteps<Result>(steps: Iterator<undefined, Result>): Promise<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await new Promise(setImmediate);
  }
}

function* allLines(files: TrailReader): Generator<PlacedLine> {
  for (const name of trailNames(files.list())) yield* linesOf(name, files);
}

export interface ReadTrailOptions {
  /** At most so many, the newest. */
  readonly recordsMax: number;
  /** Those before this one alone, to go on where the last answer ended. */
  readonly beforeSeq?: number;
  /** Default: all. */
  readonly isWanted?: (record: AuditRecord) => boolean;
}

/**
 * The newest lines of the trail in a folder, newest first; what is no line is left out, which `verify` tells.
 *
 * @throws manager/audit-unreadable its folder or a file of it cannot be read
 */
export function readTrail(
  folder: string,
  options: ReadTrailOptions,
  files: TrailReader = diskTrailReader(folder),
): Promise<AuditRecord[]> {
  return inSteps(readSteps(options, files));
}

/** Lines of one step, some milliseconds. */
const linesPerStep = 500;

function* readSteps(
  { recordsMax, beforeSeq = Number.POSITIVE_INFINITY, isWanted = () => true }: ReadTrailOptions,
  files: TrailReader,
): Generator<undefined, AuditRecord[]> {
  const found: AuditRecord[] = [];
  let count = 0;
  for (const name of trailNames(files.list()).reverse()) {
    for (const text of newestOf(name, files)) {
      if (found.length >= recordsMax) return found;
      const record = parseRecord(text);
      if (record !== undefined && record.seq < beforeSeq && isWanted(record)) found.push(record);
      if (++count % linesPerStep === 0) yield;
    }
  }
  return found;
}

/** The lines of a file from its end on, each when it is asked for: a file has tens of thousands. */
function* newestOf(name: string, files: TrailReader): Generator<string> {
  const bytes = files.read(name) ?? new Uint8Array(0);
  for (let end = bytes.length; end > 0; ) {
    const textEnd = bytes[end - 1] === NEWLINE ? end - 1 : end;
    const start = textEnd === 0 ? 0 : bytes.lastIndexOf(NEWLINE, textEnd - 1) + 1;
    yield textOf(bytes.subarray(start, textEnd));
    end = start;
  }
}

const NEWLINE = 0x0a;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Two lines have the same text only when all their bytes are the same: what is not UTF-8 was not written by us. */
function textOf(line: Uint8Array): string {
  try {
    return decoder.decode(line);
  } catch {
    return Buffer.from(line).toString("latin1");
  }
}

export function headOf(files: TrailReader): AuditHead | undefined {
  return parseHead(files.read(headName) ?? new Uint8Array(0));
}

function* linesOf(name: string, files: TrailReader): Generator<PlacedLine> {
  // Removed between the listing and now: its writer has moved the beginning.
  const bytes = files.read(name) ?? new Uint8Array(0);
  let number = 1;
  for (let start = 0; start < bytes.length; number++) {
    const end = bytes.indexOf(NEWLINE, start);
    const isTorn = end < 0;
    const line = bytes.subarray(start, isTorn ? bytes.length : end);
    yield { file: name, number, text: textOf(line), bytes: line.length, isTorn };
    if (isTorn) return;
    start = end + 1;
  }
}
