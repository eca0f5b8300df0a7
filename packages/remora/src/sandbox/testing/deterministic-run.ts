/** One run of a guest in deterministic mode. Prints what it left in memory and what it cost. */

import { createHash } from "node:crypto";
import { defaultLimits, openArtifact } from "../../engine/index.ts";
import { auditLog } from "../audit.ts";
import { deterministic } from "../deterministic.ts";
import { sandboxImports } from "../sandbox-imports.ts";

/** Runs the export `run` of a core module that exports its memory. */
export function deterministicRun(seed: string, bytes: Uint8Array): { digest: string; fuelUsed: number } {
  const mode = deterministic({ wallNs: 1_735_689_600_000_000_000n, seed });
  const grants = [
    { capability: "wasi.base" },
    { capability: "clock.read" },
    { capability: "random.read" },
    { capability: "fs.private" },
  ] as const;
  const sandbox = sandboxImports({
    plugin: "same",
    grants,
    audit: auditLog(),
    log: { write: () => {} },
    nowMs: Date.now,
    ...mode.sandbox,
  });
  const artifact = openArtifact(bytes, { plugin: "same", ...mode.artifact });
  const instance = artifact.instantiate({
    limits: defaultLimits,
    imports: (guest) => sandbox.forInstance(guest).hostImports(artifact.imports),
  });
  const { report } = instance.call("run", [0]);
  const memory =
    instance.kind === "module" ? new Uint8Array(instance.memory?.buffer ?? new ArrayBuffer(0)) : undefined;
  const digest = createHash("sha256")
    .update(memory ?? "")
    .digest("hex");
  return { digest, fuelUsed: report.fuelUsed };
}
