/**
 * A guest of texts behind a wall. The conventions are those of `buffer.ts` and `assemblyscript.ts`; here each step of a call
 * crosses the wall by itself, with a budget of its own, and nothing else may call the guest between them. Such a guest
 * never leaves a call unfinished: host functions that take their time block its thread, and nobody else's.
 */

import { isRemoraError } from "../base/index.ts";
import type { IsolatedInstance } from "../engine/index.ts";
import { stringId } from "./assemblyscript.ts";
import { abiErrors } from "./errors.ts";
import { addressOf, signedOf, utf8Length } from "./guest-bytes.ts";
import type { GuestText } from "./guest-text.ts";
import { conventionOf } from "./open-text-guest.ts";
import type { TextCalls } from "./text-guest.ts";

/** Memory of the guest's, by its own allocator. */
interface Block {
  readonly pointer: number;
  readonly length: number;
}

const noBlock: Block = { pointer: 0, length: 0 };
const pageBytes = 65_536;
/** As for guests on the caller's thread: a heap that is smaller is not worth a look. */
const collectedPagesMin = 16;

/**
 * As `openTextGuest`, for a guest behind a wall.
 *
 * @throws abi/no-convention it is none of these modules
 * @throws engine/…          its constructors failed
 */
export async function openIsolatedTextGuest(
  instance: IsolatedInstance,
  convention?: TextCalls["convention"],
): Promise<TextCalls> {
  const guest = new IsolatedTextGuest(
    instance,
    conventionOf((name) => instance.has(name), convention),
  );
  if (instance.has("_initialize")) await instance.call("_initialize", []);
  return guest;
}

class IsolatedTextGuest implements TextCalls {
  readonly convention: TextCalls["convention"];
  readonly isWaiting = false;
  readonly #instance: IsolatedInstance;
  #collectedPages = 0;

  constructor(instance: IsolatedInstance, convention: TextCalls["convention"]) {
    this.#instance = instance;
    this.convention = convention;
  }

  has(name: string): boolean {
    return this.#instance.has(name);
  }

  give(name: string, given: GuestText = ""): Promise<number> {
    const text = String(given);
    return this.#whole(async () => {
      const parameters = this.#parametersOf(name);
      await this.#collectIfGrown();
      const takesText = parameters > (this.convention === "buffer" ? 1 : 0);
      const input = takesText ? await this.#handOver(text, parameters) : noBlock;
      const returned = await this.#call(name, input.pointer, input.length);
      await this.#letGo(input);
      return signedOf(returned, `the result of "${name}"`);
    });
  }

  ask(name: string, text: string | undefined, bytesMax: number): Promise<string> {
    return this.#whole(() =>
      this.convention === "buffer"
        ? this.#askBuffer(name, text ?? "", bytesMax)
        : this.#askString(name, text ?? "", bytesMax),
    );
  }

  async #askBuffer(name: string, text: string, bytesMax: number): Promise<string> {
    const takesText = this.#parametersOf(name) >= 4;
    const input = takesText ? await this.#handOver(text, 2) : noBlock;
    const output = await this.#allocate("allocate", bytesMax);
    const args = [...(takesText ? [input.pointer, input.length] : []), output.pointer, output.length];
    const what = `the answer of "${name}"`;
    // Nothing written, or a guest that failed and says so with a negative number: an empty answer.
    const length = Math.max(0, signedOf(await this.#call(name, ...args), what));
    const bytes = await this.#read({ pointer: output.pointer, length }, what, bytesMax);
    await this.#letGo(input);
    await this.#letGo(output);
    return lenientDecoder.decode(bytes);
  }

  async #askString(name: string, text: string, bytesMax: number): Promise<string> {
    const parameters = this.#parametersOf(name);
    await this.#collectIfGrown();
    const input = parameters > 0 ? await this.#handOver(text, parameters) : noBlock;
    const what = `the answer of "${name}"`;
    const pointer = addressOf(await this.#call(name, input.pointer, input.length), what);
    const answer = pointer === 0 ? "" : await this.#string(pointer, what, bytesMax);
    await this.#letGo(input);
    return answer;
  }

  /** The header's last word is the length in bytes. */
  async #string(pointer: number, what: string, bytesMax: number): Promise<string> {
    const header = await this.#read({ pointer: pointer - 4, length: 4 }, what, 4);
    const length = new DataView(header.buffer, header.byteOffset, 4).getUint32(0, true);
    const bytes = await this.#read({ pointer, length }, what, bytesMax);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf16le");
  }

  /** One parameter of AssemblyScript's takes a string; else two take the address and length of UTF-8. */
  async #handOver(text: string, parameters: number): Promise<Block> {
    if (this.convention === "buffer") {
      const block = await this.#allocate("allocate", utf8Length(text));
      await this.#write(block, Buffer.from(text, "utf8"));
      return block;
    }
    const bytes = Buffer.from(text, parameters === 1 ? "utf16le" : "utf8");
    const block = await this.#allocate("__new", bytes.length, parameters === 1 ? stringId : 0);
    if (this.has("__pin")) await this.#call("__pin", block.pointer);
    await this.#write(block, bytes);
    return block;
  }

  async #letGo({ pointer, length }: Block): Promise<void> {
    if (pointer === 0) return;
    if (this.convention === "assemblyscript") {
      if (this.has("__unpin")) await this.#call("__unpin", pointer);
    } else if (this.has("deallocate")) await this.#call("deallocate", pointer, length);
  }

  /** Of nothing an allocator may give any address, 0 as well. */
  async #allocate(allocator: "allocate" | "__new", length: number, ...more: number[]): Promise<Block> {
    const given = await this.#call(allocator, length, ...more);
    const pointer = addressOf(given, `the address from "${allocator}"`);
    if (pointer === 0 && length > 0) throw abiErrors["no-memory"]({ allocator, length });
    return { pointer: allocator === "allocate" && length === 0 ? 0 : pointer, length };
  }

  async #write({ pointer }: Block, bytes: Uint8Array): Promise<void> {
    if (await this.#instance.writeMemory(pointer, bytes)) return;
    throw this.#outside("the text for the guest", { pointer, length: bytes.length });
  }

  async #read(block: Block, what: string, lengthMax: number): Promise<Uint8Array> {
    const { pointer, length } = block;
    if (length > lengthMax) throw abiErrors["too-long"]({ what, length, lengthMax });
    const bytes = await this.#instance.readMemory(pointer, length);
    if (bytes === undefined) throw this.#outside(what, block);
    return bytes;
  }

  #outside(what: string, { pointer, length }: Block): Error {
    const memoryBytes = this.#instance.report.memoryPages * pageBytes;
    return abiErrors["out-of-bounds"]({ what, pointer, length, memoryBytes });
  }

  async #call(name: string, ...args: readonly number[]): Promise<unknown> {
    return (await this.#instance.call(name, args)).result;
  }

  #parametersOf(name: string): number {
    const parameters = this.#instance.parameterCount(name);
    if (parameters === undefined) throw abiErrors["no-such-export"]({ name, near: "" });
    return parameters;
  }

  async #collectIfGrown(): Promise<void> {
    if (this.convention !== "assemblyscript") return;
    const { memoryPages } = this.#instance.report;
    if (memoryPages < 2 * Math.max(this.#collectedPages, collectedPagesMin)) return;
    this.#collectedPages = memoryPages;
    if (this.has("__collect")) await this.#call("__collect");
  }

  /** A guest that hands over what it should not has failed, as on the caller's thread. */
  async #whole<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      return await call();
    } catch (error) {
      if (isRemoraError(error) && error.code.startsWith("abi/") && error.code !== "abi/no-such-export") {
        this.#instance.close();
      }
      throw error;
    }
  }
}

const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
