/**
 * Functions that a module needs before they can be made: the ones whose values go through its own memory, and destructors.
 * One module stands for them and calls through a table; another fills the table when the first module is there.
 */

import { ByteWriter } from "../../wasm/byte-writer.ts";
import { encodeModule } from "../../wasm/encode.ts";
import type { Body, ConstExpr, Section, TableType } from "../../wasm/module.ts";
import { type FuncType, funcref } from "../../wasm/sections/value-types.ts";
import type { CoreSignature } from "../core.ts";

export const tableName = "$imports";

/** Exports a function `"0"`, `"1"`, … for each signature, and the table that they call through. */
export function standInModule(signatures: readonly CoreSignature[]): Uint8Array {
  return moduleOf([
    { kind: "type", items: signatures.map(recGroup) },
    { kind: "function", items: signatures.map((_, index) => index) },
    { kind: "table", items: [{ type: tableFor(signatures), init: undefined }] },
    {
      kind: "export",
      items: [
        ...signatures.map((_, index) => ({ name: String(index), kind: "func" as const, index })),
        { name: tableName, kind: "table", index: 0 },
      ],
    },
    { kind: "code", items: signatures.map(({ params }, index) => callThrough(index, params.length)) },
  ]);
}

/**
 * Imports the functions and the table, fills it, and then calls `initialize`, when there is such a function: the module's own, before
 * which nothing of it may be called.
 */
export function fillingModule(signatures: readonly CoreSignature[], hasInitialize: boolean): Uint8Array {
  const nothing: CoreSignature = { params: [], results: [] };
  const all = hasInitialize ? [...signatures, nothing] : signatures;
  const functions = all.map((_, type) => ({
    module: "",
    name: String(type),
    type: { kind: "func" as const, type },
  }));
  const table = { module: "", name: tableName, type: { kind: "table" as const, type: tableFor(signatures) } };
  const fill: readonly Section[] =
    signatures.length === 0
      ? []
      : [
          {
            kind: "element",
            items: [
              {
                mode: { kind: "active", table: 0, offset: zero },
                type: funcref,
                elements: signatures.map((_, index) => index),
                form: 0,
              },
            ],
          },
        ];
  return moduleOf([
    { kind: "type", items: all.map(recGroup) },
    { kind: "import", items: signatures.length === 0 ? functions : [...functions, table] },
    ...(hasInitialize ? [{ kind: "start" as const, items: signatures.length }] : []),
    ...fill,
  ]);
}

function moduleOf(sections: readonly Section[]): Uint8Array {
  return encodeModule({ bytes: new Uint8Array(), sections });
}

function tableFor({ length }: readonly CoreSignature[]): TableType {
  const size = BigInt(length);
  return { element: funcref, limits: { min: size, max: size, is64: false, isShared: false } };
}

function recGroup({ params, results }: CoreSignature) {
  const composite: FuncType = { kind: "func", parameters: params, results };
  return { isExplicit: false, types: [{ isFinal: true, supertypes: [], composite }] };
}

const zero: ConstExpr = { bytes: Uint8Array.of(0x41, 0x00, 0x0b), functions: [], globals: [] };

/** Its parameters, then `call_indirect` of its own type at its own place. */
function callThrough(index: number, paramCount: number): Body {
  const code = new ByteWriter(16).u32(0);
  for (let param = 0; param < paramCount; param++) code.byte(0x20).u32(param);
  code.byte(0x41).s32(index).byte(0x11).u32(index).u32(0).byte(0x0b);
  const within = code.finish();
  return { within, offset: 0, size: within.length };
}
