/** Everything that can be wrong with a component, its imports, its arguments, or what its guest hands over. */

import { defineErrors, didYouMean } from "../base/index.ts";

/** One thing that a component imports and that nothing was given for. */
export interface MissingImport {
  /** As in the component: `omnitak:plugin/host@0.1.0`, or a plain name. */
  readonly name: string;
  /** A function or resource inside an imported instance; undefined when the import itself is missing. */
  readonly member: string | undefined;
  /** What would be accepted there. */
  readonly wanted: string;
  /** What was found in its place, when something was. */
  readonly found: string | undefined;
  /** Names given by the host that are near. */
  readonly near: readonly string[];
}

export const componentErrors = defineErrors("component", {
  malformed: {
    fault: "publisher",
    message: (d: { what: string; offset: number }) =>
      `Cannot decode the component: ${d.what}, at byte ${d.offset}`,
  },
  invalid: {
    fault: "publisher",
    message: (d: { what: string; offset: number }) =>
      `Component is not valid: ${d.what}, at byte ${d.offset}`,
  },
  unsupported: {
    fault: "platform",
    message: (d: { what: string; offset: number }) =>
      `Component uses what this runtime does not have: ${d.what}, at byte ${d.offset}`,
  },
  limit: {
    fault: "publisher",
    message: (d: { what: string; max: number; offset: number }) =>
      `Component is too large: more than ${d.max} ${d.what}, at byte ${d.offset}`,
  },
  "cannot-wrap": {
    fault: "publisher",
    message: (d: { world: string; problems: readonly string[] }) =>
      [`Cannot make a component for "${d.world}" of this module:`, ...d.problems].join("\n  "),
  },
  "missing-imports": {
    fault: "operator",
    message: (d: { missing: readonly MissingImport[] }) =>
      `Cannot link the component, ${d.missing.length} ${d.missing.length === 1 ? "import is" : "imports are"} missing: ${d.missing
        .map(describeMissing)
        .join(", ")}`,
  },
  "type-mismatch": {
    fault: "operator",
    message: (d: { path: string; expected: string; found: string }) =>
      `${d.path}: expected ${d.expected}, got ${d.found}`,
  },
  "no-such-export": {
    fault: "operator",
    message: (d: { path: readonly string[]; missed: string; names: readonly string[] }) =>
      `There is no function "${d.path.join(".")}" to call${didYouMean(d.missed, d.names)}`,
  },
  trap: {
    fault: "guest",
    message: (d: { what: string }) => `Guest broke the canonical ABI: ${d.what}`,
  },
  "no-waiting": {
    fault: "operator",
    message: (d: { name: string }) =>
      `Cannot link asynchronous host function "${d.name}": this V8 cannot put a guest aside while it waits (Node 24 and later can); run the plugin in the isolation "worker"`,
  },
  "cannot-wait": {
    fault: "guest",
    message: (d: { name: string }) =>
      `Guest cannot wait for "${d.name}" here: it was called by a start function, a destructor or a call that gives its result at once`,
  },
  cancelled: {
    fault: "operator",
    message: (d: { afterMs: number | undefined }) =>
      d.afterMs === undefined
        ? "The call was cancelled by its caller"
        : `The call was cancelled by its caller, and its instance is gone: the guest had not ended it after ${d.afterMs} ms`,
  },
  "host-failed": {
    fault: "platform",
    message: (d: { name: string }) => `Host function "${d.name}" failed`,
  },
  "host-result": {
    fault: "platform",
    message: (d: { name: string; expected: string; found: string }) =>
      `Host function "${d.name}" gave back what its type does not allow: expected ${d.expected}, got ${d.found}`,
  },
});

function describeMissing(entry: MissingImport): string {
  const name = entry.member === undefined ? `"${entry.name}"` : `"${entry.name}" ${entry.member}`;
  const found = entry.found === undefined ? "" : `, found ${entry.found}`;
  const near = entry.near[0] === undefined ? "" : `; did you mean "${entry.near[0]}"?`;
  return `${name} (${entry.wanted}${found})${near}`;
}
