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

  give(name: string, text: GuestText = "", startedMs?: number): Answer<number> {
    return this.perform(new GiveCall(this.called(name), this.#heap, text), startedMs);
  }

  ask(name: string, text: string | undefined, bytesMax: number): Answer<string> {
    return this.perform(new AskCall(this.called(name), this.#heap, text, bytesMax));
  }
}

class GiveCall implements TextCall<number> {
  readonly called: CalledExport;
  readonly #heap: Heap;
  readonly #text: GuestText;
  #input = noBlock;

  constructor(called: CalledExport, heap: Heap, text: GuestText) {
    this.called = called;
    this.#heap = heap;
    this.#text = text;
  }

  prepare(functions: CoreFunctions): void {
    if (this.called.parameters >= 2) this.#input = this.#heap.holding(functions, this.#text);
  }

  enter(): unknown {
    return this.called.function(this.#input.pointer, this.#input.length);
  }

  finish(_functions: CoreFunctions, returned: unknown): number {
    this.#heap.free(this.#input);
    return signedOf(returned, this.called.result);
  }
}

class AskCall implements TextCall<string> {
  readonly called: CalledExport;
  readonly #heap: Heap;
  readonly #text: string;
  readonly #bytesMax: number;
  #input = noBlock;
  #output = noBlock;
  #takesInput = false;

  constructor(called: CalledExport, heap: Heap, text: string | undefined, bytesMax: number) {
    this.called = called;
    this.#heap = heap;
    this.#text = text ?? "";
    this.#bytesMax = bytesMax;
  }

  prepare(functions: CoreFunctions): void {
    this.#takesInput = this.called.parameters >= 4;
    if (this.#takesInput) this.#input = this.#heap.holding(functions, this.#text);
    this.#output = this.#heap.allocated(functions, this.#bytesMax);
    // It must lie in memory whether or not the guest fills it.
    this.#heap.bytes.slice(this.#output.pointer, this.#bytesMax, "the buffer for the answer");
  }

  enter(): unknown {
    const out = this.#output;
    if (!this.#takesInput) return this.called.function(out.pointer, out.length);
    return this.called.function(this.#input.pointer, this.#input.length, out.pointer, out.length);
  }

  finish(_functions: CoreFunctions, returned: unknown): string {
    const what = this.called.answer;
    // Nothing written, or a guest that failed and says so with a negative number: an empty answer.
    const length = Math.max(0, signedOf(returned, what));
    const text = this.#heap.bytes.utf8(this.#output.pointer, length, what, this.#bytesMax);
    this.#heap.free(this.#input);
    this.#heap.free(this.#output);
    return text;
  }
}

/** Memory of the guest's, by its own allocator. */
interface Block {
  readonly pointer: number;
  readonly length: number;
}

const noBlock: Block = { pointer: 0, length: 0 };

type CoreFunction = CoreFunctions[string];

/** What the host allocates in a guest for a call. The guest's functions are looked up once. */
class Heap {
  readonly bytes: GuestBytes;
  #allocate: CoreFunction | undefined;
  #deallocate: CoreFunction | undefined;

  constructor(bytes: GuestBytes) {
    this.bytes = bytes;
  }

  /** A block with a text in it. */
  holding(functions: CoreFunctions, given: GuestText): Block {
    const text = typeof given === "string" ? given : given.utf8();
    const what = "the bytes for the guest";
    if (typeof text === "string") {
      const block = this.allocated(functions, utf8Length(text));
      this.bytes.setUtf8(block.pointer, text, block.length, what);
      return block;
    }
    const block = this.allocated(functions, text.length);
    this.bytes.set(block.pointer, text, what);
    return block;
  }

  /** Of nothing an allocator may give any address, 0 as well. */
  allocated(functions: CoreFunctions, length: number): Block {
    if (this.#allocate === undefined) {
      this.#allocate = functions.allocate;
      this.#deallocate = functions.deallocate;
    }
    const pointer = addressOf(this.#allocate?.(length), `the address from "allocate"`);
    if (pointer === 0 && length > 0) throw abiErrors["no-memory"]({ allocator: "allocate", length });
    return { pointer: length === 0 ? 0 : pointer, length };
  }

  free(block: Block): void {
    if (block.length > 0) this.#deallocate?.(block.pointer, block.length);
  }
}
