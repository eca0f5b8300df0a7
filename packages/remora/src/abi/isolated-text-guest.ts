/**
 * A guest of texts behind a wall. The conventions are those of `buffer.ts` and `assemblyscript.ts`; here each step of a call
 * crosses the wall by itself, with a budget of its own, and nothing else may call the guest between them. Host functions
 * that take their time block its thread, and nobody else's; only one built with asyncify leaves calls unfinished.
 */

import { isRemoraError } from "../base/index.ts";
import type { IsolatedInstance } from "../engine/index.ts";
import { stringId } from "./assemblyscript.ts";
import { abiErrors } from "./errors.ts";
import { addressOf, signedOf, utf8Length } from "./guest-bytes.ts";
import type { GuestText } from "./guest-text.ts";
import type { AsyncifiedGuest, IsolatedAsyncify } from "./isolated-asyncify.ts";
import { type Block, IsolatedMemory } from "./isolated-memory.ts";
import { conventionOf } from "./open-text-guest.ts";
import { type TextCalls, waitsMax } from "./text-guest.ts";

const noBlock: Block = { pointer: 0, length: 0 };
/** As for guests on the caller's thread: a heap that is smaller is not worth a look. */
const collectedPagesMin = 16;

/**
 * As `openTextGuest`, for a guest behind a wall.
 *
 * @param asyncify Given to the host functions in which this guest may wait, if there are any.
 * @throws abi/no-convention it is none of these modules
 * @throws engine/…          its constructors failed
 */
export async function openIsolatedTextGuest(
  instance: IsolatedInstance,
  asyncify?: IsolatedAsyncify,
  convention?: TextCalls["convention"],
): Promise<TextCalls> {
  const exports = (name: string) => instance.has(name);
  const kept = conventionOf(exports, convention);
  const waits = exports("asyncify_start_unwind") ? asyncify : undefined;
  const guest = new IsolatedTextGuest(instance, kept, waits);
  if (exports("_initialize")) await instance.call("_initialize", []);
  await waits?.attach(guest, exports);
  return guest;
}

class IsolatedTextGuest implements TextCalls, AsyncifiedGuest {
  readonly convention: TextCalls["convention"];
  readonly memory: IsolatedMemory;
  readonly #instance: IsolatedInstance;
  readonly #asyncify: IsolatedAsyncify | undefined;
  #collectedPages = 0;

  constructor(
    instance: IsolatedInstance,
    convention: TextCalls["convention"],
    asyncify: IsolatedAsyncify | undefined,
  ) {
    this.#instance = instance;
    this.convention = convention;
    this.#asyncify = asyncify;
    this.memory = new IsolatedMemory(instance);
  }

  get isWaiting(): boolean {
    return this.#asyncify?.isWaiting ?? false;
  }

  has(name: string): boolean {
    return this.#instance.has(name);
  }

  give(name: string, given: GuestText = ""): Promise<number> {
    const text = String(given);
    return this.#whole(name, async () => {
      const parameters = this.#parametersOf(name);
      await this.#collectIfGrown();
      const takesText = parameters > (this.convention === "buffer" ? 1 : 0);
      const input = takesText ? await this.#handOver(text, parameters) : noBlock;
      const returned = await this.#enter(name, input.pointer, input.length);
      await this.#letGo(input);
      return signedOf(returned, `the result of "${name}"`);
    });
  }

  ask(name: string, text: string | undefined, bytesMax: number): Promise<string> {
    return this.#whole(name, () =>
      this.convention === "buffer"
        ? this.#askBuffer(name, text ?? "", bytesMax)
        : this.#askString(name, text ?? "", bytesMax),
    );
  }

  async #askBuffer(name: string, text: string, bytesMax: number): Promise<string> {
    const takesText = this.#parametersOf(name) >= 4;
    const input = takesText ? await this.#handOver(text, 2) : noBlock;
    const output = await this.allocate(bytesMax);
    const args = [...(takesText ? [input.pointer, input.length] : []), output.pointer, output.length];
    const what = `the answer of "${name}"`;
    // Nothing written, or a guest that failed and says so with a negative number: an empty answer.
    const length = Math.max(0, signedOf(await this.#enter(name, ...args), what));
    const bytes = await this.memory.read({ pointer: output.pointer, length }, what, bytesMax);
    await this.#letGo(input);
    await this.#letGo(output);
    return lenientDecoder.decode(bytes);
  }

  async #askString(name: string, text: string, bytesMax: number): Promise<string> {
    const parameters = this.#parametersOf(name);
    await this.#collectIfGrown();
    const input = parameters > 0 ? await this.#handOver(text, parameters) : noBlock;
    const what = `the answer of "${name}"`;
    const pointer = addressOf(await this.#enter(name, input.pointer, input.length), what);
    const answer = await this.memory.string(pointer, what, bytesMax);
    await this.#letGo(input);
    return answer;
  }

  /** One parameter of AssemblyScript's takes a string; else two take the address and length of UTF-8. */
  async #handOver(text: string, parameters: number): Promise<Block> {
    if (this.convention === "buffer") {
      const block = await this.allocate(utf8Length(text));
      await this.memory.write(block, Buffer.from(text, "utf8"), given);
      return block;
    }
    const bytes = Buffer.from(text, parameters === 1 ? "utf16le" : "utf8");
    const block = await this.allocate(bytes.length, parameters === 1 ? stringId : 0);
    if (this.has("__pin")) await this.call("__pin", block.pointer);
    await this.memory.write(block, bytes, given);
    return block;
  }

  async #letGo({ pointer, length }: Block): Promise<void> {
    if (pointer === 0) return;
    if (this.convention === "assemblyscript") {
      if (this.has("__unpin")) await this.call("__unpin", pointer);
    } else if (this.has("deallocate")) await this.call("deallocate", pointer, length);
  }

  /** By the convention's own allocator. Of nothing one may give any address, 0 as well. */
  async allocate(length: number, ...id: number[]): Promise<Block> {
    const allocator = this.convention === "buffer" ? "allocate" : "__new";
    const given = await this.call(allocator, length, ...id);
    const pointer = addressOf(given, `the address from "${allocator}"`);
    if (pointer === 0 && length > 0) throw abiErrors["no-memory"]({ allocator, length });
    return { pointer: allocator === "allocate" && length === 0 ? 0 : pointer, length };
  }

  /** Calls an export, again after each time that the guest has left it to wait. */
  async #enter(name: string, ...args: readonly number[]): Promise<unknown> {
    for (let waits = 0; ; waits++) {
      const returned = await this.call(name, ...args);
      if (this.#asyncify?.isWaiting !== true) return returned;
      if (waits >= waitsMax) throw abiErrors["too-many-waits"]({ name, waitsMax });
      await this.#asyncify.ready(this);
    }
  }

  async call(name: string, ...args: readonly number[]): Promise<unknown> {
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
    if (this.has("__collect")) await this.call("__collect");
  }

  /** A guest that hands over what it should not has failed, as on the caller's thread. */
  async #whole<Result>(name: string, call: () => Promise<Result>): Promise<Result> {
    if (this.isWaiting) throw abiErrors.suspended({ name });
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

const given = "the text for the guest";
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
