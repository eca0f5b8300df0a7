/**
 * Guests that can be stopped in the middle of a call: Binaryen's asyncify rewrote them so that their stack can be
 * copied into memory (unwound) and back again (rewound). A host function starts the unwinding; the export then returns
 * early; when the host's answer is there the same export is called again and finds its way back to the host function,
 * which now returns the answer. The state is one instance's; two guests never share any.
 */

import { invariant } from "../base/index.ts";
import type { CoreFunctions } from "../engine/index.ts";
import { abiErrors } from "./errors.ts";
import type { GuestBytes } from "./guest-bytes.ts";

/** Where the guest's stack is kept while it waits; a deeper one traps. */
export const stackBytes = 32_768;

// The states of `asyncify_get_state`.
const normal = 0;
const rewinding = 2;

const needed = [
  "asyncify_get_state",
  "asyncify_start_unwind",
  "asyncify_stop_unwind",
  "asyncify_start_rewind",
  "asyncify_stop_rewind",
] as const;

type AsyncifyFunctions = Readonly<Record<(typeof needed)[number], (pointer?: number) => number>>;

/** Makes the host function's result inside the guest. */
type Lower = (functions: CoreFunctions) => number;

interface Wait {
  /** Settles when the guest can go on. */
  readonly ready: Promise<Lower>;
}

export class Asyncify {
  #functions: CoreFunctions | undefined;
  #frame = 0;
  #wait: Wait | undefined;
  #lower: Lower | undefined;
  #answer = 0;

  /** True from the moment a guest leaves a call unfinished until it goes on. */
  get isWaiting(): boolean {
    return this.#wait !== undefined;
  }

  /** Called when a call begins: the functions that the host functions below may use while it lasts. */
  attach(functions: CoreFunctions): void {
    this.#functions = functions;
  }

  /** What `attach` was given, for a host function that needs the guest's allocator. */
  get functions(): CoreFunctions {
    invariant(this.#functions !== undefined, "a host function runs within a call");
    return this.#functions;
  }

  /**
   * Says where the guest's stack goes when it is unwound.
   *
   * @param frame Two words in the guest's memory, which asyncify reads: where the stack begins now, and its end.
   */
  keepStack(bytes: GuestBytes, frame: number, stack: { readonly from: number; readonly to: number }): void {
    bytes.setU32(frame, stack.from, "the asyncify frame");
    bytes.setU32(frame + 4, stack.to, "the asyncify frame");
    this.#frame = frame;
  }

  /**
   * For a host function that has to wait: call it and return what it returns.
   *
   * @param work  Starts what is waited for. Called once, although the guest comes here twice.
   * @param lower Writes the value into the guest, and gives what the host function returns.
   * @throws abi/not-asyncified abi/no-frame abi/did-not-stop by which the call ends
   */
  wait<Value>(work: () => Promise<Value>, lower: (functions: CoreFunctions, value: Value) => number): number {
    const guest = this.#asyncifyFunctions();
    const state = guest.asyncify_get_state();
    if (state === rewinding) {
      guest.asyncify_stop_rewind();
      return this.#answer;
    }
    if (this.#frame === 0) throw abiErrors["no-frame"]({});
    // A guest that unwinds, as it was told to, reaches no host function.
    if (state !== normal || this.#wait !== undefined) throw abiErrors["did-not-stop"]({});
    this.#wait = { ready: work().then((value) => (functions) => lower(functions, value)) };
    guest.asyncify_start_unwind(this.#frame);
    return 0;
  }

  /** To be asked when the export has returned: true when it is not finished but unwound. */
  hasUnwound(): boolean {
    if (this.#wait === undefined) return false;
    this.#asyncifyFunctions().asyncify_stop_unwind();
    return true;
  }

  /** Waits until the guest can go on; then, inside a call, `rewind` it and call the export again. */
  async ready(): Promise<void> {
    const lower = await this.#wait?.ready;
    invariant(lower !== undefined, "only a guest that waits is rewound");
    this.#lower = lower;
  }

  /** Inside a call: the guest finds its way back to the host function when its export is called again. */
  rewind(): void {
    invariant(this.#lower !== undefined, "a guest is rewound when its answer is ready");
    this.#answer = this.#lower(this.functions);
    this.#lower = undefined;
    this.#wait = undefined;
    this.#asyncifyFunctions().asyncify_start_rewind(this.#frame);
  }

  #asyncifyFunctions(): AsyncifyFunctions {
    const { functions } = this;
    const missing = needed.find((name) => functions[name] === undefined);
    if (missing !== undefined) throw abiErrors["not-asyncified"]({ missing });
    // All of them are there; what they take is asyncify's own contract, and V8 converts what does not fit.
    return functions as unknown as AsyncifyFunctions;
  }
}
