/** The packet of a call, or of many, and what comes back for it. */

import { ForgedMessage, type RemoteFunction } from "./face.ts";
import type { HostFailures } from "./host-failures.ts";
import type { BatchOutcome } from "./isolation.ts";
import { kinds, type Message } from "./protocol.ts";

type Rows = readonly (readonly unknown[])[];

/** All rows that fit; the first that does not is the failure, when those before it succeed. */
export function packetOf(
  called: RemoteFunction,
  batch: Rows,
): { readonly rows: Rows; readonly payload: Uint8Array; readonly misfit: BatchOutcome["failure"] } {
  try {
    return { rows: batch, payload: called.write(batch), misfit: undefined };
  } catch (error) {
    const fitting: (readonly unknown[])[] = [];
    for (const [index, row] of batch.entries()) {
      try {
        called.check(row);
        fitting.push(row);
      } catch (wrong) {
        const payload = called.write(fitting);
        return { rows: fitting, payload, misfit: { index, error: wrong } };
      }
    }
    // Each fits, and together they do not: they are too large.
    throw error;
  }
}

/**
 * Reads what came, and trusts nothing of it.
 *
 * @returns the outcome, and whether its failure has cost the guest its instance
 * @throws ForgedMessage it cannot come from code of ours
 */
export function readOutcome(
  called: RemoteFunction,
  answer: Message,
  countMax: number,
  failures: HostFailures,
): { readonly outcome: BatchOutcome; readonly isPoisoned: boolean } {
  const { kind, target, item: packetBytes, count, payload } = answer;
  if (kind !== kinds.results) throw new ForgedMessage(`a message of kind ${kind} as results`);
  if (!(count >= 0 && count <= countMax)) throw new ForgedMessage(`${count} results of ${countMax} calls`);
  if (!(packetBytes >= 0 && packetBytes <= payload.length))
    throw new ForgedMessage("results that are cut off");
  const report = { fuelUsed: answer.first, memoryPages: answer.second, durationMs: answer.third };
  for (const value of Object.values(report)) checkReported(value);
  const results = called.read(payload.subarray(0, packetBytes), count);
  const rest = payload.subarray(packetBytes);
  if (rest.length === 0) {
    if (count !== countMax) throw new ForgedMessage(`${count} results of ${countMax} calls, and no failure`);
    return { outcome: { results, failure: undefined, report }, isPoisoned: false };
  }
  const error = failures.error(rest);
  if (error === undefined) throw new ForgedMessage("a failure that is none");
  return { outcome: { results, failure: { index: count, error }, report }, isPoisoned: target !== 0 };
}

/** Fuel, pages or milliseconds. No larger than can be summed up. @throws ForgedMessage it cannot come from code of ours */
export function checkReported(value: number): void {
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw new ForgedMessage(`a report of ${value}`);
}

/** A piece of memory, copied: the next message takes its place. @throws ForgedMessage it cannot come from code of ours */
export function readPiece({ kind, item, payload }: Message, length: number): Uint8Array | undefined {
  if (kind !== kinds.memory) throw new ForgedMessage(`a message of kind ${kind} as a piece of memory`);
  if (item === 0 && payload.length === 0) return undefined;
  if (item === 1 && payload.length === length) return Uint8Array.from(payload);
  throw new ForgedMessage(`${payload.length} bytes of memory for ${length}`);
}
