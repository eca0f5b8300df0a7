/** The errors of the policy layer. Refusals that a program expects (denied, needs consent) are values instead. */

import { defineErrors, listedMax } from "../base/index.ts";
import { harmless } from "./harmless.ts";
import type { RefusedImport } from "./imports.ts";

export const policyErrors = defineErrors("policy", {
  "imports-refused": {
    fault: "operator",
    message: (d: { plugin: string; refused: readonly RefusedImport[] }) =>
      `Cannot load ${d.plugin}: ${d.refused.length} ${d.refused.length === 1 ? "import is" : "imports are"} refused: ${listed(d.refused)}`,
  },
  "unknown-capability": {
    fault: "operator",
    message: (d: { name: string; where: string; near: readonly string[] }) =>
      `Cannot use the capability "${harmless(d.name)}" in ${d.where}: no such capability${suggestion(d.near)}`,
  },
  "bad-grant": {
    fault: "operator",
    message: (d: { where: string; found: string; expected: string }) =>
      `Cannot read ${d.where}: found ${harmless(d.found)}, expected ${d.expected}`,
  },
  "bad-target": {
    fault: "operator",
    message: (d: { where: string; target: string; expected: string }) =>
      `Cannot use the target "${harmless(d.target)}" in ${d.where}: expected ${d.expected}`,
  },
});

/** Those that are refused for one reason stand together: a component of an LLVM language imports WASI by the dozen. */
function listed(refused: readonly RefusedImport[]): string {
  const byReason = Map.groupBy(refused.slice(0, listedMax), reason);
  const lines = [...byReason].map(([why, entries]) => {
    const names = entries.map(({ name }) => `"${harmless(name)}"`);
    return `${names.join(", ")} (${why})`;
  });
  if (refused.length > listedMax) lines.push(`and ${refused.length - listedMax} more`);
  return lines.join("; ");
}

function reason(entry: RefusedImport): string {
  const forbidden = entry.forbidden === undefined ? "" : `forbidden ${entry.forbidden} function`;
  switch (entry.why) {
    case "not-granted": {
      const without = forbidden === "" ? "" : `; without it a ${forbidden}`;
      return `takes the capability "${entry.capability}", which is not granted${without}`;
    }
    case "unknown":
      if (entry.capability !== undefined) {
        return `${forbidden || "not given"} here: allowed by a sandbox, with a grant of "${entry.capability}"`;
      }
      return forbidden || `unknown${suggestion(entry.near)}`;
  }
}

function suggestion(near: readonly string[]): string {
  return near[0] === undefined ? "" : `, did you mean "${near[0]}"?`;
}
