/**
 * Whether an audit trail is as it was written: a pure function over its lines and its head, which names the first
 * line that was changed, is missing or stands elsewhere. Whoever can write into the folder can also write a whole new
 * trail; against that, keep a line's number and hash somewhere else and hand them in as `expected`.
 */

import { unreachable } from "../../base/index.ts";
import type { AuditHead } from "./head.ts";
import { type AuditRecord, type ChainEnd, parseRecord } from "./record.ts";

export interface PlacedLine {
  readonly file: string;
  /** In its file, from 1. */
  readonly number: number;
  readonly text: string;
  /** It has no end: the last thing that was written to its file when its writer died. */
  readonly isTorn: boolean;
}

export type AuditProblem =
  /** A line is not the one that was written. */
  | "changed"
  /** Lines between two others are gone. */
  | "missing"
  /** The line stands somewhere else. */
  | "reordered"
  /** Lines at the end are gone. */
  | "truncated"
  /** Nothing says where the trail ends. */
  | "no-head"
  /** The line that was kept elsewhere is not in it. */
  | "not-expected";

export interface IntactTrail {
  readonly kind: "intact";
  readonly lines: number;
  /** Undefined when nothing was ever written. */
  readonly first: ChainEnd | undefined;
  readonly last: ChainEnd | undefined;
  /** Bytes of a line that was never whole: the writer was killed, and nobody was told that it was written. */
  readonly tornBytes: number;
  /** Lines by which a writer says that it did not find the end as it should be. */
  readonly resumptions: readonly AuditRecord[];
}

export interface BrokenTrail {
  readonly kind: "broken";
  readonly problem: AuditProblem;
  /** The first line that is not as it should be. */
  readonly seq: number;
  /** Where it, or what stands in its place, was found; undefined at the end. */
  readonly file: string | undefined;
  readonly number: number | undefined;
  readonly message: string;
}

export type AuditVerdict = IntactTrail | BrokenTrail;

export interface AuditHeads {
  /** As it was before the lines were read. */
  readonly before: AuditHead | undefined;
  /** As it is when all lines are read: somebody may have written meanwhile. Default: as before. */
  readonly after?: () => AuditHead | undefined;
}

/** Lines that a killed writer may have written without their head. */
const linesAheadMax = 1;

/** Reads each line once, in order. */
export function verifyTrail(
  lines: Iterable<PlacedLine>,
  heads: AuditHeads,
  expected?: ChainEnd,
): AuditVerdict {
  const steps = verifySteps(lines, heads, expected);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Lines of one step, some milliseconds. */
const linesPerStep = 500;

/** The same in steps, between which others have their turn: a trail can have a gigabyte. */
export function* verifySteps(
  lines: Iterable<PlacedLine>,
  heads: AuditHeads,
  expected?: ChainEnd,
): Generator<undefined, AuditVerdict> {
  const rest = lines[Symbol.iterator]();
  const resumptions: AuditRecord[] = [];
  let count = 0;
  let first: ChainEnd | undefined;
  let last: ChainEnd | undefined;
  let torn: PlacedLine | undefined;
  let isExpectedFound = expected === undefined || expected.seq === 0;
  for (let next = rest.next(); next.done !== true; next = rest.next()) {
    const line = next.value;
    if (torn !== undefined) return broken("changed", seqAfter(last, heads), torn);
    if (line.isTorn) {
      torn = line;
      continue;
    }
    const record = parseRecord(line.text);
    const found = linkProblem(record, last, heads.before);
    if (found !== undefined) return yield* settle(found, line, rest);
    if (record === undefined) throw new Error("Invariant broken: a line that is none is a problem");
    if (record.event.kind === "audit.resumed") resumptions.push(record);
    if (record.seq === expected?.seq) {
      if (record.hash !== expected.hash) return broken("not-expected", record.seq, line);
      isExpectedFound = true;
    }
    last = { seq: record.seq, hash: record.hash };
    first ??= last;
    if (++count % linesPerStep === 0) yield;
  }
  const end = endProblem(last, torn, heads);
  if (end !== undefined) return end;
  if (!isExpectedFound) return broken("not-expected", expected?.seq ?? 0, undefined);
  return { kind: "intact", lines: count, first, last, tornBytes: bytesOf(torn), resumptions };
}

interface Found {
  readonly problem: "changed" | "missing" | "reordered";
  readonly seq: number;
}

/** What is wrong with a line as the successor of the last one. */
function linkProblem(
  record: AuditRecord | undefined,
  last: ChainEnd | undefined,
  head: AuditHead | undefined,
): Found | undefined {
  const before = last ?? head?.keptAfter;
  if (record === undefined) return { problem: "changed", seq: (before?.seq ?? 0) + 1 };
  // Without a head, nobody knows which line should be the first.
  if (before === undefined) return undefined;
  // Files that were to be removed may still be there.
  if (last === undefined && record.seq <= before.seq) return undefined;
  if (record.seq > before.seq + 1) return { problem: "missing", seq: before.seq + 1 };
  if (record.seq <= before.seq) return { problem: "reordered", seq: record.seq };
  // Its own hash is right, so the line before it was replaced by another one that counted its hash again.
  if (record.previous !== before.hash) return { problem: "changed", seq: Math.max(1, before.seq) };
  return undefined;
}

/** A line that is not where it should be is reordered when it comes later, and missing when it does not. */
function* settle(
  { problem, seq }: Found,
  line: PlacedLine,
  rest: Iterator<PlacedLine>,
): Generator<undefined, BrokenTrail> {
  if (problem !== "missing") return broken(problem, seq, line);
  let count = 0;
  for (let next = rest.next(); next.done !== true; next = rest.next()) {
    if (parseRecord(next.value.text)?.seq === seq) return broken("reordered", seq, next.value);
    if (++count % linesPerStep === 0) yield;
  }
  return broken("missing", seq, line);
}

function endProblem(
  last: ChainEnd | undefined,
  torn: PlacedLine | undefined,
  heads: AuditHeads,
): BrokenTrail | undefined {
  const { before } = heads;
  const isEmpty = last === undefined && torn === undefined;
  if (before === undefined) return isEmpty ? undefined : broken("no-head", last?.seq ?? 1, undefined);
  const lastSeq = last?.seq ?? before.keptAfter.seq;
  // The head is written when the line is whole: a torn line that it counts was cut later.
  if (before.last.seq > lastSeq) return broken("truncated", lastSeq + 1, torn);
  if (last !== undefined && before.last.seq === lastSeq && before.last.hash !== last.hash) {
    return broken("changed", lastSeq, undefined);
  }
  const after = heads.after?.() ?? before;
  // Lines that no writer counted were added by somebody else.
  if (lastSeq > after.last.seq + linesAheadMax) {
    return broken("changed", after.last.seq + linesAheadMax + 1, undefined);
  }
  return undefined;
}

function seqAfter(last: ChainEnd | undefined, heads: AuditHeads): number {
  return (last?.seq ?? heads.before?.keptAfter.seq ?? 0) + 1;
}

function bytesOf(line: PlacedLine | undefined): number {
  return line === undefined ? 0 : new TextEncoder().encode(line.text).length;
}

function broken(problem: AuditProblem, seq: number, line: PlacedLine | undefined): BrokenTrail {
  const { file, number } = line ?? {};
  return { kind: "broken", problem, seq, file, number, message: sentence(problem, seq) };
}

function sentence(problem: AuditProblem, seq: number): string {
  switch (problem) {
    case "changed":
      return `Line ${seq} is not the one that was written`;
    case "missing":
      return `Line ${seq} is missing`;
    case "reordered":
      return `Line ${seq} does not stand where it was written`;
    case "truncated":
      return `Line ${seq} and what followed it are missing at the end`;
    case "no-head":
      return `The head is missing or unreadable, so that nothing says whether line ${seq} is the last`;
    case "not-expected":
      return `Line ${seq} is not the one with the hash that was expected`;
    default:
      return unreachable(problem);
  }
}
