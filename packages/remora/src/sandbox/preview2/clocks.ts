/** `wasi:clocks`: wall clock, monotonic clock and time zone. https://github.com/WebAssembly/WASI 0.2, proposals/clocks. */

import type { Machine } from "../machine/machine.ts";
import { always, Pollable } from "./poll.ts";

/** The record `datetime`. */
export interface Datetime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

export function wallClock(machine: Machine) {
  const { clock, shared } = machine;
  const refuse = () => datetimeOf(0n);
  return {
    now: shared.gate.guard("clock.read", () => datetimeOf(clock.wallNs()), refuse),
    resolution: () => datetimeOf(clock.wallStepNs),
  };
}

export function monotonicClock(machine: Machine) {
  const { clock, shared } = machine;
  return {
    now: shared.gate.guard(
      "clock.read",
      () => clock.monotonicNs(),
      () => 0n,
    ),
    resolution: () => clock.monotonicStepNs,
    // Whether a moment is over tells what time it is: to whom that is denied, all are.
    subscribeInstant: shared.gate.guard(
      "clock.read",
      (atNs: bigint) => new Pollable(machine, { kind: "moment", atNs }),
      () => new Pollable(machine, always),
    ),
    subscribeDuration: (ns: bigint) =>
      new Pollable(machine, { kind: "moment", atNs: clock.monotonicNs() + ns }),
  };
}

/** The host's own time zone is none of the guest's business: everywhere is UTC. */
export function timezone() {
  return {
    display: (_when: Datetime) => ({ utcOffset: 0, name: "UTC", inDaylightSavingTime: false }),
    utcOffset: (_when: Datetime) => 0,
  };
}

export function datetimeOf(ns: bigint): Datetime {
  return { seconds: ns / 1_000_000_000n, nanoseconds: Number(ns % 1_000_000_000n) };
}

export function nsOf(datetime: Datetime): bigint {
  return datetime.seconds * 1_000_000_000n + BigInt(datetime.nanoseconds);
}
