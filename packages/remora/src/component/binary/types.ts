/** Component-level types, names with their attributes, and the types that imports and exports are given. */

import { componentErrors } from "../errors.ts";
import type {
  CoreTypeDefinition,
  DefinedValueType,
  ExportDecl,
  ExternDecl,
  FuncTypeDecl,
  ImportDefinition,
  NameAttributes,
  TypeDecl,
  TypeDeclBody,
  TypeDefinition,
  ValueTypeRef,
} from "../model.ts";
import type { PrimitiveKind } from "../types.ts";
import { readCoreType, readCoreValueType } from "./core-types.ts";
import { countDefinition, type DecodeContext } from "./limits.ts";
import { type BinaryReader, hex } from "./reader.ts";
import { readAlias } from "./sorts.ts";

const primitives: Readonly<Record<number, PrimitiveKind>> = {
  127: "bool",
  126: "s8",
  125: "u8",
  124: "s16",
  123: "u16",
  122: "s32",
  121: "u32",
  120: "s64",
  119: "u64",
  118: "f32",
  117: "f64",
  116: "char",
  115: "string",
  100: "error-context",
};

export function readType(reader: BinaryReader, context: DecodeContext, depth: number): TypeDeclBody {
  if (depth > context.limits.nestingMax) {
    throw componentErrors.limit({
      what: "nested types",
      max: context.limits.nestingMax,
      offset: reader.offset,
    });
  }
  const form = reader.peek();
  switch (form) {
    case 0x3f: {
      reader.byte();
      const rep = readCoreValueType(reader);
      const destructor = reader.flag("a destructor") ? reader.u32() : undefined;
      return { kind: "resource", rep, destructor };
    }
    case 0x40:
    case 0x43:
      return readFuncType(reader);
    case 0x41:
    case 0x42: {
      reader.byte();
      const decls = reader.vector("declarations", () => readTypeDecl(reader, context, depth, form === 0x41));
      return { kind: form === 0x41 ? "component" : "instance", decls };
    }
    default:
      return { kind: "value", type: readDefinedValueType(reader) };
  }
}

function readFuncType(reader: BinaryReader): FuncTypeDecl {
  const isAsync = reader.byte() === 0x43;
  const params = reader.vector("parameters", readLabelled);
  return { kind: "func", isAsync, params, result: readResultList(reader) };
}

export function readResultList(reader: BinaryReader): ValueTypeRef | undefined {
  const offset = reader.offset;
  const form = reader.byte();
  if (form === 0) return readValueTypeRef(reader);
  if (form !== 1) reader.fail(`unknown result list ${hex(form)}`, offset);
  reader.expect(0, "an empty result list");
  return undefined;
}

function readTypeDecl(
  reader: BinaryReader,
  context: DecodeContext,
  depth: number,
  mayImport: boolean,
): TypeDecl {
  const offset = reader.offset;
  countDefinition(context, offset);
  const kind = reader.byte();
  switch (kind) {
    case 0:
      return {
        kind: "core-type",
        offset,
        type: readCoreType(reader, context, 0),
      } satisfies CoreTypeDefinition;
    case 1:
      return { kind: "type", offset, type: readType(reader, context, depth + 1) } satisfies TypeDefinition;
    case 2:
      return readAlias(reader, offset);
    case 3:
      if (!mayImport) reader.fail("an import inside an instance type", offset);
      return readImport(reader, offset);
    case 4: {
      const { name, attributes } = readNameWithAttributes(reader);
      return {
        kind: "export-decl",
        offset,
        name,
        attributes,
        type: readExternDecl(reader),
      } satisfies ExportDecl;
    }
    default:
      return reader.fail(`unknown declaration ${hex(kind)}`, offset);
  }
}

export function readValueTypeRef(reader: BinaryReader): ValueTypeRef {
  const offset = reader.offset;
  const value = reader.s33();
  if (value >= 0) return value;
  const primitive = primitives[value + 128];
  return primitive ?? reader.fail(`unknown value type ${hex(value + 128)}`, offset);
}

function readOptional<T>(reader: BinaryReader, read: (reader: BinaryReader) => T): T | undefined {
  return reader.flag("an optional type") ? read(reader) : undefined;
}

function readLabelled(reader: BinaryReader): { name: string; type: ValueTypeRef } {
  return { name: reader.name(), type: readValueTypeRef(reader) };
}

function readDefinedValueType(reader: BinaryReader): DefinedValueType {
  const offset = reader.offset;
  const form = reader.byte();
  const primitive = primitives[form];
  if (primitive !== undefined) return { kind: "primitive", primitive };
  switch (form) {
    case 0x72:
      return { kind: "record", fields: reader.vector("fields", readLabelled) };
    case 0x71: {
      const cases = reader.vector("cases", () => {
        const name = reader.name();
        const type = readOptional(reader, readValueTypeRef);
        reader.expect(0, "the end of a case");
        return { name, type };
      });
      return { kind: "variant", cases };
    }
    case 0x70:
      return { kind: "list", element: readValueTypeRef(reader), length: undefined };
    case 0x67:
      return { kind: "list", element: readValueTypeRef(reader), length: reader.u32() };
    case 0x6f:
      return { kind: "tuple", elements: reader.vector("elements", readValueTypeRef) };
    case 0x6e:
      return { kind: "flags", names: reader.vector("flags", (r) => r.name()) };
    case 0x6d:
      return { kind: "enum", names: reader.vector("enum cases", (r) => r.name()) };
    case 0x6b:
      return { kind: "option", some: readValueTypeRef(reader) };
    case 0x6a:
      return {
        kind: "result",
        ok: readOptional(reader, readValueTypeRef),
        err: readOptional(reader, readValueTypeRef),
      };
    case 0x69:
      return { kind: "own", resource: reader.u32() };
    case 0x68:
      return { kind: "borrow", resource: reader.u32() };
    case 0x66:
      return { kind: "stream", element: readOptional(reader, readValueTypeRef) };
    case 0x65:
      return { kind: "future", element: readOptional(reader, readValueTypeRef) };
    case 0x63:
      return { kind: "map", key: readValueTypeRef(reader), value: readValueTypeRef(reader) };
    default:
      return reader.fail(`unknown type ${hex(form)}`, offset);
  }
}

export function readExternDecl(reader: BinaryReader): ExternDecl {
  const offset = reader.offset;
  const sort = reader.byte();
  switch (sort) {
    case 0x00:
      reader.expect(0x11, "a core module");
      return { kind: "core-module", type: reader.u32() };
    case 0x01:
      return { kind: "func", type: reader.u32() };
    case 0x02: {
      const equalTo = reader.flag("a value bound") === false ? reader.u32() : undefined;
      return { kind: "value", type: equalTo === undefined ? readValueTypeRef(reader) : { equalTo } };
    }
    case 0x03: {
      const at = reader.offset;
      const bound = reader.byte();
      if (bound === 0) return { kind: "type", bound: { equalTo: reader.u32() } };
      if (bound !== 1) reader.fail(`unknown type bound ${hex(bound)}`, at);
      return { kind: "type", bound: "resource" };
    }
    case 0x04:
      return { kind: "component", type: reader.u32() };
    case 0x05:
      return { kind: "instance", type: reader.u32() };
    default:
      return reader.fail(`unknown extern type ${hex(sort)}`, offset);
  }
}

export function readImport(reader: BinaryReader, offset: number): ImportDefinition {
  const { name, attributes } = readNameWithAttributes(reader);
  return { kind: "import", offset, name, attributes, type: readExternDecl(reader) };
}

export function readNameWithAttributes(reader: BinaryReader): {
  name: string;
  attributes: NameAttributes | undefined;
} {
  const offset = reader.offset;
  const form = reader.byte();
  if (form > 2) reader.fail(`unknown form of name ${hex(form)}`, offset);
  const name = reader.name();
  return { name, attributes: form === 2 ? readAttributes(reader) : undefined };
}

function readAttributes(reader: BinaryReader): NameAttributes {
  const found: (string | undefined)[] = [undefined, undefined, undefined];
  reader.vector("attributes", () => {
    const offset = reader.offset;
    const kind = reader.byte();
    if (kind > 2) reader.fail(`unknown attribute ${hex(kind)}`, offset);
    if (found[kind] !== undefined) reader.fail("attribute given twice", offset);
    found[kind] = reader.name();
  });
  return { implements: found[0], versionSuffix: found[1], externalId: found[2] };
}
