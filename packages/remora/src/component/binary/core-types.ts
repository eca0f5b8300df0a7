/**
 * Core types inside a component: function types are kept, module types too; structs, arrays and recursive
 * groups are read over, since nothing in the Component Model looks into them.
 */

import { componentErrors } from "../errors.ts";
import type {
  CoreExternDecl,
  CoreFuncTypeDecl,
  CoreMemoryType,
  CoreModuleDecl,
  CoreTypeDecl,
  CoreValueType,
} from "../model.ts";
import { countDefinition, type DecodeContext } from "./limits.ts";
import { type BinaryReader, hex } from "./reader.ts";

export function readCoreType(reader: BinaryReader, context: DecodeContext, depth: number): CoreTypeDecl {
  if (reader.peek() !== 0x50) return readRecType(reader);
  const offset = reader.offset;
  // Module types do not nest in a valid component; the grammar alone would let them.
  if (depth > 0) reader.fail("a module type inside a module type", offset);
  reader.byte();
  const decls = reader.vector("module declarations", (): CoreModuleDecl => {
    const at = reader.offset;
    countDefinition(context, at);
    const kind = reader.byte();
    switch (kind) {
      case 0:
        return {
          kind: "import",
          offset: at,
          module: reader.name(),
          name: reader.name(),
          type: readCoreExternDecl(reader),
        };
      case 1:
        return { kind: "type", offset: at, type: readCoreType(reader, context, depth + 1) };
      case 2:
        reader.expect(0x10, "an alias of a core type");
        reader.expect(0x01, "an outer alias");
        return { kind: "outer-alias", offset: at, count: reader.u32(), index: reader.u32() };
      case 3:
        return { kind: "export", offset: at, name: reader.name(), type: readCoreExternDecl(reader) };
      default:
        return reader.fail(`unknown module declaration ${hex(kind)}`, at);
    }
  });
  return { kind: "module", decls };
}

function readRecType(reader: BinaryReader): CoreTypeDecl {
  const offset = reader.offset;
  const form = reader.byte();
  switch (form) {
    case 0x60:
      return readFuncType(reader);
    case 0x4e: {
      const count = reader.count("types of a recursive group");
      for (let index = 0; index < count; index++) skipSubType(reader);
      return { kind: "opaque", count };
    }
    case 0x00:
      reader.expect(0x50, "a subtype");
      skipSubTypeBody(reader);
      return { kind: "opaque", count: 1 };
    case 0x4f:
      skipSubTypeBody(reader);
      return { kind: "opaque", count: 1 };
    case 0x5e:
    case 0x5f:
      reader.offset = offset;
      skipCompositeType(reader);
      return { kind: "opaque", count: 1 };
    default:
      return reader.fail(`unknown core type ${hex(form)}`, offset);
  }
}

function readFuncType(reader: BinaryReader): CoreFuncTypeDecl {
  return {
    kind: "func",
    params: reader.vector("parameters", readCoreValueType),
    results: reader.vector("results", readCoreValueType),
  };
}

function skipSubType(reader: BinaryReader): void {
  const form = reader.peek();
  if (form === 0x50 || form === 0x4f) {
    reader.byte();
    skipSubTypeBody(reader);
  } else {
    skipCompositeType(reader);
  }
}

function skipSubTypeBody(reader: BinaryReader): void {
  reader.vector("supertypes", () => reader.u32());
  skipCompositeType(reader);
}

function skipCompositeType(reader: BinaryReader): void {
  const offset = reader.offset;
  const form = reader.byte();
  if (form === 0x60) readFuncType(reader);
  else if (form === 0x5e) skipFieldType(reader);
  else if (form === 0x5f) reader.vector("fields", skipFieldType);
  else reader.fail(`unknown core type ${hex(form)}`, offset);
}

function skipFieldType(reader: BinaryReader): void {
  const form = reader.peek();
  if (form === 0x78 || form === 0x77) reader.byte();
  else readCoreValueType(reader);
  reader.flag("mutability");
}

const numberTypes: Readonly<Record<number, CoreValueType>> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
};

/** Heap types with a one-byte form, by the names of the text format. */
const abstractHeapTypes: Readonly<Record<number, string>> = {
  116: "nullexnref",
  115: "nullfuncref",
  114: "nullexternref",
  113: "nullref",
  112: "funcref",
  111: "externref",
  110: "anyref",
  109: "eqref",
  108: "i31ref",
  107: "structref",
  106: "arrayref",
  105: "exnref",
};

export function readCoreValueType(reader: BinaryReader): CoreValueType {
  const offset = reader.offset;
  const byte = reader.byte();
  const known = numberTypes[byte];
  if (known !== undefined) return known;
  const heap = abstractHeapTypes[byte];
  if (heap !== undefined) return { ref: heap };
  if (byte !== 0x63 && byte !== 0x64) reader.fail(`unknown core value type ${hex(byte)}`, offset);
  // As `formatStorageType` of the wasm layer writes them, so that the two can be compared.
  const index = reader.s33();
  if (index >= 0) return { ref: byte === 0x63 ? `(ref null ${index})` : `(ref ${index})` };
  const name = abstractHeapTypes[index + 128] ?? reader.fail("unknown heap type", offset);
  return { ref: byte === 0x63 ? name : `(ref ${heapName(name)})` };
}

/** `nullfuncref` is the shorthand for `(ref null nofunc)`, `funcref` for `(ref null func)`. */
function heapName(shorthand: string): string {
  const heap = shorthand.slice(0, -"ref".length);
  if (heap === "null") return "none";
  return heap.startsWith("null") ? `no${heap.slice("null".length)}` : heap;
}

function readCoreExternDecl(reader: BinaryReader): CoreExternDecl {
  const offset = reader.offset;
  const sort = reader.byte();
  switch (sort) {
    case 0x00:
      return { kind: "func", type: reader.u32() };
    case 0x01: {
      const element = readCoreValueType(reader);
      return { kind: "table", type: { element, ...readLimits(reader) } };
    }
    case 0x02:
      return { kind: "memory", type: readLimits(reader) };
    case 0x03: {
      const valueType = readCoreValueType(reader);
      return { kind: "global", valueType, isMutable: reader.flag("mutability") };
    }
    case 0x04:
      reader.expect(0x00, "the attribute of a tag");
      return { kind: "tag", type: reader.u32() };
    default:
      return reader.fail(`unknown core extern type ${hex(sort)}`, offset);
  }
}

function readLimits(reader: BinaryReader): CoreMemoryType {
  const offset = reader.offset;
  const flags = reader.byte();
  if (flags > 7) {
    throw componentErrors.malformed({ what: `unknown limits ${hex(flags)}`, offset });
  }
  const read = () => ((flags & 4) !== 0 ? reader.u64() : BigInt(reader.u32()));
  const min = read();
  const max = (flags & 1) !== 0 ? read() : undefined;
  return { is64: (flags & 4) !== 0, isShared: (flags & 2) !== 0, min, max };
}
