/** Writes a module: the mirror image of `decode.ts`. */

import { unreachable } from "../base/index.ts";
import { ByteWriter } from "./byte-writer.ts";
import { moduleHeader, sectionKinds } from "./decode.ts";
import type { Module, Section } from "./module.ts";
import { writeCode } from "./sections/code.ts";
import { writeCustom } from "./sections/custom.ts";
import { writeData } from "./sections/data.ts";
import { writeElements } from "./sections/elements.ts";
import { writeExports } from "./sections/exports.ts";
import { writeFunctions } from "./sections/functions.ts";
import { writeGlobals } from "./sections/globals.ts";
import { writeImports } from "./sections/imports.ts";
import { writeMemories } from "./sections/memories.ts";
import { writeIndex } from "./sections/start.ts";
import { writeTables } from "./sections/tables.ts";
import { writeTags } from "./sections/tags.ts";
import { writeTypes } from "./sections/types.ts";

/** The bytes of a module. Sections that still have their `source` are copied, so nothing changes in them. */
export function encodeModule(module: Module): Uint8Array {
  const writer = new ByteWriter(module.bytes.length + 64);
  writer.raw(Uint8Array.from(moduleHeader));
  for (const section of module.sections) {
    if (section.source !== undefined)
      writer.raw(module.bytes.subarray(section.source.start, section.source.end));
    else writer.byte(sectionKinds.indexOf(section.kind)).sized(encodeContent(section));
  }
  return writer.finish();
}

/** The content of a section, without id and size, from its items. */
export function encodeContent(section: Section): Uint8Array {
  const writer = new ByteWriter();
  writeContent(writer, section);
  return writer.finish();
}

function writeContent(writer: ByteWriter, section: Section): void {
  switch (section.kind) {
    case "custom":
      writeCustom(writer, section);
      return;
    case "type":
      writeTypes(writer, section.items);
      return;
    case "import":
      writeImports(writer, section.items);
      return;
    case "function":
      writeFunctions(writer, section.items);
      return;
    case "table":
      writeTables(writer, section.items);
      return;
    case "memory":
      writeMemories(writer, section.items);
      return;
    case "tag":
      writeTags(writer, section.items);
      return;
    case "global":
      writeGlobals(writer, section.items);
      return;
    case "export":
      writeExports(writer, section.items);
      return;
    case "start":
      writeIndex(writer, section.items);
      return;
    case "element":
      writeElements(writer, section.items);
      return;
    case "dataCount":
      writeIndex(writer, section.items);
      return;
    case "code":
      writeCode(writer, section.items);
      return;
    case "data":
      writeData(writer, section.items);
      return;
    default:
      unreachable(section);
  }
}
