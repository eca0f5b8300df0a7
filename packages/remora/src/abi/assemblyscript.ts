/**
 * The convention of modules that AssemblyScript compiled with `--exportRuntime`. A string is a managed object: UTF-16,
 * with its length in bytes in the word before it. What the host makes in the guest is pinned while a call lasts, so
 * that the guest's collector leaves it alone.
 *
 * An export with one parameter takes a string; one with two takes the address and the length of UTF-8 bytes.
 * A result is a string, whose address 0 (null) stands for an empty one, or a number.
 */

import type { CoreFunctions, ModuleInstance } from "../engine/index.ts";
import type { Asyncify } from "./asyncify.ts";
import type { CalledExport } from "./called-export.ts";
import { abiErrors } from "./errors.ts";
import { addressOf, type GuestBytes, signedOf, utf8Length } from "./guest-bytes.ts";
import type { GuestText } from "./guest-text.ts";
import { type Answer, type TextCall, TextGuest } from "./text-guest.ts";

/** Runtime ids of AssemblyScript's own classes; the same in every module since 0.20. */
export const arrayBufferId = 1;
export const stringId = 2;

type CoreFunction = CoreFunctions[string];

/** A heap that grew to twice its size is worth a look by a collector that runs only when it is told to. */
const pageBytes = 65_536;

export class AssemblyScriptGuest extends TextGuest {
  readonly convention = "assemblyscript";
  readonly #heap: Heap;
  #collectedBytes: number;

  constructor(instance: ModuleInstance, asyncify?: Asyncify) {
    super(instance, asyncify);
    this.#heap = new Heap(this.bytes);
    this.#collectedBytes = this.bytes.size;
  }

  give(name: string, text?: GuestText, startedMs?: number): Answer<number> {
    const called = this.called(name);
    this.#collectIfGrown();
    return this.perform(new NumberCall(called, this.#heap, text), startedMs);
  }

  ask(name: string, text: string | undefined, bytesMax: number): Answer<string> {
    const called = this.called(name);
    this.#collectIfGrown();
    return this.perform(new StringCall(called, this.#heap, text, bytesMax));
  }

  /** The runtime "minimal" collects when the host says so; for "incremental" it is a help, for "stub" nothing. */
  #collectIfGrown(): void {
    const bytes = this.bytes.size;
    if (bytes < 2 * Math.max(this.#collectedBytes, 16 * pageBytes) || this.isWaiting) return;
    this.#collectedBytes = bytes;
    if (this.has("__collect")) this.instance.together(collect, undefined);
  }
}

const collect = (functions: CoreFunctions) => functions.__collect?.();

/** The managed objects that the host makes in a guest for a call. The runtime's functions are looked up once. */
class Heap {
  readonly bytes: GuestBytes;
  #new: CoreFunction | undefined;
  #pin: CoreFunction | undefined;
  #unpin: CoreFunction | undefined;

  constructor(bytes: GuestBytes) {
    this.bytes = bytes;
  }

  /** Allocates an object that the guest's collector leaves alone until it is let go of. */
  pinned(functions: CoreFunctions, length: number, id: number): number {
    if (this.#new === undefined) {
      this.#new = functions.__new;
      this.#pin = functions.__pin;
      this.#unpin = functions.__unpin;
    }
    const pointer = allocated(this.#new, length, id);
    this.#pin?.(pointer);
    return pointer;
  }

  letGo(pointer: number): void {
    this.#unpin?.(pointer);
  }
}

abstract class Call<Result> implements TextCall<Result> {
  readonly called: CalledExport;
  protected readonly heap: Heap;
  readonly #text: GuestText;
  #pointer = 0;
  #length = 0;

  constructor(called: CalledExport, heap: Heap, text: GuestText = "") {
    this.called = called;
    this.heap = heap;
    this.#text = text;
  }

  prepare(functions: CoreFunctions): void {
    const { parameters } = this.called;
    if (parameters === 1) this.#makeString(functions);
    else if (parameters > 1) this.#makeBytes(functions);
  }

  #makeString(functions: CoreFunctions): void {
    const { heap } = this;
    const text = typeof this.#text === "string" ? this.#text : this.#text.utf16();
    const what = "the string for the guest";
    if (typeof text === "string") {
      this.#pointer = heap.pinned(functions, 2 * text.length, stringId);
      heap.bytes.setUtf16(this.#pointer, text, what);
    } else {
      this.#pointer = heap.pinned(functions, text.length, stringId);
      heap.bytes.set(this.#pointer, text, what);
    }
  }

  #makeBytes(functions: CoreFunctions): void {
    const { heap } = this;
    const text = typeof this.#text === "string" ? this.#text : this.#text.utf8();
    const what = "the bytes for the guest";
    if (typeof text === "string") {
      this.#length = utf8Length(text);
      this.#pointer = heap.pinned(functions, this.#length, 0);
      heap.bytes.setUtf8(this.#pointer, text, this.#length, what);
    } else {
      this.#length = text.length;
      this.#pointer = heap.pinned(functions, this.#length, 0);
      heap.bytes.set(this.#pointer, text, what);
    }
  }

  enter(): unknown {
    return this.called.function(this.#pointer, this.#length);
  }

  finish(_functions: CoreFunctions, returned: unknown): Result {
    const result = this.take(returned);
    if (this.#pointer !== 0) this.heap.letGo(this.#pointer);
    return result;
  }

  protected abstract take(returned: unknown): Result;
}

class NumberCall extends Call<number> {
  protected override take(returned: unknown): number {
    return signedOf(returned, this.called.result);
  }
}

class StringCall extends Call<string> {
  readonly #bytesMax: number;

  constructor(called: CalledExport, heap: Heap, text: string | undefined, bytesMax: number) {
    super(called, heap, text);
    this.#bytesMax = bytesMax;
  }

  protected override take(returned: unknown): string {
    return readString(this.heap.bytes, returned, this.called.answer, this.#bytesMax);
  }
}

/**
 * Allocates a managed object, or bytes with the id 0.
 *
 * @throws abi/no-such-export abi/no-memory
 */
export function newObject(functions: CoreFunctions, length: number, id: number): number {
  return allocated(functions.__new, length, id);
}

function allocated(allocate: CoreFunction | undefined, length: number, id: number): number {
  if (allocate === undefined) {
    throw abiErrors["no-such-export"]({ name: "__new", near: "; compile it with --exportRuntime" });
  }
  const pointer = addressOf(allocate(length, id), `the address from "__new"`);
  if (pointer === 0) throw abiErrors["no-memory"]({ allocator: "__new", length });
  return pointer;
}

/** Reads a string by its address; null is empty. */
export function readString(bytes: GuestBytes, pointer: unknown, what: string, bytesMax: number): string {
  const at = addressOf(pointer, what);
  if (at === 0) return "";
  const length = lengthBefore(bytes, at, what, bytesMax);
  return bytes.utf16(at, length, what);
}

/** Reads an ArrayBuffer by its address: a view, valid until the guest runs again; null is empty. */
export function readArrayBuffer(
  bytes: GuestBytes,
  pointer: unknown,
  what: string,
  bytesMax: number,
): Uint8Array {
  const at = addressOf(pointer, what);
  if (at === 0) return new Uint8Array(0);
  return bytes.slice(at, lengthBefore(bytes, at, what, bytesMax), what);
}

/** Reads an Array of references: buffer, start of the data, its bytes, the length; a word each. */
export function readReferences(
  bytes: GuestBytes,
  pointer: unknown,
  what: string,
  lengthMax: number,
): number[] {
  const at = addressOf(pointer, what);
  if (at === 0) return [];
  const start = bytes.u32(at + 4, what);
  const length = bytes.u32(at + 12, what);
  if (length > lengthMax) throw abiErrors["too-long"]({ what, length: 4 * length, lengthMax: 4 * lengthMax });
  return Array.from({ length }, (_, index) => bytes.u32(start + 4 * index, what));
}

/** The header's last word is the length in bytes; an address without room for it is none of this convention. */
function lengthBefore(bytes: GuestBytes, at: number, what: string, bytesMax: number): number {
  if (at < 4) throw abiErrors["out-of-bounds"]({ what, pointer: at, length: 4, memoryBytes: 0 });
  const length = bytes.u32(at - 4, what);
  if (length > bytesMax) throw abiErrors["too-long"]({ what, length, lengthMax: bytesMax });
  return length;
}
