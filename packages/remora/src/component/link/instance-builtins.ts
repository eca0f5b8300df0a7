/** Canonical functions that work on what a component instance keeps: its handles, its thread's values, its backpressure. */

import { RemoraError, unreachable } from "../../base/index.ts";
import type { ComponentState } from "../abi/context.ts";
import type { Rep } from "../abi/handles.ts";
import { trap } from "../abi/trap.ts";
import type { Later } from "../async/later.ts";
import type { CoreEngine, CoreFunction, CoreSignature, Flat } from "../core.ts";
import { componentErrors } from "../errors.ts";
import type { AsyncRuntime } from "./async-runtime.ts";
import type { Destructors } from "./destructors.ts";
import type { CoreRef } from "./plan.ts";

export interface InstanceBuiltinsOptions {
  readonly engine: CoreEngine;
  readonly state: (index: number) => ComponentState;
  readonly destructors: Destructors;
  readonly async: AsyncRuntime | undefined;
}

type BuiltinRef = Exclude<CoreRef, { kind: "export" | "lower" | "builtin" }>;

export class InstanceBuiltins {
  readonly #options: InstanceBuiltinsOptions;

  constructor(options: InstanceBuiltinsOptions) {
    this.#options = options;
  }

  of(ref: BuiltinRef): CoreFunction {
    switch (ref.kind) {
      case "context.get": {
        const slots = this.#slotsOf(ref.state);
        return () => (ref.isBigInt ? BigInt(slots()[ref.slot] ?? 0) : Number(slots()[ref.slot] ?? 0));
      }
      case "context.set": {
        const slots = this.#slotsOf(ref.state);
        return (value: Flat) => {
          slots()[ref.slot] = value;
        };
      }
      case "backpressure.inc":
      case "backpressure.dec":
        return this.#backpressure(ref.state, ref.kind === "backpressure.inc" ? 1 : -1);
      case "resource.new": {
        const { handles } = this.#options.state(ref.state);
        return this.#builtin(ref.state, (rep: Rep) => handles.add(ref.resource, rep, true));
      }
      case "resource.rep": {
        const { handles } = this.#options.state(ref.state);
        // CanonicalABI.md, "canon resource.rep": allowed even when the instance may not leave.
        return (index: number) => {
          try {
            return handles.get(index, ref.resource).rep;
          } catch (error) {
            return this.#abort(error);
          }
        };
      }
      case "resource.drop":
        return this.#resourceDrop(ref.resource, ref.state);
      default:
        return unreachable(ref);
    }
  }

  /** What a guest keeps is kept by its thread; where no thread of its own runs, by the instance. */
  #slotsOf(index: number): () => Flat[] {
    const state = this.#options.state(index);
    const scheduler = this.#options.async?.scheduler;
    if (scheduler === undefined) return () => state.slots;
    return () => {
      const thread = scheduler.current;
      return thread?.task.instance.state === state ? thread.storage : state.slots;
    };
  }

  /** CanonicalABI.md, "canon backpressure": only counted, since nothing that is synchronous waits for it. */
  #backpressure(state: number, step: number): CoreFunction {
    const owner = this.#options.state(state);
    return () => {
      owner.backpressure += step;
      if (owner.backpressure >= 0 && owner.backpressure < backpressureEnd) return;
      this.#options.engine.abort(componentErrors.trap({ what: "backpressure out of its range" }));
    };
  }

  #builtin<Value extends Flat>(state: number, body: (value: Value) => unknown): CoreFunction {
    const owner = this.#options.state(state);
    return (value: Value) => {
      try {
        if (!owner.mayLeave) trap("a call out of a component instance that may not leave");
        return body(value);
      } catch (error) {
        return this.#abort(error);
      }
    };
  }

  #resourceDrop(resource: number, stateIndex: number): CoreFunction {
    const { destructors, async, state } = this.#options;
    const dropper = destructors.dropper(resource, stateIndex);
    if (async === undefined) return this.#builtin(stateIndex, dropper);
    const body = dropper as (index: Flat) => Later<undefined>; // Its parameter is an i32.
    const waits: CoreSignature = { params: ["i32"], results: [] };
    return async.imported(state(stateIndex), body, waits, "a destructor");
  }

  #abort(error: unknown): never {
    if (error instanceof RemoraError) return this.#options.engine.abort(error);
    throw error;
  }
}

const backpressureEnd = 2 ** 16;
