/** The host's side of a remote component: packets by the types of its world, and the host's own functions. */

import { invariant, RemoraError } from "../../base/index.ts";
import type { HostCallable } from "../../component/abi/call-guest.ts";
import { refuseUnannounced } from "../../component/abi/call-host.ts";
import { withAbort } from "../../component/async/abortable.ts";
import { isAsyncHostFunction, isThenable } from "../../component/async-host.ts";
import {
  type CancelSignal,
  ComponentError,
  componentErrors,
  exportedFunction,
  type HostImports,
} from "../../component/index.ts";
import { buildExports, exportedItem } from "../../component/link/exports.ts";
import { bindHostImports, type HostBindings } from "../../component/link/host-imports.ts";
import type { FuncItem, Plan } from "../../component/link/plan.ts";
import { argumentsFor, argumentsType, Packets } from "../../component/packet.ts";
import type { PacketMemory } from "../../component/packet-memory.ts";
import type { FuncType } from "../../component/types.ts";
import { packetEngine } from "../packet-engine.ts";
import { cancelGraceMs } from "../waiting.ts";
import { CrossingEnds, type EndsPeer } from "./crossing-ends.ts";
import { outcomes } from "./events.ts";
import {
  type Face,
  type FaceOwner,
  type FaceTasks,
  ForgedMessage,
  type RemoteFunction,
  type Served,
} from "./face.ts";
import { HostResources } from "./host-resources.ts";
import { kinds, type Message } from "./protocol.ts";

type LiftedItem = Extract<FuncItem, { kind: "lifted" }>;

export class ComponentFace implements Face {
  readonly cancelGraceMs = cancelGraceMs;
  readonly tasks?: FaceTasks;
  readonly #plan: Plan;
  readonly #bindings: HostBindings;
  readonly #resources: HostResources;
  readonly #packets: Packets;
  readonly #exports: object;
  readonly #found = new Map<string, RemoteFunction | HostCallable>();
  readonly #functions: (RemoteFunction | undefined)[] = [];
  #owner: FaceOwner | undefined;

  /** @throws component/missing-imports as at the level `inline` */
  constructor(plan: Plan, imports: HostImports, memory: PacketMemory) {
    this.#plan = plan;
    this.#bindings = bindHostImports(plan, imports);
    this.#resources = new HostResources(plan, this.#bindings, (resource, number) =>
      this.#owner?.release(resource, number),
    );
    const ends = plan.isAsync ? new CrossingEnds(this.#peer()) : undefined;
    this.#packets = new Packets(packetEngine, this.#resources, { memory, ...(ends && { ends }) });
    if (ends !== undefined) this.tasks = this.#tasks(ends);
    const { guests } = this.#resources;
    // Objects of the guest's have methods, each of which gives a promise.
    this.#exports = buildExports(
      {
        func: (item) => this.#exported(item),
        classOf: (resource) => guests.classOf(resource),
        setConstructor: (target, call) => guests.setConstructor(target, call),
      },
      plan.exports,
    );
  }

  /** What the host calls of an object of the guest's. */
  #exported(item: FuncItem): HostCallable {
    if (item.kind === "host") return this.#hostItem(item);
    const call = async (args: readonly unknown[], signal?: CancelSignal) =>
      this.#attached().call(this.#functionOf(item), args, signal);
    return withAbort((...args: unknown[]) => call(args), call);
  }

  /** A host function that is exported again is the host's own: no guest stands between. */
  #hostItem({ index }: FuncItem): HostCallable {
    return this.#bindings.funcs[index] as HostCallable; // One for each that is imported.
  }

  /** Who is attached later. */
  #attached(): FaceOwner {
    invariant(this.#owner !== undefined, "a face has its instance before it is used");
    return this.#owner;
  }

  #peer(): EndsPeer {
    return {
      want: (number, type) => this.#attached().ends.want(number, type),
      letGo: (number) => this.#attached().ends.letGo(number),
    };
  }

  #tasks(ends: CrossingEnds): FaceTasks {
    const packets = this.#packets;
    const nextValue = async (number: number) => {
      const next = await ends.next(number);
      if (next === undefined) throw new ForgedMessage(`no stream or future ${number} that gives a value now`);
      if (next.result.done === true) return { item: outcomes.done };
      const { type, result } = next;
      if (type === undefined) return { item: outcomes.value };
      const payload = Uint8Array.from(packets.write(packets.codec(type), [result.value]));
      return { item: outcomes.value, payload };
    };
    return {
      serve: (item, payload) => this.#served(item, payload),
      nextValue: (number) => ({ answer: nextValue(number), forget: () => true }),
      letGo: (number) => ends.letGo(number),
      letGoOfAll: () => ends.close(),
      onceQuiet: (act) => ends.onceQuiet(act),
      readValue: (type, payload) => (type ? packets.read(packets.codec(type), payload, 1)[0] : undefined),
    };
  }

  attach(owner: FaceOwner): void {
    this.#owner = owner;
  }

  find(path: readonly string[]): RemoteFunction | HostCallable {
    const key = path.join("\n");
    let found = this.#found.get(key);
    if (found === undefined) {
      const item = exportedItem(this.#plan.exports, path);
      if (item === undefined) {
        // It says which names there are.
        exportedFunction({ exports: this.#exports }, ...path);
        throw componentErrors["no-such-export"]({ path, missed: path.at(-1) ?? "", names: [] });
      }
      found = item.kind === "host" ? this.#hostItem(item) : this.#functionOf(item);
      this.#found.set(key, found);
    }
    return found;
  }

  hostCall(call: Message): Uint8Array | Promise<Uint8Array> {
    if (call.kind === kinds.dropResource) {
      const drop = forgery(() => this.#resources.drop(call.item, call.first));
      return withFailure("[Symbol.dispose]", () => {
        drop();
        return noBytes;
      });
    }
    return this.#serve(call.item, call.payload);
  }

  #served(item: number, payload: Uint8Array): Served {
    let forget = () => {};
    const serve = async () => {
      const given = this.#serve(item, payload, (endLoans) => {
        forget = endLoans;
      });
      return { payload: given instanceof Promise ? await given : Uint8Array.from(given) };
    };
    const forgetCall = () => {
      forget();
      return false; // The host function has its arguments until it is done.
    };
    return { answer: serve(), forget: forgetCall };
  }

  /** @param lend Gets what takes back what the host is lent, before the host function is called. */
  #serve(
    item: number,
    payload: Uint8Array,
    lend: (endLoans: () => void) => void = () => {},
  ): Uint8Array | Promise<Uint8Array> {
    const { type, name, callee } = this.#hostFunction(item);
    const codec = this.#packets.codec(argumentsType(type));
    const [args] = forgery(() => this.#packets.read(codec, payload, 1));
    const endLoans = this.#resources.guests.takeLoans();
    lend(endLoans);
    const succeed = (value: unknown) => {
      endLoans();
      return this.#success(type, name, value);
    };
    const fail = (error: unknown) => {
      endLoans();
      return this.#failure(type, name, error);
    };
    let value: unknown;
    try {
      // A value of the type of all arguments is an array of them.
      value = callee(...(args as unknown[]));
    } catch (error) {
      return fail(error);
    }
    // As inline, only a promise that was announced is waited for.
    const mayWait = type.isAsync || isAsyncHostFunction(callee);
    if (!mayWait || !isThenable(value)) return succeed(value);
    // Copies: until it is sent, others may write packets.
    return Promise.resolve(value).then(
      (kept) => Uint8Array.from(succeed(kept)),
      (error) => Uint8Array.from(fail(error)),
    );
  }

  lendings(): () => void {
    return this.#resources.lendings();
  }

  close(): void {
    this.#resources.close();
  }

  #functionOf(item: LiftedItem): RemoteFunction {
    let found = this.#functions[item.index];
    if (found === undefined) {
      found = this.#makeFunction(item);
      this.#functions[item.index] = found;
    }
    return found;
  }

  #makeFunction({ index, type }: LiftedItem): RemoteFunction {
    const packets = this.#packets;
    const { params, result } = type;
    const codec = packets.codec(argumentsType(type));
    return {
      number: index,
      isTask: this.#plan.isAsync,
      check: (row) => packets.check(codec, [argumentsFor(type, row)], params),
      write: (rows) =>
        packets.write(
          codec,
          rows.map((row) => argumentsFor(type, row)),
          params,
        ),
      read: (bytes, count) => {
        if (result === undefined) return new Array(count).fill(undefined);
        const values = packets.read(packets.codec(result), bytes, count);
        return result.kind === "result" ? values.map(worldResult) : values;
      },
    };
  }

  #hostFunction(index: number): {
    readonly type: FuncType;
    readonly name: string;
    readonly callee: HostCallable;
  } {
    const plan = this.#plan.hostFuncs[index];
    const callee = this.#bindings.funcs[index];
    if (plan === undefined || callee === undefined) throw new ForgedMessage(`no host function ${index}`);
    return { type: plan.type, name: plan.path.join(" "), callee };
  }

  #success({ result }: FuncType, name: string, value: unknown): Uint8Array {
    if (isThenable(value) && result?.kind !== "future") refuseUnannounced(name, result, value);
    if (result === undefined) return noBytes;
    return this.#result(result, name, result.kind === "result" ? { tag: "ok", val: value } : value);
  }

  /** What a host function threw, as the `err` of its result when it is one; see `errorResult` of the inline level. */
  #failure({ result }: FuncType, name: string, error: unknown): Uint8Array {
    if (error instanceof RemoraError) throw error;
    const isPayload = typeof error === "object" && error !== null && "payload" in error;
    if (result?.kind === "result" && isPayload) {
      try {
        return this.#result(result, name, { tag: "err", val: error.payload });
      } catch {
        // A payload that does not fit: the host function failed, and this is not how it may.
      }
    }
    throw componentErrors["host-failed"]({ name }, error);
  }

  #result(type: NonNullable<FuncType["result"]>, name: string, value: unknown): Uint8Array {
    try {
      return this.#packets.write(this.#packets.codec(type), [value]);
    } catch (error) {
      if (!(error instanceof RemoraError) || error.code !== "component/type-mismatch") throw error;
      // The details of that code.
      const { path, expected, found } = error.details as { path: string; expected: string; found: string };
      const inner = path.replace(/^value(\.val)?/, "");
      throw componentErrors["host-result"]({
        name,
        expected: inner === "" ? expected : `result${inner}: ${expected}`,
        found,
      });
    }
  }
}

const noBytes = new Uint8Array(0);

/** Reading fails only on what no guest's side of ours sends. */
function forgery<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new ForgedMessage(error instanceof Error ? error.message : String(error));
  }
}

function withFailure<Result>(name: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw error instanceof RemoraError ? error : componentErrors["host-failed"]({ name }, error);
  }
}

/** An `err` of the world is a value in a batch; a single call throws it. */
function worldResult(value: unknown): unknown {
  const { tag, val } = value as { readonly tag: "ok" | "err"; readonly val: unknown }; // Read as a result.
  return tag === "ok" ? val : new ComponentError(val);
}
