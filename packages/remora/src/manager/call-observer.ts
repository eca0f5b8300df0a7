/**
 * Whoever wants to know of each call while it runs, as tracing does. Without one a call pays for a look at a field.
 */

export interface ObservedCall {
  readonly plugin: string;
  /** Of the version that serves when the call begins. */
  readonly version: string;
  /** What is called, where it is called by name: a function, or an interface and a function. Else undefined. */
  readonly path: string | readonly string[] | undefined;
}

/** Makes the call by `act`, exactly once, and gives back or throws what that gives: a promise for some calls. */
export type CallObserver = <Result>(call: ObservedCall, act: () => Result) => Result;

export class CallObservers {
  readonly #all = new Set<CallObserver>();
  #around: CallObserver | undefined;

  /** All of them, the first one outermost; undefined while there is none. */
  get around(): CallObserver | undefined {
    return this.#around;
  }

  /** @returns Ends it. */
  add(observer: CallObserver): () => void {
    this.#all.add(observer);
    this.#compose();
    return () => {
      this.#all.delete(observer);
      this.#compose();
    };
  }

  #compose(): void {
    this.#around = [...this.#all].reduceRight<CallObserver | undefined>(
      (inner, outer) => (inner === undefined ? outer : (call, act) => outer(call, () => inner(call, act))),
      undefined,
    );
  }
}
