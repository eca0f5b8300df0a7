/**
 * A small WebAssembly module, written here, that moves arguments out of a packet into a guest's memory. A packet has the
 * layout that they have there, so values are copied as they are, and then each pointer inside is made one of the
 * guest's: room from its allocator, the bytes behind the old pointer, the new pointer in its place. Allocations come in
 * the order and with the sizes of lowering the same values from JavaScript (CanonicalABI.md, "Storing").
 *
 * Packets are the host's own, and this is for those whose strings are all ASCII: their bytes are what Latin-1 has, and
 * the lower halves of UTF-16.
 */

import { reservedPrefix } from "../../wasm/metering/contract.ts";
import type { CoreFunction, CoreMemory } from "../core.ts";
import type { StringEncoding } from "../model.ts";
import type { ValueType } from "../types.ts";
import { casesOf, discriminantSize, layoutOf, layoutOfFields, offsetsOf, payloadOffset } from "./layout.ts";
import { funcType as func, type SmallFunction, smallModule } from "./small-module.ts";

/** (pointer to the values in the packet) -> pointer to them in the guest's memory */
export const transferExport = `${reservedPrefix}transfer`;

export interface TransferImports {
  readonly guest: { readonly memory: CoreMemory; readonly realloc: CoreFunction };
  readonly packet: { readonly memory: CoreMemory };
  readonly host: {
    /** Throws: the allocator gave a pointer that is not aligned, or not all within memory. */
    readonly refusePointer: (pointer: number, align: number, size: number) => never;
  };
}

/** The publisher chooses the types: one with more parts than this is lowered from JavaScript. */
const partsMax = 1_000;

const imports = [
  ["guest", "realloc", func(["i32", "i32", "i32", "i32"], ["i32"])],
  ["host", "refusePointer", func(["i32", "i32", "i32"])],
] as const;
const [realloc, refusePointer] = [0, 1];
const [allocate, moveString] = [imports.length, imports.length + 1];

/** The module for values of these types, side by side; undefined when one of them has more than memory in it. */
export function transferModule(
  types: readonly ValueType[],
  encoding: StringEncoding,
): Uint8Array | undefined {
  const parts = new Parts(allocateFunction, stringFunction(encoding));
  const fix = parts.fields(types);
  if (fix === undefined) return undefined;
  const { size, align } = layoutOfFields(types);
  return smallModule({
    functionImports: imports,
    memoryImports: [
      ["guest", "memory"],
      ["packet", "memory"],
    ],
    functions: [
      ...parts.functions,
      {
        name: transferExport,
        type: func(["i32"], ["i32"]),
        locals: ["i32"],
        code: `
          i32.const ${align}
          i32.const ${size}
          call ${allocate}
          local.tee 1
          local.get 0
          i32.const ${size}
          memory.copy 0 1
          ${fix("local.get 1")}
          local.get 1`,
      },
    ],
  });
}

/** Code that makes the pointers at an address, which the given code puts on the stack, the guest's. */
type Fix = (address: string) => string;

const nothing: Fix = () => "";

class Parts {
  readonly functions: SmallFunction[];
  readonly #known = new Map<ValueType, Fix | undefined>();
  #left = partsMax;

  constructor(...functions: SmallFunction[]) {
    this.functions = functions;
  }

  /** Undefined when values of the type cannot be moved so. */
  of(type: ValueType): Fix | undefined {
    if (this.#known.has(type)) return this.#known.get(type);
    const fix = this.#left-- > 0 ? this.#make(type) : undefined;
    this.#known.set(type, fix);
    return fix;
  }

  fields(types: readonly ValueType[]): Fix | undefined {
    const offsets = offsetsOf(types);
    const fixes: Fix[] = [];
    for (const [index, type] of types.entries()) {
      const fix = this.of(type);
      if (fix === undefined) return undefined;
      if (fix !== nothing)
        fixes.push((address) => fix(`${address}\ni32.const ${offsets[index] ?? 0}\ni32.add`));
    }
    return this.#named(fixes);
  }

  #make(type: ValueType): Fix | undefined {
    switch (type.kind) {
      case "own":
      case "borrow":
      case "stream":
      case "future":
      case "error-context":
        return undefined;
      case "string":
        return (address) => `${address}\ncall ${moveString}`;
      case "record":
        return this.fields(type.fields.map((field) => field.type));
      case "tuple":
        return this.fields(type.elements);
      case "list":
        return type.length === undefined
          ? this.#list(type.element)
          : this.#fixedList(type.element, type.length);
      case "map":
        return this.#list({ kind: "tuple", elements: [type.key, type.value] });
      case "variant":
      case "option":
      case "result":
        return this.#cases(casesOf(type));
      default:
        return nothing;
    }
  }

  /** A function of its own, so that code grows with the number of types and not with that of their uses. */
  #named(fixes: readonly Fix[]): Fix {
    const [first] = fixes;
    if (first === undefined) return nothing;
    return this.#function(fixes.map((fix) => fix("local.get 0")).join("\n"), 0);
  }

  #function(code: string, locals: number): Fix {
    const index = imports.length + this.functions.length;
    this.functions.push({ type: func(["i32"]), locals: new Array(locals).fill("i32"), code });
    return (address) => `${address}\ncall ${index}`;
  }

  #cases(cases: readonly (ValueType | undefined)[]): Fix | undefined {
    const offset = payloadOffset(cases);
    const load = { 1: "i32.load8_u 0 0", 2: "i32.load16_u 1 0", 4: "i32.load 2 0" }[
      discriminantSize(cases.length)
    ];
    const branches: string[] = [];
    for (const [index, type] of cases.entries()) {
      const fix = type === undefined ? nothing : this.of(type);
      if (fix === undefined) return undefined;
      if (fix === nothing) continue;
      branches.push(`
        local.get 0
        ${load}
        i32.const ${index}
        i32.eq
        if
          ${fix(`local.get 0\ni32.const ${offset}\ni32.add`)}
        end`);
    }
    return branches.length === 0 ? nothing : this.#function(branches.join("\n"), 0);
  }

  #fixedList(element: ValueType, length: number): Fix | undefined {
    const fix = this.of(element);
    if (fix === undefined || fix === nothing) return fix;
    const { size } = layoutOf(element);
    return this.#function(`local.get 0\nlocal.set 1\n${loop(fix, size, `i32.const ${length * size}`)}`, 2);
  }

  /** Parameter: 0 the address of pointer and count. Locals: 1 an element, 2 the end, 3 the size in bytes. */
  #list(element: ValueType): Fix | undefined {
    const fix = this.of(element);
    if (fix === undefined) return undefined;
    const { size, align } = layoutOf(element);
    return this.#function(
      `
      i32.const ${align}
      local.get 0
      i32.load 2 4
      i32.const ${size}
      i32.mul
      local.tee 3
      call ${allocate}
      local.tee 1
      local.get 0
      i32.load 2 0
      local.get 3
      memory.copy 0 1
      local.get 0
      local.get 1
      i32.store 2 0
      ${fix === nothing ? "" : loop(fix, size, "local.get 3")}`,
      3,
    );
  }
}

/** From local 1 on, so many bytes; local 2 becomes their end. */
function loop(fix: Fix, size: number, bytes: string): string {
  return `
    local.get 1
    ${bytes}
    i32.add
    local.set 2
    block
      loop
        local.get 1
        local.get 2
        i32.ge_u
        br_if 1
        ${fix("local.get 1")}
        local.get 1
        i32.const ${size}
        i32.add
        local.set 1
        br 0
      end
    end`;
}

/** Parameters: 0 the alignment, 1 the size. Local: 2 the pointer. */
const allocateFunction: SmallFunction = {
  type: func(["i32", "i32"], ["i32"]),
  locals: ["i32"],
  code: `
    i32.const 0
    i32.const 0
    local.get 0
    local.get 1
    call ${realloc}
    local.tee 2
    local.get 0
    i32.const 1
    i32.sub
    i32.and
    local.get 2
    i64.extend_i32_u
    local.get 1
    i64.extend_i32_u
    i64.add
    memory.size 0
    i64.extend_i32_u
    i64.const 16
    i64.shl
    i64.gt_u
    i32.or
    if
      local.get 2
      local.get 0
      local.get 1
      call ${refusePointer}
      unreachable
    end
    local.get 2`,
};

/** Parameter: 0 the address of pointer and length. Locals: 1 the length, 2 the new pointer, 3 and 4 for widening. */
function stringFunction(encoding: StringEncoding): SmallFunction {
  const isWide = encoding === "utf16";
  return {
    type: func(["i32"]),
    locals: ["i32", "i32", "i32", "i32"],
    code: `
      i32.const ${encoding === "utf8" ? 1 : 2}
      local.get 0
      i32.load 2 4
      local.tee 1
      ${isWide ? "i32.const 1\ni32.shl" : ""}
      call ${allocate}
      local.tee 2
      ${isWide ? "local.get 1\ni32.add" : ""}
      local.get 0
      i32.load 2 0
      local.get 1
      memory.copy 0 1
      local.get 0
      local.get 2
      i32.store 2 0
      ${isWide ? widenCode : ""}`,
  };
}

/** The bytes are in the upper half of the room: each is read before what is written gets there. */
const widenCode = `
  local.get 1
  i32.eqz
  br_if 0
  local.get 2
  local.get 1
  i32.add
  local.tee 3
  local.get 1
  i32.add
  local.set 4
  loop
    local.get 2
    local.get 3
    i32.load8_u 0 0
    i32.store16 1 0
    local.get 2
    i32.const 2
    i32.add
    local.set 2
    local.get 3
    i32.const 1
    i32.add
    local.tee 3
    local.get 4
    i32.lt_u
    br_if 0
  end`;
