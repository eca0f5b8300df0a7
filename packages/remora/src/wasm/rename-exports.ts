/** Gives exports other names; everything else stays byte for byte. */

import { didYouMean } from "../base/index.ts";
import { decodeModule, findSection } from "./decode.ts";
import { encodeModule } from "./encode.ts";
import { wasmErrors } from "./errors.ts";
import { type DecodeLimits, defaultDecodeLimits } from "./limits.ts";

/**
 * The module with other names for some of its exports.
 *
 * @param bytes The module.
 * @param names From the name that an export has to the name that it gets.
 * @throws wasm/unknown-export, wasm/duplicate-export, and what `decodeModule` throws
 */
export function renameExports(
  bytes: Uint8Array,
  names: Readonly<Record<string, string>>,
  limits: DecodeLimits = defaultDecodeLimits,
): Uint8Array {
  const module = decodeModule(bytes, limits);
  const exports = findSection(module, "export")?.items ?? [];
  const known = exports.map((item) => item.name);
  for (const name of Object.keys(names)) {
    if (!known.includes(name)) throw wasmErrors["unknown-export"]({ name, near: didYouMean(name, known) });
  }
  const taken = new Set<string>();
  const items = exports.map((item) => {
    const name = Object.hasOwn(names, item.name) ? (names[item.name] ?? item.name) : item.name;
    if (taken.has(name)) throw wasmErrors["duplicate-export"]({ name });
    taken.add(name);
    return { ...item, name };
  });
  const sections = module.sections.map((section) =>
    section.kind === "export" ? { kind: section.kind, items } : section,
  );
  return encodeModule({ ...module, sections });
}
