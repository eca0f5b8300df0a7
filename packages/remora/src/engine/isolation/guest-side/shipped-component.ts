/** A component on the guest's side: its plan carried out here, its host functions called over there. */

import { invariant } from "../../../base/index.ts";
import type { HostCallable } from "../../../component/abi/call-guest.ts";
import type { HostValues } from "../../../component/abi/codec-async.ts";
import type { PacketCallable } from "../../../component/abi/transfer.ts";
import { callWhileWanted } from "../../../component/async/abortable.ts";
import { forgettable } from "../../../component/async/forgettable.ts";
import { ComponentError } from "../../../component/component-error.ts";
import type { HostBindings } from "../../../component/link/host-imports.ts";
import { defaultInstanceLimits } from "../../../component/link/instance-limits.ts";
import type { HostFuncPlan, Plan } from "../../../component/link/plan.ts";
import { type Prepared, preparePlan } from "../../../component/link/prepared.ts";
import { Runtime } from "../../../component/link/runtime.ts";
import { argumentsType, firstValueAt, isAsciiPacket, Packets } from "../../../component/packet.ts";
import type { PacketMemory } from "../../../component/packet-memory.ts";
import { slowHostFunction } from "../../../component/slow-host.ts";
import type { FuncType, ValueType } from "../../../component/types.ts";
import type { Eagerly } from "../../compile.ts";
import type { InstanceEngine } from "../../core-engine.ts";
import { packetEngine } from "../../packet-engine.ts";
import type { CrossingEnds, EndType } from "../crossing-ends.ts";
import { kinds, type Message, message } from "../protocol.ts";
import type { ShippedComponent } from "../shipment.ts";
import { CrossingResources, HostResource, OwnResources } from "./crossing-resources.ts";
import { type HostCaller, type InstantiateRequest, LiveGuest, type ShippedArtifact } from "./live-guest.ts";
import { LiveTasks } from "./live-tasks.ts";
import { ShippedModules } from "./shipped-modules.ts";

export class ShippedComponentArtifact implements ShippedArtifact {
  readonly #modules: ShippedModules;
  readonly #prepared: Prepared;
  readonly #resources: CrossingResources;
  readonly #ends: CurrentEnds;
  readonly #packets: Packets;

  constructor(shipment: ShippedComponent, memory: PacketMemory, eagerly: Eagerly | undefined) {
    this.#resources = new CrossingResources(shipment.plan);
    this.#ends = new CurrentEnds();
    this.#packets = new Packets(packetEngine, this.#resources, {
      sharesText: true,
      memory,
      ends: this.#ends,
    });
    this.#modules = new ShippedModules(shipment, eagerly);
    this.#prepared = preparePlan(shipment.plan);
  }

  instantiate(request: InstantiateRequest): LiveGuest {
    const engine = this.#modules.engine(request);
    const own = new OwnResources();
    // One instance's packets are written and read at a time.
    const packets = () => {
      this.#resources.own = own;
      if (tasks !== undefined) this.#ends.current = tasks.ends;
      return this.#packets;
    };
    const { failures } = request;
    const tasks = this.#prepared.plan.isAsync ? new LiveTasks({ engine, failures, packets }) : undefined;
    return new LiveComponent(engine, request, { prepared: this.#prepared, packets, own, tasks });
  }
}

/** Streams and futures of the instance whose packet is written or read. */
class CurrentEnds implements HostValues {
  current: CrossingEnds | undefined;

  toHost(number: unknown, type: EndType): unknown {
    return this.#ends.toHost(number, type);
  }

  accepts(value: unknown, type: EndType): boolean {
    return this.#ends.accepts(value, type);
  }

  fromHost(value: unknown, type: EndType): number {
    return this.#ends.fromHost(value, type);
  }

  get #ends(): CrossingEnds {
    invariant(this.current !== undefined, "only asynchronous components have streams and futures");
    return this.current;
  }
}

interface ComponentParts {
  readonly prepared: Prepared;
  /** With the resources of this instance. */
  readonly packets: () => Packets;
  readonly own: OwnResources;
  /** Of an asynchronous component. */
  readonly tasks: LiveTasks | undefined;
}

class LiveComponent extends LiveGuest {
  readonly #plan: Plan;
  readonly #packets: () => Packets;
  readonly #own: OwnResources;
  readonly #tasks: LiveTasks | undefined;
  readonly #runtime: Runtime;
  readonly #argumentsMemory: PacketMemory;
  /** By number of the function: what takes its arguments out of this memory, and how often it was called before. */
  readonly #packetCalls: (
    | { readonly memory: object; readonly call: PacketCallable | undefined }
    | undefined
  )[] = [];
  readonly #uses: number[] = [];

  constructor(
    engine: InstanceEngine,
    request: InstantiateRequest,
    { prepared, packets, own, tasks }: ComponentParts,
  ) {
    super(engine, request.failures);
    this.#plan = prepared.plan;
    this.#packets = packets;
    this.#own = own;
    this.#tasks = tasks;
    this.#argumentsMemory = request.argumentsMemory;
    const bindings = this.#bindings(request.caller);
    const limits = defaultInstanceLimits;
    this.#runtime = new Runtime({ prepared, engine, bindings, limits, isPromised: false });
  }

  protected calls(call: Message, isNested: boolean): (row: number) => unknown {
    const type = this.#type(call.item);
    const invoke = this.#fromPacket(type, call, isNested) ?? this.#fromValues(type, call);
    return type.result?.kind === "result" && !type.isAsync ? (row) => asResult(() => invoke(row)) : invoke;
  }

  /** @param signal Ends the calls of functions that can be ended. */
  #fromValues(
    type: FuncType,
    { item, payload, count }: Message,
    signal?: AbortSignal,
  ): (row: number) => unknown {
    const packets = this.#packets();
    const call = this.#runtime.func({ kind: "lifted", index: item, type });
    // A value of the type of all arguments is an array of them.
    const rows = packets.read(packets.codec(argumentsTypeOf(type)), payload, count) as unknown[][];
    const argsOf = (row: number) => rows[row] as unknown[]; // As many as there are calls.
    return signal === undefined
      ? (row) => call(...argsOf(row))
      : (row) => callWhileWanted(call, argsOf(row), signal);
  }

  /** Arguments go from the packet into the guest. A nested call's have no place of their own, and go as values. */
  #fromPacket(
    type: FuncType,
    { item, payload, count }: Message,
    isNested: boolean,
  ): ((row: number) => unknown) | undefined {
    if (isNested || !isAsciiPacket(payload)) return undefined;
    this.#argumentsMemory.renew();
    const call = this.#packetCall(item, type, count);
    if (call === undefined) return undefined;
    const codec = this.#packets().codec(argumentsTypeOf(type));
    const first = firstValueAt(codec);
    this.#argumentsMemory.load(payload);
    return (row) => call(first + row * codec.size);
  }

  /** Made after some calls, since making it takes as long as it saves in these; and anew when the memory is another. */
  #packetCall(item: number, type: FuncType, count: number): PacketCallable | undefined {
    const { memory } = this.#argumentsMemory;
    const known = this.#packetCalls[item];
    if (known?.memory === memory) return known.call;
    const uses = (this.#uses[item] ?? 0) + count;
    this.#uses[item] = uses;
    if (uses < packetEngine.routines.usesBefore) return undefined;
    const call = this.#runtime.funcOfPacket({ kind: "lifted", index: item, type }, this.#argumentsMemory);
    this.#packetCalls[item] = { memory, call };
    return call;
  }

  protected writeResults(item: number, results: readonly unknown[]): Uint8Array {
    const { result } = this.#type(item);
    if (result === undefined) return new Uint8Array(0);
    const packets = this.#packets();
    return packets.write(packets.codec(result), results);
  }

  protected override get isTask(): boolean {
    return this.#tasks !== undefined;
  }

  override handle(received: Message): Promise<Message> {
    invariant(this.#tasks !== undefined, "the host knows what is asynchronous");
    return this.#tasks.handle(received, {
      runtime: this.#runtime,
      call: (begun, signal) => this.#task(begun, signal),
      release: (resource, number) => this.#own.release(resource, number),
    });
  }

  /** One call, whose result may be there later. */
  #task(call: Message, signal: AbortSignal): Uint8Array | Promise<Uint8Array> {
    const { item } = call;
    const type = this.#type(item);
    const { result } = type;
    const invoke = this.#fromValues(type, { ...call, count: 1 }, signal);
    const isImmediate = result?.kind === "result" && !type.isAsync;
    const value = isImmediate ? asResult(() => invoke(0)) : invoke(0);
    if (!(value instanceof Promise)) return this.writeResults(item, [value]);
    const settled = result?.kind === "result" ? asLaterResult(value) : value;
    return settled.then((kept) => {
      // A promise that gives a promise gives what that gives.
      const given = result?.kind === "future" ? Promise.resolve(kept) : kept;
      // A copy: until it is sent, others may write packets.
      return Uint8Array.from(this.writeResults(item, [given]));
    });
  }

  protected letGo(resource: number, number: number): void {
    this.#own.release(resource, number);
  }

  #type(item: number): FuncType {
    const lift = this.#plan.lifts[item];
    if (lift === undefined) throw new Error(`Invariant broken: no function ${item}`);
    return lift.type;
  }

  #bindings(caller: HostCaller): HostBindings {
    const { engine } = this;
    const funcs = this.#plan.hostFuncs.map((plan, index) => this.#hostFunction(plan, index, caller));
    const resources = new Map(
      this.#plan.hostResources.map(({ resource }) => [
        resource.id,
        {
          constructor: HostResource,
          dispose(this: object) {
            // Only resources of the host have this method, and all of those are handles.
            const { number } = this as HostResource;
            caller(message(kinds.dropResource, { item: resource.id, first: number }), engine);
          },
        },
      ]),
    );
    return { funcs, resources, modules: new Map() };
  }

  /** The guest need not wait for it: a promise. */
  #asyncHostFunction({ type }: HostFuncPlan, index: number, tasks: LiveTasks): HostCallable {
    const { result } = type;
    return (...args) => {
      const packets = this.#packets();
      const payload = Uint8Array.from(packets.write(packets.codec(argumentsTypeOf(type)), [args]));
      const endLoans = this.#own.lendings();
      const question = tasks.ask(index, payload);
      let isForgotten = false;
      const answered = async () => {
        const answer = await question.answer;
        if (isForgotten) return undefined;
        endLoans();
        if (result === undefined) return undefined;
        const [value] = this.#packets().read(packets.codec(result), answer.payload, 1);
        return result.kind === "result" ? settled(value) : value;
      };
      return forgettable(answered(), () => {
        isForgotten = true;
        question.forget();
        endLoans();
        // The host's function goes on, with what it was given, until the host says that it is done.
        return false;
      });
    };
  }

  /** Slow, since it crosses the wall: the clock is looked at before and after. */
  #hostFunction(plan: HostFuncPlan, index: number, caller: HostCaller): HostCallable {
    const { type } = plan;
    if (type.isAsync && this.#tasks !== undefined) return this.#asyncHostFunction(plan, index, this.#tasks);
    const { result } = type;
    return slowHostFunction((...args) => {
      const packets = this.#packets();
      const payload = packets.write(packets.codec(argumentsTypeOf(type)), [args]);
      const endLoans = this.#own.lendings();
      const first = this.engine.waitMsLeft;
      const asked = message(kinds.hostCall, { item: index, count: 1, first, payload });
      const answer = caller(asked, this.engine).payload;
      endLoans();
      if (result === undefined) return undefined;
      const [value] = this.#packets().read(packets.codec(result), answer, 1);
      return result.kind === "result" ? settled(value) : value;
    });
  }
}

const argumentTypes = new WeakMap<FuncType, ValueType>();

function argumentsTypeOf(type: FuncType): ValueType {
  let found = argumentTypes.get(type);
  if (found === undefined) {
    found = argumentsType(type);
    argumentTypes.set(type, found);
  }
  return found;
}

interface ResultValue {
  readonly tag: "ok" | "err";
  readonly val: unknown;
}

/** A top-level result as a value again, for the packet. */
function asResult(call: () => unknown): ResultValue {
  try {
    return { tag: "ok", val: call() };
  } catch (error) {
    if (error instanceof ComponentError) return { tag: "err", val: error.payload };
    throw error;
  }
}

async function asLaterResult(promise: Promise<unknown>): Promise<ResultValue> {
  try {
    return { tag: "ok", val: await promise };
  } catch (error) {
    if (error instanceof ComponentError) return { tag: "err", val: error.payload };
    throw error;
  }
}

function settled(value: unknown): unknown {
  const { tag, val } = value as ResultValue; // Read from a packet as a result.
  if (tag === "err") throw new ComponentError(val);
  return val;
}
