/** Puts the sections of a metered module together: new contents in their order, and the original's bytes for the others. */

import { joinedBytes } from "../../base/index.ts";
import { ByteWriter } from "../byte-writer.ts";
import { moduleHeader, sectionKinds, sectionOrder } from "../decode.ts";
import type { Module } from "../module.ts";
import type { Emitted } from "./emit.ts";
import type { Contents } from "./rewrite-sections.ts";
import { withoutGlobalNames } from "./shared-counters.ts";

export function assembleSections(
  module: Module,
  contents: Contents,
  emitted: Emitted,
  hasMovedGlobals: boolean,
): Uint8Array {
  const pieces: Uint8Array[] = [Uint8Array.from(moduleHeader)];
  const write = (id: number, content: readonly Uint8Array[]) => {
    pieces.push(new ByteWriter(16).byte(id).u32(lengthOf(content)).finish(), ...content);
  };
  let done = 0;
  const writeNew = (upTo: number) => {
    for (; done < upTo; done++) {
      const kind = sectionOrder[done] ?? "custom";
      const content = contents.get(kind);
      if (kind === "code" && emitted.hints.functions > 0) write(0, [emitted.hints.content()]);
      if (content !== undefined) write(sectionKinds.indexOf(kind), content);
    }
  };
  for (const section of module.sections) {
    const isDropped = section.kind === "start" || (section.kind === "custom" && isStale(section.name));
    if (isDropped || section.source === undefined) continue;
    if (hasMovedGlobals && section.kind === "custom" && section.name === "name") {
      const names = new ByteWriter(section.items.length + 16)
        .name("name")
        .raw(withoutGlobalNames(section.items));
      write(0, [names.finish()]);
      continue;
    }
    if (section.kind !== "custom") {
      writeNew(sectionOrder.indexOf(section.kind));
      if (contents.has(section.kind)) {
        writeNew(done + 1);
        continue;
      }
      done++;
    }
    pieces.push(module.bytes.subarray(section.source.start, section.source.end));
  }
  writeNew(sectionOrder.length);
  return joinedBytes(pieces);
}

export function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** What refers to code by offset and does not fit any more (4.2). */
function isStale(name: string): boolean {
  return (
    name.startsWith(".debug_") ||
    name.startsWith("reloc.") ||
    // Branch hints, and whatever else engines come to take hints from.
    name.startsWith("metadata.code.") ||
    ["sourceMappingURL", "external_debug_info"].includes(name)
  );
}
