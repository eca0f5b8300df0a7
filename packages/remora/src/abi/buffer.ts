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

  give(name: string, text?: GuestText, startedMs?: number): Answer<number> {
    return this.perform(new GiveCall(this.called(name), this.bytes, String(text ?? "")), startedMs);
  }

  ask(name: string, text: string | undefined, bytesMax: number): Answer<string> {
    return this.perform(new AskCall(this.called(name), this.bytes, text, bytesMax));
  }
}

/** Memory of the guest's, by its own allocator. */
interface Block {
  readonly pointer: number;
  readonly length: number;
}

const noBlock: Block = { pointer: 0, length: 0 };

class GiveCall implements TextCall<number> {
  readonly called: CalledExport;
  readonly #bytes: GuestBytes;
  readonly #text: string;
  #input = noBlock;

  constructor(called: CalledExport, bytes: GuestBytes, text: string) {
    this.called = called;
    this.#bytes = bytes;
    this.#text = text;
  }

  prepare(functions: CoreFunctions): void {
    if (this.called.parameters >= 2) this.#input = handOver(functions, this.#bytes, this.#text ?? "");
  }

  enter(): unknown {
    return this.called.function(this.#input.pointer, this.#input.length);
  }

  finish(functions: CoreFunctions, returned: unknown): number {
    free(functions, this.#input);
    return signedOf(returned, `the result of "${this.called.name}"`);
  }
}

class AskCall implements TextCall<string> {
  readonly called: CalledExport;
  readonly #bytes: GuestBytes;
  readonly #text: string | undefined;
  readonly #bytesMax: number;
  #input = noBlock;
  #output = noBlock;
  #takesInput = false;

  constructor(called: CalledExport, bytes: GuestBytes, text: string | undefined, bytesMax: number) {
    this.called = called;
    this.#bytes = bytes;
    this.#text = text;
    this.#bytesMax = bytesMax;
  }

  prepare(functions: CoreFunctions): void {
    this.#takesInput = this.called.parameters >= 4;
    if (this.#takesInput) this.#input = handOver(functions, this.#bytes, this.#text ?? "");
    this.#output = allocate(functions, this.#bytesMax);
    // It must lie in memory whether or not the guest fills it.
    this.#bytes.slice(this.#output.pointer, this.#bytesMax, "the buffer for the answer");
  }

  enter(): unknown {
    const out = this.#output;
    if (!this.#takesInput) return this.called.function(out.pointer, out.length);
    return this.called.function(this.#input.pointer, this.#input.length, out.pointer, out.length);
  }

  finish(functions: CoreFunctions, returned: unknown): string {
    const what = `the answer of "${this.called.name}"`;
    // Nothing written, or a guest that failed and says so with a negative number: an empty answer.
    const length = Math.max(0, signedOf(returned, what));
    const text = this.#bytes.utf8(this.#output.pointer, length, what, this.#bytesMax);
    free(functions, this.#input);
    free(functions, this.#output);
    return text;
  }
}

function handOver(functions: CoreFunctions, bytes: GuestBytes, text: string): Block {
  const block = allocate(functions, utf8Length(text));
  bytes.setUtf8(block.pointer, text, block.length, "the bytes for the guest");
  return block;
}

/** Of nothing an allocator may give any address, 0 as well. */
function allocate(functions: CoreFunctions, length: number): Block {
  const pointer = addressOf(functions.allocate?.(length), `the address from "allocate"`);
  if (pointer === 0 && length > 0) throw abiErrors["no-memory"]({ allocator: "allocate", length });
  return { pointer: length === 0 ? 0 : pointer, length };
}

function free(functions: CoreFunctions, block: Block): void {
  if (block.length > 0) functions.deallocate?.(block.pointer, block.length);
}
