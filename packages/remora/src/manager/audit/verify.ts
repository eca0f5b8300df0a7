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
  /** How many it has in its file. */
  readonly bytes: number;
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
  /** Nothing says where the trail ends, or where it ended when it was gone on with. */
  | "no-head"
  /** The line that was kept elsewhere is not in it. */
  | "not-expected"
  /** It was removed as too old, and what follows it is vouched for by nobody. */
  | "not-kept";

/** What the trail says that was removed from it, since it had too many files. */
export interface AuditRemoval {
  readonly throughSeq: number;
  /** Of the line that says so. Only a line behind it that was kept elsewhere vouches for it. */
  readonly seq: number;
}

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
  /** Undefined when nothing was. */
  readonly removed: AuditRemoval | undefined;
}

export interface BrokenTrail {
  readonly kind: "broken";
  readonly problem: AuditProblem;
  /** The first line that is not as it should be. */
  readonly seq: number;
  /** Where it, or what stands in its place, was found; undefined where nothing does. */
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
  kept?: ChainEnd,
): Generator<undefined, AuditVerdict> {
  // Before the first line there is nothing to expect.
  const expected = kept?.seq === 0 ? undefined : kept;
  const rest = lines[Symbol.iterator]();
  const resumptions: AuditRecord[] = [];
  let count = 0;
  let first: ChainEnd | undefined;
  let last: ChainEnd | undefined;
  let torn: PlacedLine | undefined;
  let removed: AuditRemoval | undefined;
  let isExpectedFound = false;
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
    if (!isAsCounted(record, heads.before)) return broken("changed", record.seq, line);
    if (record.event.kind === "audit.resumed") resumptions.push(record);
    removed = laterRemoval(removed, record);
    const match = expected && matchOf(record, expected, first === undefined);
    if (match === false) return broken("not-expected", expected?.seq ?? 0, line);
    isExpectedFound ||= match === true;
    last = { seq: record.seq, hash: record.hash };
    first ??= last;
    if (++count % linesPerStep === 0) yield;
  }
  const beginsAfter = first === undefined ? (heads.before?.keptAfter.seq ?? 0) : first.seq - 1;
  const problem =
    beginProblem(beginsAfter, removed) ??
    resumptionProblem(resumptions, expected) ??
    endProblem(last, torn, heads);
  if (problem !== undefined) return problem;
  if (expected !== undefined && !isExpectedFound) {
    return broken(expected.seq < beginsAfter ? "not-kept" : "not-expected", expected.seq, undefined);
  }
  return { kind: "intact", lines: count, first, last, tornBytes: torn?.bytes ?? 0, resumptions, removed };
}

/** The head says of one line what its hash is, whatever was added behind it since. */
function isAsCounted({ seq, hash }: AuditRecord, head: AuditHead | undefined): boolean {
  return seq !== head?.last.seq || hash === head.last.hash;
}

function laterRemoval(
  before: AuditRemoval | undefined,
  { seq, event }: AuditRecord,
): AuditRemoval | undefined {
  const { kind, throughSeq } = event;
  if (kind !== "audit.removed" || typeof throughSeq !== "number") return before;
  return before !== undefined && before.throughSeq >= throughSeq ? before : { throughSeq, seq };
}

/** Whether it is the line that was kept elsewhere, or the first one and linked to that; undefined when it is neither. */
function matchOf(record: AuditRecord, expected: ChainEnd, isFirst: boolean): boolean | undefined {
  if (record.seq === expected.seq) return record.hash === expected.hash;
  if (isFirst && record.seq === expected.seq + 1) return record.previous === expected.hash;
  return undefined;
}

/** What the head says of the beginning anybody can write; what was removed by the writer, it says in the chain. */
function beginProblem(beginsAfter: number, removed: AuditRemoval | undefined): BrokenTrail | undefined {
  const throughSeq = removed?.throughSeq ?? 0;
  return beginsAfter > throughSeq ? broken("missing", throughSeq + 1, undefined) : undefined;
}

/** Whoever kept a line behind it has seen it, and takes what is there for all that there was. */
function resumptionProblem(
  resumptions: readonly AuditRecord[],
  expected: ChainEnd | undefined,
): BrokenTrail | undefined {
  const keptSeq = expected?.seq ?? 0;
  const unsure = resumptions.find(({ seq, event }) => event.isHeadMissing === true && seq > keptSeq);
  return unsure && broken("no-head", unsure.seq - 1, undefined);
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
  // Whoever opens a trail writes its head first.
  if (before === undefined) return broken("no-head", last?.seq ?? 0, undefined);
  const lastSeq = last?.seq ?? before.keptAfter.seq;
  // The head is written when the line is whole: a torn line that it counts was cut later.
  if (before.last.seq > lastSeq) return broken("truncated", lastSeq + 1, torn);
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
      return `Nothing says whether more followed line ${seq}: the head was missing or unreadable`;
    case "not-expected":
      return `Line ${seq} is not the one with the hash that was expected`;
    case "not-kept":
      return `Line ${seq} is not kept any more: expect one that is, since nothing vouches for what followed it`;
    default:
      return unreachable(problem);
  }
}
