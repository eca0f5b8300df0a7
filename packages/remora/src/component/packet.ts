/**
 * Values as bytes, to be sent to where another thread or process has the same types: the layout of the Canonical ABI
 * (CanonicalABI.md, "Storing", "Loading") in a memory that belongs to the packet instead of a guest. Reading checks
 * every pointer, length and case as lifting out of a guest does, so that a packet may come from anywhere.
 *
 * A packet holds a number of values of one type, side by side at its start; what they point to lies behind them.
 */

import { type Codec, Codecs } from "./abi/codec.ts";
import { Context, type ResourceHost } from "./abi/context.ts";
import { explainMismatch } from "./abi/explain.ts";
import { HandleTable } from "./abi/handles.ts";
import type { CoreEngine, TextCodec } from "./core.ts";
import { componentErrors } from "./errors.ts";
import { PacketText } from "./packet-text.ts";
import type { Field, FuncType, ValueType } from "./types.ts";

/** Bytes of one packet. */
export const packetBytesMax = 96 * 1024 * 1024;

const bytesAtFirst = 16 * 1024;
/** A memory larger than this is not kept for the next packet. */
const bytesKeptMax = 1024 * 1024;

/** The text of a larger packet is not made, beside what it holds. */
const sharedBytesMax = bytesKeptMax;

export interface PacketOptions {
  /**
   * Strings that are read may keep the text of the whole packet alive, up to 1 MB: reading takes a third of the time.
   * Default: false.
   */
  readonly sharesText?: boolean;
}

/** Writes and reads packets, one at a time: the bytes of one are gone when the next is written or read. */
export class Packets {
  readonly #codecs = new Codecs("packet");
  readonly #memory = new PacketMemory();
  readonly #cx: Context;
  readonly #text: PacketText;
  readonly #sharesText: boolean;

  constructor(text: TextCodec, resources: ResourceHost, { sharesText = false }: PacketOptions = {}) {
    this.#text = new PacketText(text);
    this.#sharesText = sharesText;
    const engine: Pick<CoreEngine, "text"> = { text: this.#text };
    this.#cx = new Context({
      // Of an engine, codecs use the strings only.
      engine: engine as CoreEngine,
      state: {
        index: 0,
        handles: new HandleTable({ left: 0 }),
        mayLeave: true,
        mayEnter: true,
        borrows: 0,
        lent: [],
        slots: [],
        backpressure: 0,
        scope: undefined,
        lending: undefined,
      },
      resources,
      memory: this.#memory,
      realloc: (pointer: number, oldSize: number, align: number, size: number) =>
        this.#memory.allocate(pointer, oldSize, align, size),
      encoding: "utf8",
      liftBytesMax: packetBytesMax,
    });
  }

  /** How values of a type are written and read. */
  codec(type: ValueType): Codec {
    return this.#codecs.of(type);
  }

  /**
   * Writes values of one type; they are checked first, all of them.
   *
   * @param params Of a function whose arguments the values are: names for the error.
   * @returns A view of the packet, valid until the next one.
   * @throws component/type-mismatch the first value that does not fit
   */
  write(codec: Codec, values: readonly unknown[], params?: readonly Field[]): Uint8Array {
    const cx = this.#cx;
    const { length } = values;
    const stride = alignTo(codec.size, codec.align);
    this.#memory.reset();
    this.#text.begin();
    cx.refreshIfDetached();
    cx.beginCheck();
    for (let index = 0; index < length; index++) {
      if (!codec.check(values[index], cx)) this.#refuse(codec, values[index], params);
    }
    cx.beginLower();
    const first = cx.allocate(codec.align, stride * length);
    for (let index = 0; index < length; index++) codec.store(cx, values[index], first + index * stride);
    cx.bytes[isAsciiAt] = this.#text.isAscii ? 1 : 0;
    return cx.bytes.subarray(0, this.#memory.used);
  }

  /** @throws component/trap the bytes are no packet of `count` such values */
  read(codec: Codec, bytes: Uint8Array, count: number): unknown[] {
    const cx = this.#cx;
    const stride = alignTo(codec.size, codec.align);
    this.#memory.load(bytes);
    this.#text.begin();
    cx.beginLift();
    if (this.#sharesText && cx.bytes[isAsciiAt] === 1 && bytes.length <= sharedBytesMax)
      this.#text.share(cx.bytes, bytes.length);
    const first = alignTo(packetStart, codec.align);
    if (!(count >= 0 && count * Math.max(stride, 1) <= packetBytesMax))
      cx.checkRange(0, 1, packetBytesMax + 1);
    if (count > 0) cx.checkRange(first, 1, count * stride);
    const values: unknown[] = [];
    for (let index = 0; index < count; index++) values.push(codec.load(cx, first + index * stride));
    return values;
  }

  #refuse(codec: Codec, value: unknown, params: readonly Field[] | undefined): never {
    const args = params === undefined ? undefined : (value as readonly unknown[]); // As many as there are parameters.
    const index = params?.findIndex(({ type }, at) => !this.codec(type).check(args?.[at], this.#cx)) ?? -1;
    const param = params?.[index];
    const [type, wrong, path] =
      param === undefined ? [codec.type, value, "value"] : [param.type, args?.[index], param.name];
    throw componentErrors["type-mismatch"](explainMismatch(type, wrong, path, this.#cx, this.#codecs));
  }
}

/** The parameters of a function as one type: its arguments are a value of it. */
export function argumentsType(type: FuncType): ValueType {
  return { kind: "tuple", elements: type.params.map((param) => param.type) };
}

/** As many arguments as there are parameters: `undefined` for those that were left out. */
export function argumentsFor(type: FuncType, args: readonly unknown[]): readonly unknown[] {
  const { length } = type.params;
  return args.length === length ? args : Array.from({ length }, (_, index) => args[index]);
}

/** Address 0 stays free: some codecs take it for "nothing". */
const packetStart = 8;
/** A 1 here says that all strings are ASCII. */
const isAsciiAt = 0;

class PacketMemory {
  buffer = new ArrayBuffer(bytesAtFirst);
  /** Where the next allocation is. */
  used = packetStart;

  reset(): void {
    if (this.buffer.byteLength > bytesKeptMax) this.#resize(bytesAtFirst);
    this.used = packetStart;
  }

  allocate(pointer: number, oldSize: number, align: number, size: number): number {
    const at = alignTo(this.used, align);
    if (at + size > this.buffer.byteLength) this.#grow(at + size);
    this.used = at + size;
    if (oldSize > 0) new Uint8Array(this.buffer).copyWithin(at, pointer, pointer + oldSize);
    return at;
  }

  /** Takes a packet in; nothing of an earlier one is left behind it. */
  load(bytes: Uint8Array): void {
    const before = this.used;
    this.reset();
    if (bytes.length > this.buffer.byteLength) this.#grow(bytes.length);
    const all = new Uint8Array(this.buffer);
    all.set(bytes);
    if (before > bytes.length) all.fill(0, bytes.length, Math.min(before, all.length));
    this.used = bytes.length;
  }

  #grow(sizeBytes: number): void {
    if (sizeBytes > packetBytesMax) {
      throw componentErrors["type-mismatch"]({
        path: "values",
        expected: `at most ${packetBytesMax} bytes together`,
        found: `${sizeBytes} or more`,
      });
    }
    this.#resize(Math.min(packetBytesMax, Math.max(sizeBytes, 2 * this.buffer.byteLength)));
  }

  /** The old buffer is detached, by which its views are known to be stale. The new one has room for views of any unit. */
  #resize(sizeBytes: number): void {
    this.buffer = this.buffer.transfer(alignTo(sizeBytes, 8));
  }
}

function alignTo(size: number, align: number): number {
  return Math.ceil(size / align) * align;
}
