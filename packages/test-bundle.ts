/** The bundles of tests in several packages: a module as text, and around it a manifest for a host named `test`. */

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { packBundle } from "remora/bundle";

export interface PluginText {
  readonly name?: string;
  readonly version?: string;
  /** Lines of the manifest behind `licence`. */
  readonly top?: string;
  /** Tables at the manifest's end. */
  readonly tables?: string;
}

const compiled = new Map<string, Promise<Uint8Array>>();

export function moduleOf(fields: string): Promise<Uint8Array> {
  const known = compiled.get(fields) ?? parse(`(module ${fields})`);
  compiled.set(fields, known);
  return known;
}

export function manifestOf({ name = "adder", version = "1.0.0", top = "", tables = "" }: PluginText): string {
  return `name = "${name}"
version = "${version}"
authors = ["Ada Example"]
licence = "Apache-2.0"
${top}
[host]
name = "test"
version = "^1.0.0"
[[artifacts]]
file = "plugin.wasm"
world = "test:plugin/runner@0.1.0"
${tables}`;
}

/** @param artifact The fields of a module as text, or an artifact as it is. */
export async function bundleOf(artifact: string | Uint8Array, text: PluginText = {}): Promise<Uint8Array> {
  return packBundle(
    new Map([
      ["remora.toml", new TextEncoder().encode(manifestOf(text))],
      ["plugin.wasm", typeof artifact === "string" ? await moduleOf(artifact) : artifact],
    ]),
  );
}
