/**
 * Values as bytes, to be sent to where another thread or process has the same types: the layout of the Canonical ABI
 * (CanonicalABI.md, "Storing", "Loading") in a memory that belongs to the packet instead of a guest. Reading checks
 * every pointer, length and case as lifting out of a guest does, so that a packet may come from anywhere.
 *
 * A packet holds a number of values of one type, side by side at its start; what they point to lies behind them.
 */

import { type Codec, Codecs } from "./abi/codec.ts";
import type { AsyncValues, HostValues } from "./abi/codec-async.ts";
import { Context, freshState, type ResourceHost } from "./abi/context.ts";
import { explainMismatch } from "./abi/explain.ts";
import { HandleTable } from "./abi/handles.ts";
import type { CoreEngine } from "./core.ts";
import { componentErrors } from "./errors.ts";
import { PacketMemory, packetBytesMax, packetStart } from "./packet-memory.ts";
import { PacketText } from "./packet-text.ts";
import type { Field, FuncType, ValueType } from "./types.ts";

/** What the values of a packet may cost whoever reads it. They are smaller in a packet; but not by more than this. */
const heldBytesMax = 4 * packetBytesMax;

/** The text of a larger packet is not made, beside what it holds. */
const sharedBytesMax = 1024 * 1024;

export interface PacketOptions {
  /**
   * Strings that are read may keep the text of the whole packet alive, up to 1 MB: reading takes a third of the time.
   * Default: false.
   */
  readonly sharesText?: boolean;
  /** Shared with others. Default: one of its own. */
  readonly memory?: PacketMemory;
  /** Of types that have streams or futures: gives numbers for them, and objects for numbers. */
  readonly ends?: HostValues;
}

/** What packets need of an engine. */
export type PacketEngine = Pick<CoreEngine, "text"> & Required<Pick<CoreEngine, "routines">>;

/** Writes and reads packets, one at a time: the bytes of one are gone when the next is written or read. */
export class Packets {
  readonly #codecs = new Codecs("packet");
  readonly #memory: PacketMemory;
  readonly #engine: CoreEngine;
  readonly #resources: ResourceHost;
  readonly #text: PacketText;
  readonly #sharesText: boolean;
  readonly #ends: HostValues | undefined;
  #cx: Context;

  constructor(engine: PacketEngine, resources: ResourceHost, options: PacketOptions = {}) {
    this.#memory = options.memory ?? new PacketMemory(engine.routines);
    this.#text = new PacketText(engine.text);
    this.#sharesText = options.sharesText ?? false;
    this.#ends = options.ends;
    const used: PacketEngine = { text: this.#text, routines: engine.routines };
    this.#engine = used as CoreEngine; // Codecs use nothing else of an engine.
    this.#resources = resources;
    this.#cx = this.#context();
  }

  /** How values of a type are written and read. */
  codec(type: ValueType): Codec {
    return this.#codecs.of(type);
  }

  /** @throws component/type-mismatch a value does not fit, as when it is written */
  check(codec: Codec, values: readonly unknown[], params?: readonly Field[]): void {
    this.#checked(codec, values, params);
  }

  /**
   * Writes values of one type; they are checked first, all of them.
   *
   * @param params Of a function whose arguments the values are: names for the error.
   * @returns A view of the packet, valid until the next one.
   * @throws component/type-mismatch the first value that does not fit
   */
  write(codec: Codec, values: readonly unknown[], params?: readonly Field[]): Uint8Array {
    const { length } = values;
    const stride = alignTo(codec.size, codec.align);
    const cx = this.#checked(codec, values, params);
    // No code of the host's runs from here on, so that no other packet comes between.
    this.#memory.clear();
    cx.refreshIfDetached();
    cx.beginLower();
    const first = cx.allocate(codec.align, stride * length);
    for (let index = 0; index < length; index++) codec.store(cx, values[index], first + index * stride);
    cx.bytes[isAsciiAt] = this.#text.isAscii ? 1 : 0;
    return cx.bytes.subarray(0, this.#memory.used);
  }

  /** @throws component/trap the bytes are no packet of `count` such values */
  read(codec: Codec, bytes: Uint8Array, count: number): unknown[] {
    const cx = this.#renewed();
    const stride = alignTo(codec.size, codec.align);
    this.#memory.load(bytes);
    this.#text.begin();
    cx.beginLift();
    if (this.#sharesText && isAsciiPacket(bytes) && bytes.length <= sharedBytesMax)
      this.#text.share(cx.bytes, bytes.length);
    const first = firstValueAt(codec);
    if (!(count >= 0 && count * Math.max(stride, 1) <= packetBytesMax))
      cx.checkRange(0, 1, packetBytesMax + 1);
    if (count > 0) cx.checkRange(first, 1, count * stride);
    const values: unknown[] = [];
    for (let index = 0; index < count; index++) values.push(codec.load(cx, first + index * stride));
    return values;
  }

  /** A getter among the values may write another packet meanwhile, after which the memory may be another one. */
  #checked(codec: Codec, values: readonly unknown[], params: readonly Field[] | undefined): Context {
    for (;;) {
      const cx = this.#renewed();
      cx.beginCheck();
      for (const value of values) if (!codec.check(value, cx)) this.#refuse(codec, value, params);
      if (cx.memory === this.#memory.memory) {
        this.#text.begin();
        return cx;
      }
    }
  }

  /** The context, around a memory that may be used. */
  #renewed(): Context {
    this.#memory.renew();
    if (this.#cx.memory !== this.#memory.memory) this.#cx = this.#context();
    return this.#cx;
  }

  #context(): Context {
    const { memory, realloc } = this.#memory;
    return new Context({
      engine: this.#engine,
      state: freshState(0, new HandleTable({ left: 0 })),
      resources: this.#resources,
      memory,
      realloc,
      encoding: "utf8",
      liftBytesMax: heldBytesMax,
      // In packets nothing is taken out of a guest's table, or put into one.
      asyncValues: this.#ends as AsyncValues | undefined,
    });
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

/** A 1 here says that all strings are ASCII. */
const isAsciiAt = 0;

export function isAsciiPacket(packet: Uint8Array): boolean {
  return packet[isAsciiAt] === 1;
}

/** Where the first value of a packet is. */
export function firstValueAt({ align }: Pick<Codec, "align">): number {
  return alignTo(packetStart, align);
}

function alignTo(size: number, align: number): number {
  return Math.ceil(size / align) * align;
}
