/** What happens when the last handle of a resource is dropped (CanonicalABI.md, "canon resource.drop"). */

import { RemoraError } from "../../base/index.ts";
import { hostOwner } from "../abi/codec-resource.ts";
import { type ComponentState, Context, type ResourceHost } from "../abi/context.ts";
import type { Rep } from "../abi/handles.ts";
import type { Signature } from "../abi/signature.ts";
import { trap } from "../abi/trap.ts";
import { after, type Later } from "../async/later.ts";
import type { CoreEngine, CoreFunction } from "../core.ts";
import { componentErrors } from "../errors.ts";
import type { FuncType } from "../types.ts";
import type { AsyncRuntime } from "./async-runtime.ts";
import type { HostResource } from "./host-imports.ts";
import type { Plan } from "./plan.ts";

export interface DestructorsOptions {
  readonly engine: CoreEngine;
  readonly plan: Plan;
  readonly hostResources: ReadonlyMap<number, HostResource>;
  /** Component instances that a call of one enters, coming from another or from the host. */
  readonly entered: (callee: number, caller: number | undefined) => readonly ComponentState[];
  readonly state: (index: number) => ComponentState;
  readonly signature: (type: FuncType) => Signature;
  readonly async: AsyncRuntime | undefined;
}

/** The destructor of a guest's resource gets the number by which it knows it. */
const destructorTypes = { number: destructorType("u32"), bigint: destructorType("u64") };

function destructorType(kind: "u32" | "u64"): FuncType {
  return { kind: "func", isAsync: false, params: [{ name: "rep", type: { kind } }], result: undefined };
}

export class Destructors {
  readonly #options: DestructorsOptions;
  readonly #guests: (CoreFunction | undefined)[] = [];

  constructor(options: DestructorsOptions) {
    this.#options = options;
  }

  set(resource: number, destructor: CoreFunction): void {
    this.#guests[resource] = destructor;
  }

  /** What `resource.drop` of a component instance does with a handle. */
  dropper(resource: number, stateIndex: number): (index: number) => unknown {
    const state = this.#options.state(stateIndex);
    return (index) => {
      const handle = state.handles.remove(index, resource);
      const { rep, isOwn, scope } = handle;
      handle.rep = undefined;
      handle.scope = undefined;
      if (isOwn) return this.#destroy(resource, rep, stateIndex);
      if (scope === undefined) state.borrows--;
      else scope.borrows--;
      return undefined;
    };
  }

  #destroy(resource: number, rep: unknown, caller: number): unknown {
    const owner = this.#options.plan.resources[resource]?.owner ?? hostOwner;
    if (owner === hostOwner) return this.#disposeOfHosts(resource, rep);
    const entered = this.#options.entered(owner, caller);
    for (const state of entered) {
      if (!state.mayEnter) trap("a destructor of a component instance that is already being called");
    }
    const destructor = this.#guests[resource];
    if (destructor === undefined) return undefined;
    const { async } = this.#options;
    // As its implementer gave it.
    if (async !== undefined) return this.#call(async, destructor, { rep: rep as Rep, owner, entered });
    for (const state of entered) state.mayEnter = false;
    destructor(rep);
    for (const state of entered) state.mayEnter = true;
    return undefined;
  }

  #disposeOfHosts(resource: number, rep: unknown): undefined {
    const dispose = this.#options.hostResources.get(resource)?.dispose;
    try {
      dispose?.call(rep as object); // A resource of the host is an object of the host.
    } catch (error) {
      throw error instanceof RemoraError
        ? error
        : componentErrors["host-failed"]({ name: "[Symbol.dispose]" }, error);
    }
  }

  /** Where guests may wait, a destructor is a task of its own. */
  #call(
    async: AsyncRuntime,
    core: CoreFunction,
    call: { readonly rep: Rep; readonly owner: number; readonly entered: readonly ComponentState[] },
  ): Later<undefined> {
    const { signature, entered, state, engine } = this.#options;
    const run = async.destructor({
      signature: signature(typeof call.rep === "bigint" ? destructorTypes.bigint : destructorTypes.number),
      // It takes a number and gives nothing: it needs no memory.
      cx: new Context({
        engine,
        state: state(call.owner),
        resources: noResources,
        memory: undefined,
        realloc: undefined,
        encoding: "utf8",
        liftBytesMax: 0,
      }),
      core,
      isAsync: false,
      callback: undefined,
      postReturn: undefined,
      entered: call.entered,
      chain: entered(call.owner, undefined),
    });
    return after(run(call.rep), () => undefined);
  }

  /** The host lets go of a resource that it owned: a call of its own, made when the guest has paused. */
  dispose(resource: number, rep: Rep): void {
    const { engine, plan, async, entered } = this.#options;
    const core = this.#guests[resource];
    // A guest that is gone took its resources with it: letting go of them is no failure.
    if (core === undefined || engine.isPoisoned === true || engine.isClosed === true) return;
    if (async !== undefined) {
      const owner = plan.resources[resource]?.owner ?? hostOwner;
      async.scheduler.whenPaused(() => {
        async.scheduler.open();
        return this.#call(async, core, { rep, owner, entered: entered(owner, undefined) });
      });
      return;
    }
    engine.enter();
    try {
      core(rep);
    } catch (error) {
      throw engine.fail(error);
    }
    engine.leave();
  }
}

/** A number is no resource. */
const noResources: ResourceHost = {
  wrap: () => trap("a resource in a destructor"),
  unwrap: () => undefined,
  take: () => undefined,
  accepts: () => false,
};
