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
import { abiErrors } from "./errors.ts";
import { addressOf, type GuestBytes, signedOf, utf8Length } from "./guest-bytes.ts";
import { type Answer, type TextCall, TextGuest } from "./text-guest.ts";

/** Runtime ids of AssemblyScript's own classes; the same in every module since 0.20. */
export const arrayBufferId = 1;
export const stringId = 2;

/** A heap that grew to twice its size is worth a look by a collector that runs only when it is told to. */
const pageBytes = 65_536;

export class AssemblyScriptGuest extends TextGuest {
  readonly convention = "assemblyscript";
  #collectedBytes: number;

  constructor(instance: ModuleInstance, asyncify?: Asyncify) {
    super(instance, asyncify);
    this.#collectedBytes = this.#memoryBytes;
  }

  give(name: string, text?: string): Answer<number> {
    this.#collectIfGrown();
    return this.perform(new NumberCall(name, this.bytes, text));
  }

  ask(name: string, text: string | undefined, bytesMax: number): Answer<string> {
    this.#collectIfGrown();
    return this.perform(new StringCall(name, this.bytes, text, bytesMax));
  }

  get #memoryBytes(): number {
    return this.instance.memory?.buffer.byteLength ?? 0;
  }

  /** The runtime "minimal" collects when the host says so; for "incremental" it is a help, for "stub" nothing. */
  #collectIfGrown(): void {
    const bytes = this.#memoryBytes;
    if (bytes < 2 * Math.max(this.#collectedBytes, 16 * pageBytes) || this.isWaiting) return;
    this.#collectedBytes = bytes;
    if (this.has("__collect")) this.instance.together(collect, undefined);
  }
}

const collect = (functions: CoreFunctions) => functions.__collect?.();

abstract class Call<Result> implements TextCall<Result> {
  readonly name: string;
  protected readonly bytes: GuestBytes;
  readonly #text: string | undefined;
  #pointer = 0;
  #length = 0;

  constructor(name: string, bytes: GuestBytes, text: string | undefined) {
    this.name = name;
    this.bytes = bytes;
    this.#text = text;
  }

  prepare(functions: CoreFunctions): void {
    const text = this.#text ?? "";
    const parameters = functions[this.name]?.length ?? 0;
    if (parameters === 1) {
      this.#allocate(functions, 2 * text.length, stringId);
      this.bytes.setUtf16(this.#pointer, text, "the string for the guest");
    } else if (parameters > 1) {
      this.#length = utf8Length(text);
      this.#allocate(functions, this.#length, 0);
      this.bytes.setUtf8(this.#pointer, text, this.#length, "the bytes for the guest");
    }
  }

  enter(functions: CoreFunctions): unknown {
    // What is not needed is ignored by V8, as in every host of this convention.
    return functions[this.name]?.(this.#pointer, this.#length);
  }

  finish(functions: CoreFunctions, returned: unknown): Result {
    const result = this.take(returned);
    if (this.#pointer !== 0) functions.__unpin?.(this.#pointer);
    return result;
  }

  protected abstract take(returned: unknown): Result;

  #allocate(functions: CoreFunctions, length: number, id: number): void {
    this.#pointer = newObject(functions, length, id);
    functions.__pin?.(this.#pointer);
  }
}

class NumberCall extends Call<number> {
  protected override take(returned: unknown): number {
    return signedOf(returned, `the result of "${this.name}"`);
  }
}

class StringCall extends Call<string> {
  readonly #bytesMax: number;

  constructor(name: string, bytes: GuestBytes, text: string | undefined, bytesMax: number) {
    super(name, bytes, text);
    this.#bytesMax = bytesMax;
  }

  protected override take(returned: unknown): string {
    return readString(this.bytes, returned, `the answer of "${this.name}"`, this.#bytesMax);
  }
}

/**
 * Allocates a managed object, or bytes with the id 0.
 *
 * @throws abi/no-such-export abi/no-memory
 */
export function newObject(functions: CoreFunctions, length: number, id: number): number {
  const allocate = functions.__new;
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
