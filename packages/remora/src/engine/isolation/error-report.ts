/**
 * Errors on their way from the guest's side to the host. Code and facts travel, not the sentence or whose fault it was:
 * those come from the host's own table, so that a process whose V8 was broken can choose among its codes and no more.
 */

import { RemoraError } from "../../base/index.ts";
import { componentErrors } from "../../component/errors.ts";
import { engineErrors } from "../errors.ts";

export interface ErrorReport {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Number of what a host function threw on the host's side: that is the error then, and the rest is not looked at. */
  readonly thrown?: number;
  /** Frames in the rewritten module, innermost first; the host knows the original. */
  readonly frames?: readonly (readonly [functionIndex: number, offset: number])[];
}

/** Frames of one report: the first of them may be what the rewriter added. */
export const framesMax = 4;

/** Characters of one report. */
const reportCharactersMax = 64 * 1024;

export function encodeReport(report: ErrorReport): Uint8Array {
  const text = JSON.stringify(report, (_, value) => {
    if (typeof value === "number" && !Number.isFinite(value)) return { $number: String(value) };
    return typeof value === "bigint" ? { $bigint: String(value) } : value;
  });
  return new TextEncoder().encode(text);
}

/** Undefined when the bytes are no report. */
export function decodeReport(bytes: Uint8Array): ErrorReport | undefined {
  if (bytes.length > 4 * reportCharactersMax) return undefined;
  let report: unknown;
  try {
    // A copy: a decoder takes no shared memory.
    report = JSON.parse(
      new TextDecoder().decode(Uint8Array.from(bytes)),
      (_, value) => special(value) ?? value,
    );
  } catch {
    // What is no JSON is no report.
    return undefined;
  }
  if (typeof report !== "object" || report === null) return undefined;
  const { code, details, thrown, frames } = report as Partial<Record<keyof ErrorReport, unknown>>; // Checked below.
  if (typeof code !== "string" || typeof details !== "object" || details === null) return undefined;
  return {
    code,
    details: details as Readonly<Record<string, unknown>>, // An object, as just seen.
    ...(typeof thrown === "number" && { thrown }),
    ...(isFrames(frames) && { frames }),
  };
}

function special(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if ("$number" in value) return Number(value.$number);
  return "$bigint" in value && typeof value.$bigint === "string" ? BigInt(value.$bigint) : undefined;
}

function isFrames(value: unknown): value is NonNullable<ErrorReport["frames"]> {
  return (
    Array.isArray(value) &&
    value.length <= framesMax &&
    value.every((frame) => Array.isArray(frame) && frame.length === 2 && frame.every(Number.isSafeInteger))
  );
}

const tables: Readonly<Record<string, Readonly<Record<string, (details: never) => RemoraError>>>> = {
  engine: engineErrors,
  component: componentErrors,
};

/** The error that a report tells of, or undefined when there is no such code or its facts do not make a sentence. */
export function errorOf({ code, details }: ErrorReport): RemoraError | undefined {
  const [layer = "", name = ""] = code.split("/");
  const table = Object.hasOwn(tables, layer) ? tables[layer] : undefined;
  const make = table !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
  try {
    // Facts of the wrong kind give an odd sentence at worst, or a throw.
    return make?.(details as never);
  } catch {
    // Facts that make no sentence are none of ours.
    return undefined;
  }
}

/** What stands on the guest's side for something that a host function threw. */
export class ThrownByHost extends RemoraError {
  readonly thrown: number;

  constructor(thrown: number) {
    super({ code: "engine/host-failure", fault: "platform", message: "A host function threw", details: {} });
    this.thrown = thrown;
  }
}
