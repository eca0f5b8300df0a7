/** A component on the guest's side: its plan carried out here, its host functions called over there. */

import type { HostCallable } from "../../../component/abi/call-guest.ts";
import type { PacketCallable } from "../../../component/abi/transfer.ts";
import { ComponentError } from "../../../component/component-error.ts";
import { componentErrors } from "../../../component/errors.ts";
import type { HostBindings } from "../../../component/link/host-imports.ts";
import { defaultInstanceLimits } from "../../../component/link/instance-limits.ts";
import type { HostFuncPlan, Plan } from "../../../component/link/plan.ts";
import { type Prepared, preparePlan } from "../../../component/link/prepared.ts";
import { Runtime } from "../../../component/link/runtime.ts";
import { argumentsType, firstValueAt, isAsciiPacket, Packets } from "../../../component/packet.ts";
import type { PacketMemory } from "../../../component/packet-memory.ts";
import { slowHostFunction } from "../../../component/slow-host.ts";
import type { FuncType, ValueType } from "../../../component/types.ts";
import type { InstanceEngine } from "../../core-engine.ts";
import { packetEngine } from "../../packet-engine.ts";
import { kinds, type Message, message } from "../protocol.ts";
import type { ShippedComponent } from "../shipment.ts";
import { CrossingResources, HostResource, OwnResources } from "./crossing-resources.ts";
import { type HostCaller, type InstantiateRequest, LiveGuest, type ShippedArtifact } from "./live-guest.ts";
import { ShippedModules } from "./shipped-modules.ts";

export class ShippedComponentArtifact implements ShippedArtifact {
  readonly #modules: ShippedModules;
  readonly #prepared: Prepared;
  readonly #resources: CrossingResources;
  readonly #packets: Packets;

  constructor(shipment: ShippedComponent, memory: PacketMemory) {
    this.#resources = new CrossingResources(shipment.plan);
    this.#packets = new Packets(packetEngine, this.#resources, { sharesText: true, memory });
    this.#modules = new ShippedModules(shipment);
    this.#prepared = preparePlan(shipment.plan);
  }

  instantiate(request: InstantiateRequest): LiveGuest {
    const own = new OwnResources();
    // One instance's packets are written and read at a time.
    const packets = () => {
      this.#resources.own = own;
      return this.#packets;
    };
    return new LiveComponent(this.#modules.engine(request), request, {
      prepared: this.#prepared,
      packets,
      own,
    });
  }
}

interface ComponentParts {
  readonly prepared: Prepared;
  /** With the resources of this instance. */
  readonly packets: () => Packets;
  readonly own: OwnResources;
}

class LiveComponent extends LiveGuest {
  readonly #plan: Plan;
  readonly #packets: () => Packets;
  readonly #own: OwnResources;
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
    { prepared, packets, own }: ComponentParts,
  ) {
    super(engine, request.failures);
    this.#plan = prepared.plan;
    this.#packets = packets;
    this.#own = own;
    this.#argumentsMemory = request.argumentsMemory;
    const bindings = this.#bindings(request.caller);
    const limits = defaultInstanceLimits;
    this.#runtime = new Runtime({ prepared, engine, bindings, limits, isPromised: false });
  }

  protected calls(call: Message, isNested: boolean): (row: number) => unknown {
    const type = this.#type(call.item);
    if (type.isAsync) throw componentErrors.unsupported({ what: asyncBehindWall, offset: 0 });
    const invoke = this.#fromPacket(type, call, isNested) ?? this.#fromValues(type, call);
    return type.result?.kind === "result" ? (row) => asResult(() => invoke(row)) : invoke;
  }

  #fromValues(type: FuncType, { item, payload, count }: Message): (row: number) => unknown {
    const packets = this.#packets();
    const call = this.#runtime.func({ kind: "lifted", index: item, type });
    // A value of the type of all arguments is an array of them.
    const rows = packets.read(packets.codec(argumentsTypeOf(type)), payload, count) as unknown[][];
    return (row) => call(...(rows[row] as unknown[])); // As many as there are calls.
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

  protected letGo(resource: number, number: number): void {
    this.#own.release(resource, number);
  }

  #type(item: number): FuncType {
    const lift = this.#plan.lifts[item];
    if (lift === undefined) throw new Error(`Invariant broken: no function ${item}`);
    return lift.type;
  }

  #bindings(caller: HostCaller): HostBindings {
    const funcs = this.#plan.hostFuncs.map((plan, index) => this.#hostFunction(plan, index, caller));
    const resources = new Map(
      this.#plan.hostResources.map(({ resource }) => [
        resource.id,
        {
          constructor: HostResource,
          dispose(this: object) {
            // Only resources of the host have this method, and all of those are handles.
            const { number } = this as HostResource;
            caller(message(kinds.dropResource, { item: resource.id, first: number }));
          },
        },
      ]),
    );
    return { funcs, resources, modules: new Map() };
  }

  /** Slow, since it crosses the wall: the clock is looked at before and after. */
  #hostFunction({ type }: HostFuncPlan, index: number, caller: HostCaller): HostCallable {
    const { result } = type;
    return slowHostFunction((...args) => {
      const packets = this.#packets();
      const payload = packets.write(packets.codec(argumentsTypeOf(type)), [args]);
      const endLoans = this.#own.lendings();
      const first = this.engine.msLeft;
      const answer = caller(message(kinds.hostCall, { item: index, count: 1, first, payload }));
      endLoans();
      if (result === undefined) return undefined;
      const [value] = this.#packets().read(packets.codec(result), answer, 1);
      return result.kind === "result" ? settled(value) : value;
    });
  }
}

/** A call over there is one exchange of messages: there is no place for what comes after it. */
const asyncBehindWall =
  'an asynchronous function in a thread or process of its own, choose the isolation "inline"';

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

function settled(value: unknown): unknown {
  const { tag, val } = value as ResultValue; // Read from a packet as a result.
  if (tag === "err") throw new ComponentError(val);
  return val;
}
