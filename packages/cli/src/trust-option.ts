/** How far a plugin must be trusted where a command opens the folder itself; a program that runs has its own policy. */

import { Option } from "commander";
import type { TrustRule } from "remora/bundle";
import type { HouseOptions } from "./house.ts";
import type { System } from "./system.ts";
import { readStore } from "./trust-store.ts";

export interface TrustOptions {
  readonly trust?: TrustRule;
  readonly store?: string;
}

export function trustOption(): Option {
  return new Option(
    "--trust <level>",
    "the lowest level that runs, where no program has a policy for it (default: verified)",
  ).choices(["verified", "self-signed", "unsigned"] satisfies TrustRule[]);
}

export async function trustOf(
  system: System,
  { trust, store }: TrustOptions,
): Promise<Pick<HouseOptions, "trust" | "keys">> {
  return { ...(trust !== undefined && { trust }), keys: await readStore(system, store) };
}
