/** Deterministic mode: the same input gives the same bytes and the same fuel, in any process and on any machine. */

import type { ArtifactOptions } from "../engine/index.ts";
import type { SandboxOptions } from "./sandbox-imports.ts";

export interface DeterministicOptions {
  /** What time it is for the guest, nanoseconds since 1970; only waiting moves it on. */
  readonly wallNs: bigint;
  /** Where its random bytes come from. */
  readonly seed: string | bigint;
}

/**
 * What to open a plugin with so that a run can be repeated: no relaxed SIMD and no threads, one form for NaN, a clock that
 * stands still and random numbers from a seed. Its files must be in memory, or the same at the beginning of each run;
 * what the network answers is no more deterministic than the network.
 *
 * @example
 * const mode = deterministic({ wallNs: 0n, seed: "1" });
 * const artifact = openArtifact(bytes, { plugin: "p", ...mode.artifact });
 * const sandbox = sandboxImports({ ...options, ...mode.sandbox });
 */
export function deterministic({ wallNs, seed }: DeterministicOptions): {
  readonly artifact: Pick<ArtifactOptions, "profile" | "mode">;
  readonly sandbox: Pick<SandboxOptions, "clock" | "random">;
} {
  return {
    artifact: { profile: "strict", mode: "fuel" },
    sandbox: { clock: { kind: "fixed", wallNs }, random: { kind: "seeded", seed } },
  };
}
