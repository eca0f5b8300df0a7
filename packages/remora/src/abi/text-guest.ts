/**
 * What the conventions of core modules have in common: exports are called with texts and answer with texts. How a
 * text gets into the guest and out of it is each convention's own; that several steps make one call under one
 * budget, and that a guest built with asyncify may leave a call unfinished, is here.
 */

import { didYouMean } from "../base/index.ts";
import type { CoreFunctions, ModuleInstance } from "../engine/index.ts";
import type { Asyncify } from "./asyncify.ts";
import { CalledExport } from "./called-export.ts";
import { abiErrors } from "./errors.ts";
import { GuestBytes } from "./guest-bytes.ts";
import type { GuestText } from "./guest-text.ts";

/** At once; a promise only when the guest waits in the middle of the call, which one with asyncify can. */
export type Answer<Value> = Value | Promise<Value>;

/** One call into the guest. `enter` runs again when the guest was unwound, with the same arguments. */
export interface TextCall<Result> {
  readonly called: CalledExport;
  /** Brings the arguments into the guest. */
  prepare(functions: CoreFunctions): void;
  enter(): unknown;
  /** Takes the result out, and frees what `prepare` allocated. */
  finish(functions: CoreFunctions, returned: unknown): Result;
}

/** Times that a guest may wait in one call. */
export const waitsMax = 64;

const suspended = Symbol("suspended");

/** A guest that is called with texts, wherever it lives. */
export interface TextCalls {
  readonly convention: "assemblyscript" | "buffer";
  /** True while a call is unfinished: any other call would run over its stack, and is refused. */
  readonly isWaiting: boolean;
  has(name: string): boolean;
  /**
   * Calls an export and gives the number that it returns, 0 when it returns nothing.
   *
   * @param text      Handed over as the export's parameters ask for it; nothing when it has none.
   * @param startedMs What the instance's clock says now, for a caller that has just read it.
   * @throws abi/no-such-export abi/suspended nothing ran
   * @throws abi/… engine/…     the guest failed; its instance is to be replaced
   */
  give(name: string, text?: GuestText, startedMs?: number): Answer<number>;
  /**
   * Calls an export and gives the text that it answers with.
   *
   * @param text     As for `give`.
   * @param bytesMax What the answer may take in the guest's memory, in the convention's own encoding.
   */
  ask(name: string, text: string | undefined, bytesMax: number): Answer<string>;
}

export abstract class TextGuest implements TextCalls {
  abstract readonly convention: TextCalls["convention"];
  readonly bytes: GuestBytes;
  protected readonly instance: ModuleInstance;
  readonly #asyncify: Asyncify | undefined;
  readonly #called = new Map<string, CalledExport>();
  readonly #begin: <Result>(functions: CoreFunctions, call: TextCall<Result>) => Result | typeof suspended;
  readonly #goOn: <Result>(functions: CoreFunctions, call: TextCall<Result>) => Result | typeof suspended;

  /** @throws abi/no-memory-export */
  constructor(instance: ModuleInstance, asyncify?: Asyncify) {
    const { memory } = instance;
    if (memory === undefined) throw abiErrors["no-memory-export"]({});
    this.instance = instance;
    this.#asyncify = asyncify;
    const isShared = !(memory.buffer instanceof ArrayBuffer);
    let view = new Uint8Array(0);
    this.bytes = new GuestBytes({
      view() {
        // A view of length zero is one that growth has detached, or none yet; asking the memory for its buffer takes 20 ns.
        if (view.length === 0 || isShared) view = new Uint8Array(memory.buffer);
        return view;
      },
    });
    const enter = <Result>(functions: CoreFunctions, call: TextCall<Result>) => {
      const returned = call.enter();
      if (asyncify?.hasUnwound()) return suspended;
      return call.finish(functions, returned);
    };
    this.#begin = (functions, call) => {
      asyncify?.attach(functions);
      call.called.find(functions);
      call.prepare(functions);
      return enter(functions, call);
    };
    this.#goOn = (functions, call) => {
      asyncify?.rewind();
      return enter(functions, call);
    };
  }

  get isWaiting(): boolean {
    return this.#asyncify?.isWaiting ?? false;
  }

  has(name: string): boolean {
    return this.instance.exports[name] !== undefined;
  }

  abstract give(name: string, text?: GuestText, startedMs?: number): Answer<number>;

  abstract ask(name: string, text: string | undefined, bytesMax: number): Answer<string>;

  /** @throws abi/no-such-export */
  protected called(name: string): CalledExport {
    let called = this.#called.get(name);
    if (called === undefined) {
      if (!this.has(name)) {
        throw abiErrors["no-such-export"]({
          name,
          near: didYouMean(name, Object.keys(this.instance.exports)),
        });
      }
      called = new CalledExport(name);
      this.#called.set(name, called);
    }
    return called;
  }

  protected perform<Result>(call: TextCall<Result>, startedMs?: number): Answer<Result> {
    if (this.isWaiting) throw abiErrors.suspended({ name: call.called.name });
    const result = this.instance.together<TextCall<Result>, Result | typeof suspended>(
      this.#begin,
      call,
      startedMs,
    );
    return result === suspended ? this.#wait(call) : result;
  }

  async #wait<Result>(call: TextCall<Result>): Promise<Result> {
    for (let waits = 1; ; waits++) {
      try {
        if (waits > waitsMax) throw abiErrors["too-many-waits"]({ name: call.called.name, waitsMax });
        await this.#asyncify?.ready();
      } catch (error) {
        // Its stack can never be rewound: nothing may enter it again.
        this.instance.close();
        throw error;
      }
      const result = this.instance.together<TextCall<Result>, Result | typeof suspended>(this.#goOn, call);
      if (result !== suspended) return result;
    }
  }
}
