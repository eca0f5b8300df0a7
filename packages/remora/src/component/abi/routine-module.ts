/**
 * A small WebAssembly module, written here, that stores the strings of a record in a guest's memory. It is given the
 * guest's memory and allocator, and V8's string functions (`wasm:js-string`, the JS String Builtins proposal), which V8
 * compiles to plain loads: so a string of seven is allocated and copied without a single call out of WebAssembly.
 *
 * What is rare is left to JavaScript through three imports: a string that is long, one that turned out not to be
 * ASCII, and an allocator that gave what it may not give.
 */

import { reservedPrefix } from "../../wasm/metering/contract.ts";
import type { ValueType } from "../../wasm/sections/value-types.ts";
import type { CoreFunction, CoreMemory } from "../core.ts";
import { funcType as func, smallModule } from "./small-module.ts";

/** Where a string of a record goes. */
export interface StringPlace {
  /** Offset in the record of its pointer and length. */
  readonly at: number;
  /** Offset of the byte that says that it is there, if it may be left out. */
  readonly discriminant: number | undefined;
}

/** Strings that a routine takes, whatever it has places for: V8 then calls all routines in the same way. */
export const routineStringsMax = 8;

/** Under this name the module exports the routine: (pointer to the record, its strings) -> (). */
export const routineExport = `${reservedPrefix}store`;

/** What the module imports besides V8's string functions. Whatever throws ends the call. */
export interface RoutineImports {
  readonly guest: { readonly memory: CoreMemory; readonly realloc: CoreFunction };
  readonly host: {
    /** Stores a long string: allocates, copies, writes pointer and length to `at`. */
    readonly storeLong: (text: string, at: number) => void;
    /** Stores a string anew that was allocated at `pointer` and is not ASCII. */
    readonly growToUtf8: (text: string, pointer: number, at: number) => void;
    /** Throws: the allocator gave a pointer for so many bytes that are not all within memory. */
    readonly refusePointer: (pointer: number, size: number) => never;
  };
}

/** Strings of so many units and more are copied by the platform's encoder, which costs 50 ns and is faster from here on. */
const longUnitsMin = 80;

const externref: ValueType = { isNullable: true, heap: "extern" };

/** In the order of the module's function indices. */
const imports = [
  ["guest", "realloc", func(["i32", "i32", "i32", "i32"], ["i32"])],
  ["host", "storeLong", func([externref, "i32"])],
  ["host", "growToUtf8", func([externref, "i32", "i32"])],
  ["host", "refusePointer", func(["i32", "i32"])],
  ["wasm:js-string", "length", func([externref], ["i32"])],
  ["wasm:js-string", "charCodeAt", func([externref, "i32"], ["i32"])],
  ["wasm:js-string", "test", func([externref], ["i32"])],
] as const;

const [realloc, storeLong, growToUtf8, refusePointer, length, charCodeAt, test] = [0, 1, 2, 3, 4, 5, 6];
const storeString = imports.length;

/** The module that stores strings at these places, in this order. */
export function routineModule(places: readonly StringPlace[]): Uint8Array {
  return smallModule({
    functionImports: imports,
    memoryImports: [["guest", "memory"]],
    functions: [
      {
        type: func([externref, "i32"]),
        locals: ["i32", "i32", "i32", "i32", "i32"],
        code: storeStringCode,
        // Only so that it has a name in a trap's frames.
        name: `${reservedPrefix}store-string`,
      },
      {
        type: func(["i32", ...new Array<ValueType>(routineStringsMax).fill(externref)]),
        locals: [],
        code: places.map(storeAt).join("\n"),
        name: routineExport,
      },
    ],
  });
}

/** Parameters: 0 the record, from 1 on the strings. The caller checked that the record is within memory. */
function storeAt({ at, discriminant }: StringPlace, index: number): string {
  const text = `local.get ${index + 1}`;
  const store = `
    ${text}
    local.get 0
    i32.const ${at}
    i32.add
    call ${storeString}`;
  if (discriminant === undefined) return store;
  return `
    ${text}
    call ${test}
    if
      local.get 0
      i32.const 1
      i32.store8 0 ${discriminant}
      ${store}
    else
      local.get 0
      i32.const 0
      i32.store8 0 ${discriminant}
    end`;
}

/** Copies the unit so far behind the index. The locals are those of `storeStringCode`. */
function copyUnit(ahead: number): string {
  return `
    local.get 3
    local.get 4
    i32.add
    local.get 0
    local.get 4
    i32.const ${ahead}
    i32.add
    call ${charCodeAt}
    local.tee 5
    i32.store8 0 ${ahead}
    local.get 5
    local.get 6
    i32.or
    local.set 6`;
}

const copyFour = [0, 1, 2, 3].map(copyUnit).join("");

/**
 * Four units a round: with one, a third of the loop is not the copying. What is left over is copied with some of those before
 * it, once more.
 */
const copyCode = `
  local.get 2
  i32.const 4
  i32.lt_u
  if
    local.get 2
    if
      loop
        ${copyUnit(0)}
        local.get 4
        i32.const 1
        i32.add
        local.tee 4
        local.get 2
        i32.lt_u
        br_if 0
      end
    end
  else
    loop
      ${copyFour}
      local.get 4
      i32.const 4
      i32.add
      local.tee 4
      local.get 2
      i32.const 3
      i32.sub
      i32.lt_u
      br_if 0
    end
    local.get 4
    local.get 2
    i32.lt_u
    if
      local.get 2
      i32.const 4
      i32.sub
      local.set 4
      ${copyFour}
    end
  end`;

/**
 * Parameters: 0 the text, 1 where its pointer and length go. Locals: 2 its length, 3 where it goes, 4 the index, 5 a
 * unit, 6 the bits of all units.
 */
const storeStringCode = `
  local.get 0
  call ${length}
  local.tee 2
  i32.const ${longUnitsMin}
  i32.ge_u
  if
    local.get 0
    local.get 1
    call ${storeLong}
    return
  end

  i32.const 0
  i32.const 0
  i32.const 1
  local.get 2
  call ${realloc}
  local.tee 3
  i64.extend_i32_u
  local.get 2
  i64.extend_i32_u
  i64.add
  memory.size 0
  i64.extend_i32_u
  i64.const 16
  i64.shl
  i64.gt_u
  if
    local.get 3
    local.get 2
    call ${refusePointer}
    unreachable
  end

  local.get 1
  local.get 3
  i32.store 2 0
  local.get 1
  local.get 2
  i32.store 2 4
  ${copyCode}

  local.get 6
  i32.const 127
  i32.gt_u
  if
    local.get 0
    local.get 3
    local.get 1
    call ${growToUtf8}
  end`;
