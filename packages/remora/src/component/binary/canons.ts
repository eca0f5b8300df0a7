/** Canonical functions: lift, lower, resources, and the builtins of the asynchronous ABI by their names. */

import type { CanonBody, CanonOptions, StringEncoding } from "../model.ts";
import { readCoreValueType } from "./core-types.ts";
import { type BinaryReader, hex } from "./reader.ts";
import { readResultList } from "./types.ts";

export function readCanon(reader: BinaryReader): CanonBody {
  const offset = reader.offset;
  const form = reader.byte();
  switch (form) {
    case 0x00: {
      reader.expect(0, "a function");
      const func = reader.u32();
      const options = readOptions(reader);
      return { kind: "lift", func, options, type: reader.u32() };
    }
    case 0x01: {
      reader.expect(0, "a function");
      return { kind: "lower", func: reader.u32(), options: readOptions(reader) };
    }
    case 0x02:
      return { kind: "resource.new", type: reader.u32() };
    case 0x03:
      return { kind: "resource.drop", type: reader.u32() };
    case 0x04:
      return { kind: "resource.rep", type: reader.u32() };
    default: {
      const builtin = builtins[form];
      if (builtin === undefined) return reader.fail(`unknown canonical function ${hex(form)}`, offset);
      return readBuiltin(reader, builtin);
    }
  }
}

type Builtin = Extract<CanonBody, { kind: "builtin" }>;

type Immediate = "type" | "options" | "flag" | "memory" | "table" | "results" | "slot";

/** Each builtin's immediates in their order (Binary.md, canonical definitions). */
const builtins: Readonly<Record<number, readonly [name: string, ...immediates: Immediate[]]>> = {
  5: ["task.cancel"],
  6: ["subtask.cancel", "flag"],
  9: ["task.return", "results", "options"],
  10: ["context.get", "slot"],
  11: ["context.set", "slot"],
  12: ["thread.yield", "flag"],
  13: ["subtask.drop"],
  14: ["stream.new", "type"],
  15: ["stream.read", "type", "options"],
  16: ["stream.write", "type", "options"],
  17: ["stream.cancel-read", "type", "flag"],
  18: ["stream.cancel-write", "type", "flag"],
  19: ["stream.drop-readable", "type"],
  20: ["stream.drop-writable", "type"],
  21: ["future.new", "type"],
  22: ["future.read", "type", "options"],
  23: ["future.write", "type", "options"],
  24: ["future.cancel-read", "type", "flag"],
  25: ["future.cancel-write", "type", "flag"],
  26: ["future.drop-readable", "type"],
  27: ["future.drop-writable", "type"],
  28: ["error-context.new", "options"],
  29: ["error-context.debug-message", "options"],
  30: ["error-context.drop"],
  31: ["waitable-set.new"],
  32: ["waitable-set.wait", "flag", "memory"],
  33: ["waitable-set.poll", "flag", "memory"],
  34: ["waitable-set.drop"],
  35: ["waitable.join"],
  36: ["backpressure.inc"],
  37: ["backpressure.dec"],
  38: ["thread.index"],
  39: ["thread.new-indirect", "type", "table"],
  40: ["thread.resume-later"],
  41: ["thread.suspend", "flag"],
  42: ["thread.suspend-then-resume", "flag"],
  43: ["thread.yield-then-resume", "flag"],
  44: ["thread.suspend-then-promote", "flag"],
  45: ["thread.yield-then-promote", "flag"],
  64: ["thread.spawn-ref", "flag", "type"],
  65: ["thread.spawn-indirect", "flag", "type", "table"],
  66: ["thread.available-parallelism", "flag"],
};

function readBuiltin(
  reader: BinaryReader,
  [name, ...immediates]: readonly [string, ...Immediate[]],
): CanonBody {
  const body: { -readonly [Key in keyof Builtin]: Builtin[Key] } = {
    kind: "builtin",
    name,
    type: undefined,
    options: undefined,
    memory: undefined,
    table: undefined,
    isFlagged: false,
    result: undefined,
    slot: undefined,
  };
  for (const immediate of immediates) {
    switch (immediate) {
      case "type":
      case "memory":
      case "table":
        body[immediate] = reader.u32();
        break;
      case "options":
        body.options = readOptions(reader);
        break;
      case "flag":
        body.isFlagged = reader.flag(name);
        break;
      case "results":
        body.result = readResultList(reader);
        break;
      case "slot":
        body.slot = { type: readCoreValueType(reader), index: reader.u32() };
        break;
    }
  }
  return body;
}

const encodings: readonly StringEncoding[] = ["utf8", "utf16", "latin1+utf16"];

function readOptions(reader: BinaryReader): CanonOptions {
  let encoding: StringEncoding | undefined;
  const indices: (number | undefined)[] = [];
  let isAsync = false;
  let duplicate: string | undefined;
  reader.vector("canonical options", () => {
    const offset = reader.offset;
    const form = reader.byte();
    if (form <= 2) {
      if (encoding !== undefined) duplicate = "string-encoding";
      encoding = encodings[form];
    } else if (form === 6) {
      if (isAsync) duplicate = "async";
      isAsync = true;
    } else if (form <= 7) {
      if (indices[form] !== undefined)
        duplicate = ["memory", "realloc", "post-return", "", "callback"][form - 3];
      indices[form] = reader.u32();
    } else {
      reader.fail(`unknown canonical option ${hex(form)}`, offset);
    }
  });
  return {
    encoding,
    memory: indices[3],
    realloc: indices[4],
    postReturn: indices[5],
    isAsync,
    callback: indices[7],
    duplicate,
  };
}
