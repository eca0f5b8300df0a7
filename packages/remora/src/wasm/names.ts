/** The name section (§7.4.1): what the publisher's tools called things. Nothing depends on it being right. */

import { isRemoraError } from "../base/index.ts";
import { ByteReader } from "./byte-reader.ts";
import type { Module } from "./module.ts";

export interface Names {
  readonly module: string | undefined;
  readonly functions: ReadonlyMap<number, string>;
  /** By function, then by local. */
  readonly locals: ReadonlyMap<number, ReadonlyMap<number, string>>;
  readonly types: ReadonlyMap<number, string>;
  readonly tables: ReadonlyMap<number, string>;
  readonly memories: ReadonlyMap<number, string>;
  readonly globals: ReadonlyMap<number, string>;
}

// The publisher controls the section; a name is for reading, so longer ones are not read.
const nameBytesMax = 100_000;
const entriesMax = 1_000_000;

/** The names; of a malformed section those before the fault, since names never decide anything. */
export function readNames(module: Module): Names {
  const names = {
    module: undefined as string | undefined, // widened: the literal is only its first value
    functions: new Map<number, string>(),
    locals: new Map<number, Map<number, string>>(),
    types: new Map<number, string>(),
    tables: new Map<number, string>(),
    memories: new Map<number, string>(),
    globals: new Map<number, string>(),
  };
  const section = module.sections.find((each) => each.kind === "custom" && each.name === "name");
  if (section?.kind !== "custom") return names;
  const reader = new ByteReader(section.items);
  try {
    while (!reader.isAtEnd) readSubsection(reader.byte(), reader.part(reader.u32(), "a name subsection"));
  } catch (error) {
    // Documented above: what was read so far is the answer. Anything but a coded error is our mistake.
    if (!isRemoraError(error)) throw error;
  }
  return names;

  function readSubsection(id: number, part: ByteReader): void {
    if (id === 0) names.module = part.name("a module's name", nameBytesMax);
    else if (id === 1) readNameMap(part, names.functions);
    else if (id === 2) {
      const count = part.count("functions", { max: entriesMax, itemBytesMin: 2 });
      for (let index = 0; index < count; index++) {
        const locals = new Map<number, string>();
        names.locals.set(part.u32(), locals);
        readNameMap(part, locals);
      }
    } else if (id === 4) readNameMap(part, names.types);
    else if (id === 5) readNameMap(part, names.tables);
    else if (id === 6) readNameMap(part, names.memories);
    else if (id === 7) readNameMap(part, names.globals);
  }
}

function readNameMap(reader: ByteReader, into: Map<number, string>): void {
  const count = reader.count("names", { max: entriesMax, itemBytesMin: 2 });
  for (let index = 0; index < count; index++) {
    const key = reader.u32("an index");
    into.set(key, reader.name("a name", nameBytesMax));
  }
}
