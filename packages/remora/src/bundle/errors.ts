/** The errors of the bundle layer. What was modified is told where it can be, by its offset in the file. */

import { defineErrors, listedMax } from "../base/index.ts";
import { harmless } from "../policy/index.ts";
import type { CapabilityUse } from "./capability-use.ts";

/** Something that is wrong with a file that people write, and where. */
export interface Problem {
  /** From 1. */
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
  /** `capabilities[0].why`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export const bundleErrors = defineErrors("bundle", {
  "not-a-bundle": {
    fault: "publisher",
    message: (d: { found: string; offset: number }) =>
      `Cannot read a bundle: starts with ${d.found}, allowed: 72 65 6d 6f 72 61 00 01`,
  },
  "unexpected-end": {
    fault: "publisher",
    message: (d: { what: string; offset: number }) =>
      `Cannot read ${d.what} at 0x${d.offset.toString(16)}: the bytes end there`,
  },
  malformed: {
    fault: "publisher",
    message: (d: { what: string; found: string; allowed: string; offset: number }) =>
      `Cannot read ${d.what} at 0x${d.offset.toString(16)}: found ${harmless(d.found)}, allowed: ${d.allowed}`,
  },
  limit: {
    fault: "publisher",
    message: (d: { what: string; found: number; max: number; offset: number }) =>
      `Too large at 0x${d.offset.toString(16)}: ${d.found} ${d.what}, allowed: ${d.max}`,
  },
  "bad-name": {
    fault: "publisher",
    message: (d: { name: string; why: string; offset: number }) =>
      `Cannot take a file named "${harmless(d.name)}" at 0x${d.offset.toString(16)}: ${d.why}`,
  },
  "duplicate-name": {
    fault: "publisher",
    message: (d: { name: string; first: string; offset: number }) =>
      `Cannot take a file named "${harmless(d.name)}" at 0x${d.offset.toString(16)}: "${harmless(d.first)}" is there already, and some file systems know no difference`,
  },
  "unnamed-entry": {
    fault: "publisher",
    message: (d: { name: string; offset: number }) =>
      `Cannot take the file "${harmless(d.name)}" at 0x${d.offset.toString(16)}: remora.toml does not name it`,
  },
  "wrong-digest": {
    fault: "publisher",
    message: (d: { name: string; found: string; expected: string; offset: number }) =>
      `Cannot take "${harmless(d.name)}" at 0x${d.offset.toString(16)}: it was modified, its SHA-256 is ${d.found} and not ${d.expected}`,
  },
  "no-such-entry": {
    fault: "operator",
    message: (d: { name: string; near: readonly string[] }) =>
      `Cannot find "${harmless(d.name)}" in the bundle${d.near.length === 0 ? "" : `; did you mean "${harmless(d.near[0] ?? "")}"?`}`,
  },
  manifest: {
    fault: "publisher",
    message: (d: { file: string; problems: readonly Problem[] }) =>
      `Cannot use "${harmless(d.file)}": ${d.problems.length} ${d.problems.length === 1 ? "problem" : "problems"}\n${listed(d)}`,
  },
  "not-an-artifact": {
    fault: "publisher",
    message: (d: { file: string; found: string }) =>
      `Cannot take "${harmless(d.file)}" as an artifact: it starts with ${d.found}; a WebAssembly module or component starts with 00 61 73 6d`,
  },
  "not-an-icon": {
    fault: "publisher",
    message: (d: { file: string; found: string }) =>
      `Cannot take "${harmless(d.file)}" as an icon: it starts with ${d.found}; a PNG starts with 89 50 4e 47`,
  },
  capabilities: {
    fault: "publisher",
    message: (d: { plugin: string; uses: readonly CapabilityUse[] }) =>
      `Cannot take ${harmless(d.plugin)}: what it declares is not what it uses: ${d.uses.map(usage).join("; ")}`,
  },
  exports: {
    fault: "publisher",
    message: (d: {
      plugin: string;
      file: string;
      world: string;
      missing: readonly string[];
      found: readonly string[];
    }) =>
      `Cannot take ${harmless(d.plugin)}: "${harmless(d.file)}" is for the world ${harmless(d.world)} and does not export ${named(d.missing)}; it exports ${named(d.found) || "nothing"}`,
  },
  "bad-key": {
    fault: "operator",
    message: (d: { what: string; found: string; allowed: string }) =>
      `Cannot use ${harmless(d.what)} as a key: found ${harmless(d.found)}, allowed: ${d.allowed}`,
  },
  "bad-signer": {
    fault: "operator",
    message: (d: { found: string; allowed: string }) =>
      `Cannot sign as "${harmless(d.found)}": allowed: ${d.allowed}`,
  },
  sidecar: {
    fault: "publisher",
    message: (d: { file: string; what: string }) =>
      `Cannot read the signature "${harmless(d.file)}": ${harmless(d.what)}`,
  },
  "trust-store": {
    fault: "operator",
    message: (d: { file: string; problems: readonly Problem[] }) =>
      `Cannot use "${harmless(d.file)}": ${d.problems.length} ${d.problems.length === 1 ? "problem" : "problems"}\n${listed(d)}`,
  },
  "key-known": {
    fault: "operator",
    message: (d: { publicKey: string; name: string; isRevoked: boolean }) =>
      `Cannot trust ${d.publicKey}: ${d.isRevoked ? "it was revoked" : "it is trusted already"}, as "${harmless(d.name)}"`,
  },
  "key-revoked": {
    fault: "operator",
    message: (d: { publicKey: string }) => `Cannot revoke ${d.publicKey}: it was revoked before`,
  },
});

/** A line a problem, as compilers write them. */
function listed(d: { readonly file: string; readonly problems: readonly Problem[] }): string {
  return d.problems
    .map(({ line, column, path, message }) => {
      const at = path === "" ? "" : `${harmless(path)}: `;
      return `  ${harmless(d.file)}:${line}:${column}: ${at}${harmless(message, 400)}`;
    })
    .join("\n");
}

function usage({ kind, capability, imports }: CapabilityUse): string {
  if (kind === "unused") return `it declares "${capability}" and uses nothing of it`;
  return `it uses ${named(imports)} and does not declare "${capability}"`;
}

function named(all: readonly string[]): string {
  const names = all.slice(0, listedMax).map((name) => `"${harmless(name)}"`);
  if (all.length > listedMax) names.push(`${all.length - listedMax} more`);
  return names.join(", ");
}

/** The first bytes, for a message. */
export function beginning(bytes: Uint8Array, length = 4): string {
  if (bytes.length === 0) return "nothing, for it is empty";
  return Array.from(bytes.subarray(0, length), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
