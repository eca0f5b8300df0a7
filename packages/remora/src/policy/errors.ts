/** The errors of the policy layer. Refusals that a program expects (denied, needs consent) are values instead. */

import { defineErrors } from "../base/index.ts";
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

/** More would make the message unreadable; `details` has them all. */
const listedMax = 50;

function listed(refused: readonly RefusedImport[]): string {
  const lines = refused.slice(0, listedMax).map((entry) => `"${harmless(entry.name)}" ${reason(entry)}`);
  if (refused.length > listedMax) lines.push(`and ${refused.length - listedMax} more`);
  return lines.join("; ");
}

function reason(entry: RefusedImport): string {
  switch (entry.why) {
    case "not-granted":
      return `needs the capability "${entry.capability}", which is not granted${entry.forbidden === undefined ? "" : `; without it, it is a forbidden ${entry.forbidden} function`}`;
    case "unknown":
      if (entry.capability !== undefined) {
        return `${entry.forbidden === undefined ? "is not given here" : `is a forbidden ${entry.forbidden} function here`}: allowed it is by a sandbox, with a grant of "${entry.capability}"`;
      }
      return entry.forbidden === undefined
        ? `is unknown${suggestion(entry.near)}`
        : `is a forbidden ${entry.forbidden} function`;
  }
}

function suggestion(near: readonly string[]): string {
  return near[0] === undefined ? "" : `, did you mean "${near[0]}"?`;
}
