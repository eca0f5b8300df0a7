/**
 * One instance of a prepared component: carries out the plan's steps on an engine, and makes contexts, functions
 * and resource classes when they are first asked for.
 */

import { invariant, RemoraError } from "../../base/index.ts";
import {
  callableFromGuest,
  callableFromHost,
  type GuestFunction,
  type HostCallable,
} from "../abi/call-guest.ts";
import { argumentsLifter, coreFunctionForHost, resultWriter } from "../abi/call-host.ts";
import type { Flat } from "../abi/codec.ts";
import { hostOwner } from "../abi/codec-resource.ts";
import { type ComponentState, type Context, freshState } from "../abi/context.ts";
import { HandleTable, type Rep } from "../abi/handles.ts";
import { isLarge, type Signature } from "../abi/signature.ts";
import { callableFromPacket, type PacketCallable } from "../abi/transfer.ts";
import { trap } from "../abi/trap.ts";
import { contextOf } from "../abi/wide-context.ts";
import type { FunctionTable } from "../async/builtin.ts";
import type { Scheduler } from "../async/scheduler.ts";
import { isAsyncHostFunction } from "../async-host.ts";
import type { CoreEngine, CoreExtern, CoreFunction, CoreImports, CoreInstance, CoreMemory } from "../core.ts";
import { componentErrors } from "../errors.ts";
import type { PacketMemory } from "../packet-memory.ts";
import { disposeAbandoned } from "./abandoned.ts";
import { AsyncRuntime, type Lifting } from "./async-runtime.ts";
import { Destructors } from "./destructors.ts";
import type { ExportSource } from "./exports.ts";
import { GuestObjects } from "./guest-objects.ts";
import type { HostBindings } from "./host-imports.ts";
import { InstanceBuiltins } from "./instance-builtins.ts";
import type { InstanceLimits } from "./instance-limits.ts";
import type { CoreNamespace, CoreRef, FuncItem, HostFuncPlan, Plan } from "./plan.ts";
import type { Prepared, Side } from "./prepared.ts";

export interface RuntimeOptions {
  readonly prepared: Prepared;
  readonly engine: CoreEngine;
  readonly bindings: HostBindings;
  readonly limits: InstanceLimits;
  /** Whether every export gives a promise, also of functions of synchronous type. */
  readonly isPromised: boolean;
}

export class Runtime {
  readonly engine: CoreEngine;
  readonly plan: Plan;
  readonly #objects: GuestObjects;
  readonly #prepared: Prepared;
  readonly #bindings: HostBindings;
  readonly #limits: InstanceLimits;
  readonly #states: ComponentState[] = [];
  readonly #coreInstances: CoreInstance[] = [];
  readonly #contexts: (Context | undefined)[];
  readonly #lowered: (CoreFunction | undefined)[];
  readonly #fromHost: (HostCallable | undefined)[];
  readonly #destructors: Destructors;
  readonly #builtins: InstanceBuiltins;
  /** Set when a call may be anything but one that gives its result at once. */
  readonly #async: AsyncRuntime | undefined;

  constructor(options: RuntimeOptions) {
    const { prepared, engine, bindings, limits } = options;
    const { plan } = prepared;
    this.engine = engine;
    this.plan = plan;
    this.#prepared = prepared;
    this.#bindings = bindings;
    this.#limits = limits;
    this.#async = this.#asyncRuntime(options.isPromised);
    const hostResources = bindings.resources;
    this.#destructors = new Destructors({
      engine,
      plan,
      hostResources,
      entered: (callee, caller) => this.#entered(callee, caller),
      state: (index) => this.#state(index),
      signature: prepared.sides.i32.rawSignature,
      async: this.#async,
    });
    this.#builtins = new InstanceBuiltins({
      engine,
      state: (index) => this.#state(index),
      destructors: this.#destructors,
      async: this.#async,
    });
    const dispose = (resource: number, rep: Rep) => this.#destructors.dispose(resource, rep);
    this.#objects = new GuestObjects({ plan, hostResources, dispose });
    const handles = { left: limits.handlesMax };
    for (const { index } of plan.states) this.#states.push(freshState(index, new HandleTable(handles)));
    this.#contexts = new Array(plan.contexts.length);
    this.#lowered = new Array(plan.lowers.length);
    this.#fromHost = new Array(plan.lifts.length);
    for (const step of plan.steps) {
      if (step.kind === "resource") {
        if (step.destructor !== undefined)
          this.#destructors.set(step.resource, this.#coreFunction(step.destructor));
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

  get scheduler(): Scheduler | undefined {
    return this.#async?.scheduler;
  }

  /** Whether functions of synchronous type give promises as well. */
  get isPromised(): boolean {
    return this.#async?.isPromised === true;
  }

  /** @throws component/no-waiting a host function is asynchronous and the engine cannot let a guest wait */
  #asyncRuntime(isPromised: boolean): AsyncRuntime | undefined {
    const { hostFuncs } = this.plan;
    const asyncHost = this.#bindings.funcs.findIndex(
      (func, index) => isAsyncHostFunction(func) && hostFuncs[index]?.type.isAsync === false,
    );
    if (asyncHost < 0 && !isPromised && !this.plan.isAsync) return undefined;
    if (asyncHost >= 0 && this.engine.waiting === undefined)
      throw componentErrors["no-waiting"]({ name: this.#hostName(asyncHost) });
    return new AsyncRuntime({
      engine: this.engine,
      codecs: { i32: this.#prepared.sides.i32.codecs, i64: this.#prepared.sides.i64.codecs },
      limits: this.#limits,
      isPromised: isPromised || asyncHost >= 0,
    });
  }

  #hostName(index: number): string {
    return this.plan.hostFuncs[index]?.path.join(" ") ?? "";
  }

  /** The guest is gone, and will not be called any more. */
  close(): void {
    for (const { handles } of this.#states) disposeAbandoned(handles, this.#bindings.resources);
  }

  /** Nothing happens in it until the host does something, or a deadline passes. */
  get isAtRest(): boolean {
    return this.#async?.scheduler.isAtRest ?? true;
  }

  /** Of what may wait: why nothing happens in it any more. */
  get failure(): RemoraError | undefined {
    return this.#async?.scheduler.failure;
  }

  /** What the host finds its exports in. */
  get exportSource(): ExportSource {
    const objects = this.#objects;
    return {
      func: (item) => this.func(item),
      classOf: (resource) => objects.classOf(resource),
      setConstructor: (target, call) => objects.setConstructor(target, call),
    };
  }

  /** The function that the host calls for an exported function. */
  func(item: FuncItem): HostCallable {
    // A host function that is exported again is the host's own: no guest stands between.
    if (item.kind === "host") return this.#bindings.funcs[item.index] as HostCallable;
    let callable = this.#fromHost[item.index];
    if (callable === undefined) {
      const signature = this.#sideOfLift(item.index).hostSignature(item.type);
      callable =
        this.#async === undefined
          ? callableFromHost(this.#guestFunction(item.index, signature, undefined))
          : this.#async.exported(this.#lifting(item.index, signature, undefined));
      this.#fromHost[item.index] = callable;
    }
    return callable;
  }

  /** The same function for arguments in a packet; undefined where they have to be values. */
  funcOfPacket(
    item: Extract<FuncItem, { kind: "lifted" }>,
    packet: PacketMemory,
  ): PacketCallable | undefined {
    const side = this.#sideOfLift(item.index);
    // A packet is laid out as a 32-bit memory is.
    if (this.#async !== undefined || side.codecs.host.address === "i64") return undefined;
    const guest = this.#guestFunction(item.index, side.hostSignature(item.type), undefined);
    return callableFromPacket(guest, packet);
  }

  /** What is made for the memory of a lifted function. */
  #sideOfLift(index: number): Side {
    const context = this.plan.contexts[this.plan.lifts[index]?.context ?? -1];
    invariant(context !== undefined, "a lifted function has a planned context");
    return this.#prepared.sides[context.address];
  }

  #guestFunction(index: number, signature: Signature, caller: number | undefined): GuestFunction {
    const lift = this.plan.lifts[index];
    invariant(lift !== undefined, "a lifted function has a plan");
    const cx = this.#context(lift.context);
    const entered = this.#entered(cx.state.index, caller);
    return {
      signature,
      cx,
      core: this.#coreFunction(lift.core),
      postReturn: lift.postReturn === undefined ? undefined : this.#coreFunction(lift.postReturn),
      usesSlots: this.plan.usesSlots,
      // A lone component instance cannot be entered twice: the engine refuses that before we come here.
      entered: caller === undefined && this.#states.length === 1 ? [] : entered,
    };
  }

  #lifting(index: number, signature: Signature, caller: number | undefined): Lifting {
    const lift = this.plan.lifts[index];
    invariant(lift !== undefined, "a lifted function has a plan");
    const cx = this.#context(lift.context);
    const optional = (ref: CoreRef | undefined) => (ref === undefined ? undefined : this.#coreFunction(ref));
    return {
      signature,
      cx,
      core: this.#coreFunction(lift.core),
      isAsync: lift.isAsync,
      callback: optional(lift.callback),
      postReturn: optional(lift.postReturn),
      entered: this.#entered(cx.state.index, caller),
      chain: this.#entered(cx.state.index, undefined),
    };
  }

  /** Component instances that a call enters: the callee's and those around it that the caller is not in. */
  #entered(callee: number, caller: number | undefined): ComponentState[] {
    const around = caller === undefined ? [] : (this.#prepared.chains[caller] ?? []);
    const chain = this.#prepared.chains[callee] ?? [];
    return chain.filter((state) => !around.includes(state)).map((state) => this.#state(state));
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
      context = contextOf({
        engine: this.engine,
        state: this.#state(plan.state),
        resources: this.#objects,
        // The validator checked that the export is a memory.
        memory: plan.memory === undefined ? undefined : (this.#core(plan.memory) as CoreMemory),
        address: plan.address,
        realloc: plan.realloc === undefined ? undefined : this.#coreFunction(plan.realloc),
        encoding: plan.encoding,
        liftBytesMax: this.#limits.liftBytesMax,
        asyncValues: this.#async?.values,
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
      case "builtin":
        return this.#asyncBuiltin(ref.index);
      default:
        return this.#builtins.of(ref);
    }
  }

  #asyncBuiltin(index: number): CoreFunction {
    const plan = this.plan.builtins[index];
    invariant(plan !== undefined && this.#async !== undefined, "a component with builtins is planned so");
    const table = plan.table === undefined ? undefined : this.#core(plan.table);
    return this.#async.builtin(
      plan,
      this.#state(plan.state),
      { cx: this.#context(plan.context), address: this.plan.contexts[plan.context]?.address ?? "i32" },
      table as FunctionTable | undefined, // The validator checked that it is a table.
    );
  }

  #abort(error: unknown): never {
    if (error instanceof RemoraError) return this.engine.abort(error);
    throw error;
  }

  #lower(index: number): CoreFunction {
    let lowered = this.#lowered[index];
    if (lowered === undefined) {
      const plan = this.plan.lowers[index];
      invariant(plan !== undefined, "a lowered function has a plan");
      const cx = this.#context(plan.context);
      const side = this.#prepared.sides[this.plan.contexts[plan.context]?.address ?? "i32"];
      lowered =
        plan.callee.kind === "host"
          ? this.#lowerHost(plan.callee.index, cx, side, plan.isAsync)
          : this.#lowerGuest(plan.callee, cx, side, plan.isAsync);
      this.#lowered[index] = lowered;
    }
    return lowered;
  }

  #lowerHost(index: number, cx: Context, side: Side, isAsync: boolean): CoreFunction {
    const { plan } = this;
    const { type } = plan.hostFuncs[index] as HostFuncPlan; // One for each host function.
    const signature = side.hostSignature(type);
    const lends = signature.type.params.some(
      ({ type }) => type.kind === "borrow" && plan.resources[type.resource.id]?.owner !== hostOwner,
    );
    const callee = this.#bindings.funcs[index] as HostCallable; // As above.
    const call = {
      signature,
      cx,
      name: this.#hostName(index),
      callee,
      endLoans: lends ? () => this.#objects.endLoans() : undefined,
    };
    const mayWait = isAsync || type.isAsync || isAsyncHostFunction(callee);
    if (this.#async === undefined || !mayWait) return coreFunctionForHost(call);
    return this.#async.loweredHost(call, isAsync, () => this.#objects.takeLoans());
  }

  /** From one guest of the component to another: lifted out of the one, lowered into the other. */
  #lowerGuest(
    callee: Extract<FuncItem, { kind: "lifted" }>,
    cx: Context,
    side: Side,
    isAsync: boolean,
  ): CoreFunction {
    const signature = side.rawSignature(callee.type);
    const calleeSignature = this.#sideOfLift(callee.index).rawSignature(callee.type);
    if (this.#async !== undefined) {
      const lifting = () => this.#lifting(callee.index, calleeSignature, cx.state.index);
      return this.#async.loweredGuest(cx, signature, isAsync, lifting);
    }
    const lift = argumentsLifter(signature);
    const write = resultWriter(signature);
    const large = isLarge(signature);
    const { state } = cx;
    // Made at the first call: the callee's own core instance may come after its function is passed on.
    let call: ((args: readonly unknown[]) => unknown) | undefined;
    return (...flat: Flat[]) => {
      try {
        if (!state.mayLeave) trap("a call out of a component instance that may not leave");
        cx.beginLift();
        call ??= callableFromGuest(this.#guestFunction(callee.index, calleeSignature, state.index));
        const lentBefore = state.lent.length;
        const value = call(lift(cx, flat));
        while (state.lent.length > lentBefore) {
          const handle = state.lent.pop();
          if (handle !== undefined) handle.lends--;
        }
        cx.refreshIfDetached();
        const lowered = write(cx, value, flat);
        cx.lookAtClock(large);
        return lowered;
      } catch (error) {
        return this.#abort(error);
      }
    };
  }
}
