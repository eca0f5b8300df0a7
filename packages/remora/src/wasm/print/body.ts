/** Prints function bodies and constant expressions, an operator a line. */

import { unreachable } from "../../base/index.ts";
import { ByteReader } from "../byte-reader.ts";
import { skipLocals } from "../features.ts";
import type { DecodeLimits } from "../limits.ts";
import type { Body } from "../module.ts";
import type { Names } from "../names.ts";
import { operators } from "../opcodes.ts";
import { type BlockType, type Immediates, type MemArg, readImmediates, readOpcode } from "../operators.ts";
import { formatStorageType, type RefType } from "../sections/value-types.ts";
import { quote } from "./quote.ts";

export interface PrintBody {
  readonly bytes: Uint8Array;
  readonly limits: DecodeLimits;
  readonly offsets: boolean;
  readonly names: Names;
}

const opens = new Set(["block", "loop", "if", "try", "try_table"]);
const continues = new Set(["else", "catch", "catch_all"]);

/** The lines of a body: locals, then operators without the last `end`. */
export function* printBody(context: PrintBody, body: Body, func: number): Generator<string> {
  const reader = new ByteReader(context.bytes, body.offset, body.offset + body.size);
  const locals: string[] = [];
  skipLocals(reader, context.limits, {
    see: (type, _offset, count) => {
      locals.push(...new Array<string>(count).fill(formatStorageType(type)));
    },
  });
  if (locals.length > 0) yield `(local ${locals.join(" ")})`;
  const names = context.names.locals.get(func);
  if (names !== undefined && names.size > 0) {
    yield `(; locals: ${[...names].map(([index, name]) => `${index} ${quote(name).replaceAll(";", "\\3b")}`).join(", ")} ;)`;
  }
  let depth = 0;
  while (!reader.isAtEnd) {
    const offset = reader.position;
    const index = readOpcode(reader);
    const text = formatOperator(index, readImmediates(reader, index, context.limits));
    const name = operators[index]?.name ?? "";
    if (name === "end" || name === "delegate") depth--;
    if (depth < 0) return;
    // The publisher controls the depth; a line is not indented without end.
    const indent = "  ".repeat(Math.min(depth - (continues.has(name) ? 1 : 0), 40));
    yield context.offsets ? `${indent}${text} (;@0x${offset.toString(16)};)` : `${indent}${text}`;
    if (opens.has(name)) depth++;
  }
}

/** A constant expression in one line, without its `end`. */
export function printExpression(bytes: Uint8Array, limits: DecodeLimits): string {
  const reader = new ByteReader(bytes);
  const parts: string[] = [];
  while (reader.remaining > 1) {
    const index = readOpcode(reader);
    parts.push(formatOperator(index, readImmediates(reader, index, limits)));
  }
  return parts.join(" ");
}

/** Where the text format has the two indices of an operator the other way round, or leaves out a zero. */
const reversed = new Set(["memory.init", "table.init"]);
const defaultsToZero = new Set(["memory.size", "memory.grow", "memory.fill", "memory.copy"]);

function formatOperator(index: number, immediates: Immediates): string {
  const name = operators[index]?.name ?? "";
  switch (immediates.kind) {
    case "none":
      return name;
    case "block":
      return `${name}${formatBlockType(immediates.type)}`;
    case "indices":
      return `${name}${formatIndices(name, immediates.indices)}`;
    case "labels":
      return `${name} ${immediates.labels.join(" ")}`;
    case "memarg":
      return `${name}${formatMemArg(immediates.memarg)}${immediates.lane === undefined ? "" : ` ${immediates.lane}`}`;
    case "integer":
      return `${name} ${immediates.value}`;
    case "bytes":
      return `${name}${formatBytes(name, immediates.bytes)}`;
    case "select":
      return `${name} (result ${immediates.types.map(formatStorageType).join(" ")})`;
    case "heap":
      return formatHeap(name, immediates.heap);
    case "tryTable": {
      const catches = immediates.catches.map(
        ({ kind, tag, label }) => ` (${kind}${tag === undefined ? "" : ` ${tag}`} ${label})`,
      );
      return `${name}${formatBlockType(immediates.type)}${catches.join("")}`;
    }
    case "castLabel":
      return `${name} ${immediates.label} ${formatRef(immediates.from)} ${formatRef(immediates.to)}`;
    default:
      return unreachable(immediates);
  }
}

function formatBlockType(type: BlockType): string {
  if (type.kind === "empty") return "";
  return type.kind === "type" ? ` (type ${type.type})` : ` (result ${formatStorageType(type.type)})`;
}

function formatIndices(name: string, indices: readonly number[]): string {
  const [first = 0, second = 0] = indices;
  if (name.endsWith("call_indirect")) return `${second === 0 ? "" : ` ${second}`} (type ${first})`;
  if (defaultsToZero.has(name) && indices.every((index) => index === 0)) return "";
  if (name === "memory.init" && second === 0) return ` ${first}`;
  return ` ${(reversed.has(name) ? [second, first] : indices).join(" ")}`;
}

function formatMemArg({ memory, offset, align }: MemArg): string {
  const index = memory === 0 ? "" : ` ${memory}`;
  return `${index}${offset === 0n ? "" : ` offset=${offset}`} align=${2 ** align}`;
}

function formatBytes(name: string, bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (name) {
    case "f32.const":
      return ` ${formatFloat(view.getFloat32(0, true), BigInt(view.getUint32(0, true)), 23n, 0xffn)}`;
    case "f64.const":
      return ` ${formatFloat(view.getFloat64(0, true), view.getBigUint64(0, true), 52n, 0x7ffn)}`;
    case "v128.const": {
      const lanes = [0, 4, 8, 12].map((at) => `0x${view.getUint32(at, true).toString(16).padStart(8, "0")}`);
      return ` i32x4 ${lanes.join(" ")}`;
    }
    case "atomic.fence":
      return "";
    default:
      return ` ${[...bytes].join(" ")}`;
  }
}

/** Exactly: JavaScript's shortest decimal reads back as the same number, and a NaN shows its payload. */
function formatFloat(value: number, bits: bigint, mantissaBits: bigint, exponentMask: bigint): string {
  const sign = bits >> (mantissaBits + (exponentMask === 0xffn ? 8n : 11n)) === 0n ? "" : "-";
  if (Number.isNaN(value)) return `${sign}nan:0x${(bits & ((1n << mantissaBits) - 1n)).toString(16)}`;
  if (!Number.isFinite(value)) return `${sign}inf`;
  return `${sign}${Math.abs(value)}`;
}

function formatHeap(name: string, heap: RefType["heap"]): string {
  if (name === "ref.null") return `${name} ${heap}`;
  const isNullable = name.endsWith("_null");
  return `${isNullable ? name.slice(0, -"_null".length) : name} ${formatRef({ isNullable, heap })}`;
}

function formatRef({ isNullable, heap }: RefType): string {
  return `(ref ${isNullable ? "null " : ""}${heap})`;
}
