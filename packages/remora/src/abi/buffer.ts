/**
 * The convention of modules in Rust, TinyGo or C that export `allocate(size)` and `deallocate(address, size)`: texts
 * are UTF-8, in by address and length, out into a buffer of the host's choosing: `(out, max) -> length` or
 * `(text, length, out, max) -> length`.
 */

import type { CoreFunctions } from "../engine/index.ts";
import type { CalledExport } from "./called-export.ts";
import { abiErrors } from "./errors.ts";
import { addressOf, type GuestBytes, signedOf, utf8Length } from "./guest-bytes.ts";
import type { GuestText } from "./guest-text.ts";
import { type Answer, type TextCall, TextGuest } from "./text-guest.ts";

export class BufferGuest extends TextGuest {
  readonly convention = "buffer";
  readonly #heap = new Heap(this.bytes);

  give(name: string, text?: GuestText, startedMs?: number): Answer<number> {
    return this.perform(new GiveCall(this.called(name), this.#heap, text), startedMs);
  }

  ask(name: string, text: string | undefined, bytesMax: number): Answer<string> {
    return this.perform(new AskCall(this.called(name), this.#heap, text, bytesMax));
  }
}

/** A call with a text in the guest's memory. */
abstract class Call<Result> implements TextCall<Result> {
  readonly called: CalledExport;
  protected readonly heap: Heap;
  readonly #text: GuestText;
  protected pointer = 0;
  protected length = 0;

  constructor(called: CalledExport, heap: Heap, text: GuestText = "") {
    this.called = called;
    this.heap = heap;
    this.#text = text;
  }

  abstract prepare(functions: CoreFunctions): void;
  abstract enter(): unknown;
  abstract finish(functions: CoreFunctions, returned: unknown): Result;

  protected handOver(functions: CoreFunctions): void {
    const { heap } = this;
    const text = typeof this.#text === "string" ? this.#text : this.#text.utf8();
    this.length = typeof text === "string" ? utf8Length(text) : text.length;
    this.pointer = heap.allocated(functions, this.length);
    const what = "the bytes for the guest";
    if (typeof text === "string") heap.bytes.setUtf8(this.pointer, text, this.length, what);
    else heap.bytes.set(this.pointer, text, what);
  }
}

class GiveCall extends Call<number> {
  prepare(functions: CoreFunctions): void {
    if (this.called.parameters >= 2) this.handOver(functions);
  }

  enter(): unknown {
    return this.called.function(this.pointer, this.length);
  }

  finish(_functions: CoreFunctions, returned: unknown): number {
    this.heap.free(this.pointer, this.length);
    return signedOf(returned, this.called.result);
  }
}

class AskCall extends Call<string> {
  readonly #bytesMax: number;
  #output = 0;
  #takesInput = false;

  constructor(called: CalledExport, heap: Heap, text: string | undefined, bytesMax: number) {
    super(called, heap, text);
    this.#bytesMax = bytesMax;
  }

  prepare(functions: CoreFunctions): void {
    this.#takesInput = this.called.parameters >= 4;
    if (this.#takesInput) this.handOver(functions);
    this.#output = this.heap.allocated(functions, this.#bytesMax);
    // It must lie in memory whether or not the guest fills it.
    this.heap.bytes.slice(this.#output, this.#bytesMax, "the buffer for the answer");
  }

  enter(): unknown {
    if (!this.#takesInput) return this.called.function(this.#output, this.#bytesMax);
    return this.called.function(this.pointer, this.length, this.#output, this.#bytesMax);
  }

  finish(_functions: CoreFunctions, returned: unknown): string {
    const what = this.called.answer;
    // Nothing written, or a guest that failed and says so with a negative number: an empty answer.
    const length = Math.max(0, signedOf(returned, what));
    const text = this.heap.bytes.utf8(this.#output, length, what, this.#bytesMax);
    this.heap.free(this.pointer, this.length);
    this.heap.free(this.#output, this.#bytesMax);
    return text;
  }
}

type CoreFunction = CoreFunctions[string];

/** What the host allocates in a guest for a call. The guest's functions are looked up once. */
class Heap {
  readonly bytes: GuestBytes;
  #allocate: CoreFunction | undefined;
  #deallocate: CoreFunction | undefined;

  constructor(bytes: GuestBytes) {
    this.bytes = bytes;
  }

  /** Of nothing an allocator may give any address, 0 as well. */
  allocated(functions: CoreFunctions, length: number): number {
    if (this.#allocate === undefined) {
      this.#allocate = functions.allocate;
      this.#deallocate = functions.deallocate;
    }
    const pointer = addressOf(this.#allocate?.(length), `the address from "allocate"`);
    if (pointer === 0 && length > 0) throw abiErrors["no-memory"]({ allocator: "allocate", length });
    return length === 0 ? 0 : pointer;
  }

  free(pointer: number, length: number): void {
    if (length > 0) this.#deallocate?.(pointer, length);
  }
}
