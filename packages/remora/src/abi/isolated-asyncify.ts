/**
 * Guests behind a wall that are stopped in the middle of a call, as `asyncify.ts` says. The host cannot call into a guest
 * that waits for its answer; so the step which has to be taken at that moment goes with the answer (`callNext`), and all
 * others are calls of their own while the guest is unwound. That includes reading what the guest asked for.
 */

import { invariant } from "../base/index.ts";
import type { GuestAccess } from "../engine/index.ts";
import { arrayBufferId } from "./assemblyscript.ts";
import { stackBytes } from "./asyncify.ts";
import { abiErrors } from "./errors.ts";
import { addressOf, GuestBytes } from "./guest-bytes.ts";
import type { Block, IsolatedMemory } from "./isolated-memory.ts";

/** What is waited for: reads the guest's memory, and gives the bytes that it gets as an ArrayBuffer. */
export type Work = (memory: IsolatedMemory) => Promise<Uint8Array>;

/** Calls into the guest, while none is under way. */
export interface AsyncifiedGuest {
  readonly memory: IsolatedMemory;
  call(name: string, ...args: readonly number[]): Promise<unknown>;
  /** A managed object. */
  allocate(length: number, id: number): Promise<Block>;
}

/** The functions of asyncify that it takes. */
const needed = [
  "asyncify_start_unwind",
  "asyncify_stop_unwind",
  "asyncify_start_rewind",
  "asyncify_stop_rewind",
] as const;

export class IsolatedAsyncify {
  #stack: Block | undefined;
  #frame = 0;
  #work: Work | undefined;
  /** What the host function gives when the guest has found its way back to it. */
  #answer: number | undefined;

  /** True from the moment a guest leaves a call unfinished until it goes on. */
  get isWaiting(): boolean {
    return this.#work !== undefined;
  }

  /** To be called before anything that may wait: finds a place for the stack, where the guest can be unwound at all. */
  async attach(guest: AsyncifiedGuest, exports: (name: string) => boolean): Promise<void> {
    const missing = needed.find((name) => !exports(name));
    if (missing !== undefined) throw abiErrors["not-asyncified"]({ missing });
    this.#stack = await guest.allocate(stackBytes, arrayBufferId);
    if (exports("__pin")) await guest.call("__pin", this.#stack.pointer);
  }

  /** In a host function: the guest says where asyncify looks for the stack's place. */
  keepStack({ memory }: GuestAccess, frame: number): void {
    if (this.#stack === undefined) throw abiErrors["no-frame"]({});
    const bytes = new GuestBytes(memory);
    const { pointer, length } = this.#stack;
    const at = addressOf(frame, "the asyncify frame");
    bytes.setU32(at, pointer, "the asyncify frame");
    bytes.setU32(at + 4, pointer + length, "the asyncify frame");
    this.#frame = at;
  }

  /**
   * For a host function that has to wait: call it and return what it returns.
   *
   * @throws abi/no-frame abi/did-not-stop by which the call ends
   */
  wait({ callNext }: GuestAccess, work: Work): number {
    invariant(callNext !== undefined, "these are host functions of guests behind walls");
    const answer = this.#answer;
    if (answer !== undefined) {
      this.#answer = undefined;
      callNext("asyncify_stop_rewind");
      return answer;
    }
    if (this.#frame === 0) throw abiErrors["no-frame"]({});
    // A guest that unwinds, as it was told to, reaches no host function.
    if (this.#work !== undefined) throw abiErrors["did-not-stop"]({});
    this.#work = work;
    callNext("asyncify_start_unwind", this.#frame);
    return 0;
  }

  /** When an export has returned unfinished: waits, and leaves the guest so that it goes on when its export is called again. */
  async ready(guest: AsyncifiedGuest): Promise<void> {
    invariant(this.#work !== undefined, "only a guest that waits is rewound");
    await guest.call("asyncify_stop_unwind");
    const body = await this.#work(guest.memory);
    const buffer = await guest.allocate(body.length, arrayBufferId);
    await guest.memory.write(buffer, body, "the response's body");
    await guest.call("asyncify_start_rewind", this.#frame);
    this.#work = undefined;
    this.#answer = buffer.pointer;
  }
}
