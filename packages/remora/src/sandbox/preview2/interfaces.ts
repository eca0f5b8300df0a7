/**
 * The table of WASI 0.2 interfaces: for each what it takes to be linked and what makes its host object. An
 * interface that is not in the table does not exist for a component.
 */

import type { CapabilityName } from "../../policy/index.ts";
import type { Machine } from "../machine/machine.ts";
import { monotonicClock, wallClock } from "./clocks.ts";
import { Pollable, poll } from "./poll.ts";
import { insecureRandom, insecureSeed, random } from "./random.ts";

/** The version that is implemented; every 0.2.x links to it. */
export const wasiVersion = "0.2.12";

/** Functions and resource classes of an interface, by their names in camel case. */
export type HostInterface = Readonly<Record<string, unknown>>;

interface InterfaceRow {
  readonly name: string;
  readonly capability: CapabilityName;
  /** Called once an instance, when a component imports it. */
  readonly make: (machine: Machine) => HostInterface;
  /** Functions that can return a promise, on which the engine must suspend the guest. */
  readonly suspending?: readonly string[];
}

export const interfaces: readonly InterfaceRow[] = [
  {
    name: "wasi:io/poll",
    capability: "wasi.base",
    make: (machine) => ({ Pollable, poll: (pollables: readonly Pollable[]) => poll(machine, pollables) }),
    suspending: ["poll", "[method]pollable.block"],
  },
  { name: "wasi:clocks/wall-clock", capability: "clock.read", make: wallClock },
  { name: "wasi:clocks/monotonic-clock", capability: "clock.read", make: monotonicClock },
  { name: "wasi:random/random", capability: "random.read", make: random },
  { name: "wasi:random/insecure", capability: "random.read", make: insecureRandom },
  { name: "wasi:random/insecure-seed", capability: "random.read", make: insecureSeed },
];
