/** What a component instance keeps of its tasks (CanonicalABI.md, "Component Instances"). */

import type { ComponentState } from "../abi/context.ts";
import { trap } from "../abi/trap.ts";
import type { Thread } from "./thread.ts";

export class InstanceTasks {
  readonly state: ComponentState;
  /** Tasks that were held back and have not been let in. */
  waitingToEnter = 0;
  /** The thread whose code must not be interleaved with that of others like it. */
  exclusive: Thread | undefined;
  /** By index; 0 is no thread. */
  readonly #threads: (Thread | undefined)[] = [undefined];
  readonly #free: number[] = [];

  constructor(state: ComponentState) {
    this.state = state;
  }

  register(thread: Thread): void {
    const index = this.#free.pop() ?? this.#threads.length;
    this.#threads[index] = thread;
    thread.index = index;
  }

  unregister(thread: Thread): void {
    this.#threads[thread.index] = undefined;
    this.#free.push(thread.index);
    thread.index = 0;
  }

  thread(index: number): Thread {
    return this.#threads[index >>> 0] ?? trap(`unknown thread index ${index >>> 0}`);
  }

  /** A thread that can go on while a synchronous task of this instance waits: none that needs the guest for itself. */
  readyThread(): Thread | undefined {
    return this.find((thread) => thread.isReady?.() === true && !thread.isExclusive);
  }

  find(isWanted: (thread: Thread) => boolean): Thread | undefined {
    return this.#threads.find((thread) => thread !== undefined && isWanted(thread));
  }
}
