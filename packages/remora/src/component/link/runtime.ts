/**
 * One instance of a prepared component: carries out the plan's steps on an engine, and makes contexts, functions
 * and resource classes when they are first asked for.
 */

import { invariant, RemoraError } from "../../base/index.ts";
import type { Signature } from "../abi/call-guest.ts";
import {
  callableFromGuest,
  callableFromHost,
  type GuestFunction,
  type HostCallable,
} from "../abi/call-guest.ts";
import { type OwnStack, promisedFromHost } from "../abi/call-guest-async.ts";
import { argumentsLifter, coreFunctionForHost, resultWriter } from "../abi/call-host.ts";
import { coreFunctionForAsyncHost } from "../abi/call-host-async.ts";
import type { Flat } from "../abi/codec.ts";
import { hostOwner } from "../abi/codec-resource.ts";
import { type ComponentState, Context, type ResourceHost } from "../abi/context.ts";
import { HandleTable } from "../abi/handles.ts";
import { coreSignature } from "../abi/layout.ts";
import { trap } from "../abi/trap.ts";
import { isAsyncHostFunction } from "../async-host.ts";
import type {
  CoreEngine,
  CoreExtern,
  CoreFunction,
  CoreImports,
  CoreInstance,
  CoreMemory,
  CoreWaiting,
} from "../core.ts";
import { componentErrors } from "../errors.ts";
import type { FuncType } from "../types.ts";
import { GuestResource, type GuestResourceClass } from "./guest-resource.ts";
import type { HostBindings } from "./host-imports.ts";
import type { CoreNamespace, CoreRef, FuncItem, HostFuncPlan, Plan } from "./plan.ts";

/** A plan with what is made of it once for all instances. */
export interface Prepared {
  readonly plan: Plan;
  /** Towards the host; made when first asked for, and kept. */
  readonly hostSignature: (type: FuncType) => Signature;
  /** Towards another guest. */
  readonly rawSignature: (type: FuncType) => Signature;
  /** For each component instance: itself and all around it. */
  readonly chains: readonly (readonly number[])[];
}

export interface RuntimeOptions {
  readonly prepared: Prepared;
  readonly engine: CoreEngine;
  readonly bindings: HostBindings;
  readonly limits: InstanceLimits;
}

/** What a guest may make the host hold while it runs. */
export interface InstanceLimits {
  /** Handles to resources, in all component instances of the one that is made. */
  readonly handlesMax: number;
  /** Bytes of strings and lists that one call may hand to the host, or one guest to another. */
  readonly liftBytesMax: number;
}

export const defaultInstanceLimits: InstanceLimits = {
  handlesMax: 100_000,
  liftBytesMax: 64 * 1024 * 1024,
};

export class Runtime implements ResourceHost {
  readonly engine: CoreEngine;
  readonly plan: Plan;
  readonly #prepared: Prepared;
  readonly #bindings: HostBindings;
  readonly #limits: InstanceLimits;
  readonly #states: ComponentState[] = [];
  readonly #coreInstances: CoreInstance[] = [];
  readonly #contexts: (Context | undefined)[];
  readonly #lowered: (CoreFunction | undefined)[];
  readonly #fromHost: (HostCallable | undefined)[];
  readonly #destructors: (CoreFunction | undefined)[];
  readonly #classes = new Map<number, GuestResourceClass>();
  readonly #constructors = new Map<GuestResourceClass, HostCallable>();
  /** Objects for borrowed guest resources that live until the host function that got them returns. */
  readonly #loans: GuestResource[] = [];
  /** Set when a host function may let the guest wait: every export then gives a promise. */
  readonly #waiting: CoreWaiting | undefined;
  readonly #stack: OwnStack = { isOwn: false };

  constructor(options: RuntimeOptions) {
    const { prepared, engine, bindings, limits } = options;
    const { plan } = prepared;
    this.engine = engine;
    this.plan = plan;
    this.#prepared = prepared;
    this.#bindings = bindings;
    this.#limits = limits;
    this.#waiting = this.#waitingFor();
    const handles = { left: limits.handlesMax };
    for (const { index } of plan.states) {
      this.#states.push({
        index,
        handles: new HandleTable(handles),
        mayLeave: true,
        mayEnter: true,
        borrows: 0,
        lent: [],
        slots: [],
        backpressure: 0,
      });
    }
    this.#contexts = new Array(plan.contexts.length);
    this.#lowered = new Array(plan.lowers.length);
    this.#fromHost = new Array(plan.lifts.length);
    this.#destructors = new Array(plan.resources.length);
    for (const step of plan.steps) {
      if (step.kind === "resource") {
        if (step.destructor !== undefined)
          this.#destructors[step.resource] = this.#coreFunction(step.destructor);
        continue;
      }
      const { module } = step;
      const bytes = module.kind === "bytes" ? module.bytes : bindings.modules.get(module.name);
      invariant(bytes !== undefined, "every imported module was bound");
      const imports: CoreImports = {};
      for (const { name, from } of step.args) imports[name] = this.#namespace(from);
      this.#coreInstances.push(engine.instantiate(bytes, imports));
    }
  }

  /** @throws component/no-waiting a host function is asynchronous and the engine cannot let a guest wait */
  #waitingFor(): CoreWaiting | undefined {
    const index = this.#bindings.funcs.findIndex((func) => isAsyncHostFunction(func));
    if (index < 0) return undefined;
    const { waiting } = this.engine;
    if (waiting === undefined) throw componentErrors["no-waiting"]({ name: this.#hostName(index) });
    return waiting;
  }

  #hostName(index: number): string {
    return this.plan.hostFuncs[index]?.path.join(" ") ?? "";
  }

  /** Runs a function of the guest in the middle of a call, where it cannot wait. */
  #onThisStack<Result>(run: () => Result): Result {
    const { isOwn } = this.#stack;
    this.#stack.isOwn = false;
    try {
      return run();
    } finally {
      this.#stack.isOwn = isOwn;
    }
  }

  /** The function that the host calls for an exported function. */
  func(item: FuncItem): HostCallable {
    // A host function that is exported again is the host's own: no guest stands between.
    if (item.kind === "host") return this.#bindings.funcs[item.index] as HostCallable;
    let callable = this.#fromHost[item.index];
    if (callable === undefined) {
      const signature = this.#prepared.hostSignature(item.type);
      const guest = this.#guestFunction(item.index, signature, undefined);
      callable =
        this.#waiting === undefined
          ? callableFromHost(guest)
          : promisedFromHost(guest, this.#waiting, this.#stack);
      this.#fromHost[item.index] = callable;
    }
    return callable;
  }

  #guestFunction(index: number, signature: Signature, caller: number | undefined): GuestFunction {
    const lift = this.plan.lifts[index];
    invariant(lift !== undefined, "a lifted function has a plan");
    if (lift.isAsync || lift.type.isAsync) throw asynchronous();
    const cx = this.#context(lift.context);
    const around = caller === undefined ? [] : (this.#prepared.chains[caller] ?? []);
    const entered = (this.#prepared.chains[cx.state.index] ?? []).filter((state) => !around.includes(state));
    return {
      signature,
      cx,
      core: this.#coreFunction(lift.core),
      postReturn: lift.postReturn === undefined ? undefined : this.#coreFunction(lift.postReturn),
      usesSlots: this.plan.usesSlots,
      // A lone component instance cannot be entered twice: the engine refuses that before we come here.
      entered:
        caller === undefined && this.#states.length === 1 ? [] : entered.map((state) => this.#state(state)),
    };
  }

  #state(index: number): ComponentState {
    const state = this.#states[index];
    invariant(state !== undefined, "a planned component instance has a state");
    return state;
  }

  #context(index: number): Context {
    let context = this.#contexts[index];
    if (context === undefined) {
      const plan = this.plan.contexts[index];
      invariant(plan !== undefined, "a used context has a plan");
      context = new Context({
        engine: this.engine,
        state: this.#state(plan.state),
        resources: this,
        // The validator checked that the export is a memory.
        memory: plan.memory === undefined ? undefined : (this.#core(plan.memory) as CoreMemory),
        realloc: plan.realloc === undefined ? undefined : this.#coreFunction(plan.realloc),
        encoding: plan.encoding,
        liftBytesMax: this.#limits.liftBytesMax,
      });
      this.#contexts[index] = context;
    }
    return context;
  }

  #namespace(from: CoreNamespace): Record<string, CoreExtern> {
    if (from.kind === "instance") {
      const instance = this.#coreInstances[from.instance];
      invariant(instance !== undefined, "core instances come before what uses them");
      // Read only: the engine takes the imports from it.
      return instance.exports as Record<string, CoreExtern>;
    }
    const items: Record<string, CoreExtern> = {};
    for (const [name, ref] of from.exports) items[name] = this.#core(ref);
    return items;
  }

  #coreFunction(ref: CoreRef): CoreFunction {
    // The validator checked that what is used as a function is one.
    return this.#core(ref) as CoreFunction;
  }

  #core(ref: CoreRef): CoreExtern {
    switch (ref.kind) {
      case "export": {
        const item = this.#coreInstances[ref.instance]?.exports[ref.name];
        if (item === undefined) {
          throw componentErrors.invalid({
            what: `core instance ${ref.instance} has no export "${ref.name}"`,
            offset: 0,
          });
        }
        return item;
      }
      case "lower":
        return this.#lower(ref.index);
      case "context.get": {
        const { slots } = this.#state(ref.state);
        return () => (ref.isBigInt ? BigInt(slots[ref.slot] ?? 0) : Number(slots[ref.slot] ?? 0));
      }
      case "context.set": {
        const { slots } = this.#state(ref.state);
        return (value: Flat) => {
          slots[ref.slot] = value;
        };
      }
      case "backpressure.inc":
      case "backpressure.dec":
        return this.#backpressure(ref.state, ref.kind === "backpressure.inc" ? 1 : -1);
      case "builtin":
        return this.#builtin(ref.state, () => {
          throw componentErrors.unsupported({ what: `canonical function ${ref.name}`, offset: 0 });
        });
      case "resource.new": {
        const { handles } = this.#state(ref.state);
        return this.#builtin(ref.state, (rep: number) => handles.add(ref.resource, rep, true));
      }
      case "resource.rep": {
        const { handles } = this.#state(ref.state);
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
        return this.#builtin(ref.state, this.#dropper(ref.resource, ref.state));
    }
  }

  /** CanonicalABI.md, "canon backpressure": only counted, since nothing that is synchronous waits for it. */
  #backpressure(state: number, step: number): CoreFunction {
    const owner = this.#state(state);
    return () => {
      owner.backpressure += step;
      if (owner.backpressure >= 0 && owner.backpressure < backpressureEnd) return;
      this.engine.abort(componentErrors.trap({ what: "backpressure out of its range" }));
    };
  }

  #builtin(state: number, body: (value: number) => unknown): CoreFunction {
    const owner = this.#state(state);
    return (value: number) => {
      try {
        if (!owner.mayLeave) trap("a call out of a component instance that may not leave");
        return body(value);
      } catch (error) {
        return this.#abort(error);
      }
    };
  }

  #abort(error: unknown): never {
    if (error instanceof RemoraError) return this.engine.abort(error);
    throw error;
  }

  #dropper(resource: number, stateIndex: number): (index: number) => void {
    const state = this.#state(stateIndex);
    return (index) => {
      const handle = state.handles.remove(index, resource);
      const { rep, isOwn } = handle;
      handle.rep = undefined;
      if (!isOwn) {
        state.borrows--;
        return;
      }
      this.#destroy(resource, rep, stateIndex);
    };
  }

  /** Runs the destructor of a resource whose last handle was dropped by a guest. */
  #destroy(resource: number, rep: unknown, caller: number): void {
    const owner = this.plan.resources[resource]?.owner ?? hostOwner;
    if (owner === hostOwner) {
      const dispose = this.#bindings.resources.get(resource)?.dispose;
      if (dispose === undefined) return;
      try {
        dispose.call(rep as object); // A resource of the host is an object of the host.
      } catch (error) {
        throw error instanceof RemoraError
          ? error
          : componentErrors["host-failed"]({ name: "[Symbol.dispose]" }, error);
      }
      return;
    }
    const around = this.#prepared.chains[caller] ?? [];
    const entered = (this.#prepared.chains[owner] ?? []).filter((state) => !around.includes(state));
    for (const index of entered) {
      if (!this.#state(index).mayEnter)
        trap("a destructor of a component instance that is already being called");
    }
    const destructor = this.#destructors[resource];
    if (destructor === undefined) return;
    for (const index of entered) this.#state(index).mayEnter = false;
    this.#onThisStack(() => destructor(rep));
    for (const index of entered) this.#state(index).mayEnter = true;
  }

  #lower(index: number): CoreFunction {
    let lowered = this.#lowered[index];
    if (lowered === undefined) {
      const plan = this.plan.lowers[index];
      invariant(plan !== undefined, "a lowered function has a plan");
      const cx = this.#context(plan.context);
      if (plan.isAsync || plan.callee.type.isAsync) {
        return this.#builtin(cx.state.index, () => {
          throw asynchronous();
        });
      }
      lowered =
        plan.callee.kind === "host"
          ? this.#lowerHost(plan.callee.index, cx)
          : this.#lowerGuest(plan.callee, cx);
      this.#lowered[index] = lowered;
    }
    return lowered;
  }

  #lowerHost(index: number, cx: Context): CoreFunction {
    const { plan } = this;
    const { type } = plan.hostFuncs[index] as HostFuncPlan; // One for each host function.
    const signature = this.#prepared.hostSignature(type);
    const lends = signature.type.params.some(
      ({ type }) => type.kind === "borrow" && plan.resources[type.resource.id]?.owner !== hostOwner,
    );
    const callee = this.#bindings.funcs[index] as HostCallable; // As above.
    const call = {
      signature,
      cx,
      name: this.#hostName(index),
      callee,
      endLoans: lends ? () => this.#endLoans() : undefined,
    };
    if (this.#waiting === undefined || !isAsyncHostFunction(callee)) return coreFunctionForHost(call);
    const body = coreFunctionForAsyncHost(call, () => this.#stack.isOwn);
    return this.#waiting.importOf(body, coreSignature(type, "lower"));
  }

  /** From one guest of the component to another: lifted out of the one, lowered into the other. */
  #lowerGuest(callee: Extract<FuncItem, { kind: "lifted" }>, cx: Context): CoreFunction {
    const signature = this.#prepared.rawSignature(callee.type);
    const lift = argumentsLifter(signature);
    const write = resultWriter(signature);
    const { state } = cx;
    // Made at the first call: the callee's own core instance may come after its function is passed on.
    let call: ((args: readonly unknown[]) => unknown) | undefined;
    return (...flat: Flat[]) => {
      try {
        if (!state.mayLeave) trap("a call out of a component instance that may not leave");
        cx.beginLift();
        call ??= callableFromGuest(this.#guestFunction(callee.index, signature, state.index));
        const lentBefore = state.lent.length;
        const { isOwn } = this.#stack;
        this.#stack.isOwn = false;
        const value = call(lift(cx, flat));
        this.#stack.isOwn = isOwn;
        while (state.lent.length > lentBefore) {
          const handle = state.lent.pop();
          if (handle !== undefined) handle.lends--;
        }
        cx.refreshIfDetached();
        return write(cx, value, flat);
      } catch (error) {
        return this.#abort(error);
      }
    };
  }

  wrap(resource: number, rep: number, isOwn: boolean): object {
    const object = GuestResource.wrap(this.classOf(resource), { runtime: this, resource, rep });
    if (!isOwn) this.#loans.push(object);
    return object;
  }

  #endLoans(): void {
    for (const object of this.#loans) object[GuestResource.release]();
    this.#loans.length = 0;
  }

  /** The class of a guest's resource; its constructor and methods are added by whoever exports it. */
  classOf(resource: number): GuestResourceClass {
    let found = this.#classes.get(resource);
    if (found === undefined) {
      const construct = (args: unknown[]) => this.#construct(made, resource, args);
      const made = class extends GuestResource {
        constructor(...args: unknown[]) {
          super();
          // The guest's constructor gives an object of this very class, wrapped around its handle.
          // biome-ignore lint/correctness/noConstructorReturn: that object is what `new` shall give
          return construct(args);
        }
      };
      found = made;
      this.#classes.set(resource, found);
    }
    return found;
  }

  setConstructor(target: GuestResourceClass, call: HostCallable): void {
    this.#constructors.set(target, call);
  }

  #construct(target: GuestResourceClass, resource: number, args: unknown[]): GuestResource {
    const call = this.#constructors.get(target);
    if (call === undefined) {
      throw new TypeError(`Resource "${this.plan.resources[resource]?.name}" has no constructor`);
    }
    return call(...args) as GuestResource; // A constructor's result is the resource.
  }

  unwrap(resource: number, value: unknown): number | undefined {
    return GuestResource.repOf(value, this, resource);
  }

  take(resource: number, value: unknown): number | undefined {
    const rep = GuestResource.repOf(value, this, resource);
    if (rep !== undefined) (value as GuestResource)[GuestResource.release](); // It has a rep: it is one.
    return rep;
  }

  accepts(resource: number, value: unknown): boolean {
    if (typeof value !== "object" || value === null) return false;
    const required = this.#bindings.resources.get(resource)?.constructor;
    return required === undefined || value instanceof required;
  }

  /** The host lets go of a resource that it owned: the guest's destructor runs as a call of its own. */
  dispose(resource: number, rep: number): void {
    const destructor = this.#destructors[resource];
    // A guest that is gone took its resources with it: letting go of them is no failure.
    if (destructor === undefined || this.engine.isPoisoned || this.engine.isClosed) return;
    this.engine.enter();
    try {
      destructor(rep);
    } catch (error) {
      throw this.engine.fail(error);
    }
    this.engine.leave();
  }
}

const backpressureEnd = 2 ** 16;

function asynchronous(): RemoraError {
  return componentErrors.unsupported({ what: "asynchronous functions", offset: 0 });
}
