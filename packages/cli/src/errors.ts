/** What the program itself can fail at; all else has the code of the layer that failed. */

import { defineErrors } from "remora/base";
import { harmless } from "remora/policy";

export const cliErrors = defineErrors("cli", {
  "cannot-read": {
    fault: "operator",
    message: (d: { file: string; reason: string }) => `Cannot read "${d.file}": ${d.reason}`,
  },
  "cannot-write": {
    fault: "operator",
    message: (d: { file: string; reason: string }) => `Cannot write "${d.file}": ${d.reason}`,
  },
  "file-too-large": {
    fault: "operator",
    message: (d: { file: string; bytesMax: number }) =>
      `Cannot read "${d.file}": it has more than the ${d.bytesMax} bytes that are allowed`,
  },
  "no-examples": {
    fault: "operator",
    message: (d: { path: string }) =>
      `Cannot run the demonstration: it is part of the repository, and "${d.path}" is not there`,
  },
  "no-folder": {
    fault: "operator",
    message: (d: { folder: string }) =>
      `Cannot find plugins in "${d.folder}": there is no such folder; name one with --folder or in REMORA_FOLDER`,
  },
  "not-served": {
    fault: "operator",
    message: (d: { folder: string }) =>
      `Cannot do this in "${d.folder}": no program runs its plugins; start one, for example with "remora serve"`,
  },
  "no-consent": {
    fault: "operator",
    message: (d: { plugin: string; items: readonly string[] }) =>
      `Cannot run ${d.plugin} yet: it waits for consent to ${d.items.join(", ")}; "remora grants accept ${d.plugin}" asks for each at a terminal, and gives all of it with --yes`,
  },
  "held-damaged": {
    fault: "operator",
    message: (d: { plugin: string; code: string; message: string }) =>
      `Cannot accept what waits of ${d.plugin}: ${d.code}: ${harmless(d.message, 1_000)}; or drop it with "remora grants refuse ${d.plugin}"`,
  },
  "audit-broken": {
    fault: "operator",
    message: (d: { folder: string; problem: string; place: string; message: string }) =>
      `Cannot trust the audit trail of "${d.folder}": ${d.problem}${d.place}: ${d.message}`,
  },
  "bad-value": {
    fault: "operator",
    message: (d: { what: string; expected: string }) => `Cannot use ${d.what}: expected ${d.expected}`,
  },
  "not-a-host": {
    fault: "operator",
    message: (d: { name: string; reason: string }) =>
      `Cannot load the host "${d.name}": ${d.reason}; hosts are named in REMORA_HOSTS, with spaces between`,
  },
  "no-wit": {
    fault: "operator",
    message: (d: { path: string; found: number; filesMax: number }) =>
      `Cannot read WIT from "${d.path}": it has ${d.found} files that end with .wit; allowed are 1 to ${d.filesMax}`,
  },
  "not-wasm": {
    fault: "operator",
    message: (d: { file: string; found: string }) =>
      `Cannot inspect "${d.file}": it starts with ${d.found}; a WebAssembly module or component starts with 00 61 73 6d, a bundle with 72 65 6d 6f 72 61 00 01`,
  },
  "not-trusted": {
    fault: "operator",
    message: (d: { file: string; trust: string; reason: string; allowed: string }) =>
      `Cannot accept "${d.file}": it is ${d.trust}, ${d.reason}; allowed: ${d.allowed}`,
  },
  unsignable: {
    fault: "operator",
    message: (d: { file: string; found: string }) =>
      `Cannot sign or verify "${d.file}": it starts with ${d.found}; a bundle starts with 72 65 6d 6f 72 61 00 01, a WebAssembly module or component with 00 61 73 6d`,
  },
});
