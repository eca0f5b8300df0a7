/** `wasi:io/poll`: waiting for one or several things. https://github.com/WebAssembly/WASI 0.2, proposals/io. */

import type { Machine } from "../machine/machine.ts";
import { Change } from "../net/change.ts";

/** What a pollable waits for: a moment of the monotonic clock, or an event. */
export type Awaited =
  | { readonly kind: "moment"; readonly atNs: bigint }
  | {
      readonly kind: "event";
      isReady(): boolean;
      /** Changes when it may be ready. */
      change(): Change;
    };

const never = new Change();

/** Ready at once and for ever: files, output to the log. */
export const always: Awaited = { kind: "event", isReady: () => true, change: () => never };

/** The resource `pollable`. */
export class Pollable {
  readonly #machine: Machine;
  readonly #awaited: Awaited;

  constructor(machine: Machine, awaited: Awaited) {
    this.#machine = machine;
    this.#awaited = awaited;
    machine.mustHold(this);
  }

  ready(): boolean {
    const awaited = this.#awaited;
    return awaited.kind === "moment" ? this.#machine.clock.monotonicNs() >= awaited.atNs : awaited.isReady();
  }

  /** Returns a promise when the engine must suspend the guest. */
  block(): Promise<void> | undefined {
    const waited = poll(this.#machine, [this], "wasi:io/poll.block");
    return waited instanceof Promise ? waited.then(() => undefined) : undefined;
  }

  get awaited(): Awaited {
    return this.#awaited;
  }

  close(): void {
    this.#machine.release(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * The indexes of those that are ready, at least one.
 *
 * @returns A promise of them when none is ready yet and the engine must suspend the guest.
 */
export function poll(
  machine: Machine,
  pollables: readonly Pollable[],
  operation = "wasi:io/poll.poll",
): Uint32Array | Promise<Uint32Array> {
  // The interface says: an empty list, or one whose indexes do not fit a u32, is a trap.
  if (pollables.length === 0 || pollables.length > machine.shared.limits.pollSubscriptionsMax) {
    machine.exceeded("pollSubscriptionsMax");
  }
  const ready = readyOf(pollables);
  if (ready.length > 0) return ready;
  const waited = waitForAny(machine, pollables, operation);
  if (waited === undefined) return poll(machine, pollables, operation);
  return waited.then(() => poll(machine, pollables, operation));
}

function readyOf(pollables: readonly Pollable[]): Uint32Array {
  const ready: number[] = [];
  for (const [index, pollable] of pollables.entries()) if (pollable.ready()) ready.push(index);
  return Uint32Array.from(ready);
}

function waitForAny(
  machine: Machine,
  pollables: readonly Pollable[],
  operation: string,
): Promise<void> | undefined {
  let firstNs: bigint | undefined;
  const events: Change[] = [];
  for (const { awaited } of pollables) {
    if (awaited.kind === "event") events.push(awaited.change());
    else if (firstNs === undefined || awaited.atNs < firstNs) firstNs = awaited.atNs;
  }
  const timeoutNs = firstNs === undefined ? undefined : firstNs - machine.clock.monotonicNs();
  return machine.wait(operation, events, timeoutNs);
}
