/** The host's side of a remote core module: numbers, and the pieces of memory that its host functions asked for. */

import { RemoraError } from "../../base/index.ts";
import { isAsyncHostFunction, isThenable } from "../../component/async-host.ts";
import { type CoreFunction, componentErrors, type HostImports } from "../../component/index.ts";
import { engineErrors } from "../errors.ts";
import type { GuestMemory } from "../guest-memory.ts";
import { type ResultCheck, resultCheck } from "../host-result.ts";
import type { Limits } from "../limits.ts";
import {
  coreValueBytes,
  type Piece,
  placePieces,
  readCoreRows,
  resultOf,
  resultValues,
  writeCoreCall,
  writeCoreRows,
} from "./core-values.ts";
import { type Face, ForgedMessage, type RemoteFunction } from "./face.ts";
import { kinds, type Message } from "./protocol.ts";
import type { ShippedCoreModule, ShippedImport } from "./shipment.ts";

const pageBytes = 65_536;

/** The copy of a guest's memory in which its host functions work. Only what was sent is in it; the rest is zero. */
export class MirroredMemory implements GuestMemory {
  readonly #bytesMax: number;
  #bytes = new Uint8Array(0);
  /** What the host function that runs wants called before the guest goes on. */
  next: { readonly name: string; readonly argument: number } | undefined;
  #written: { readonly at: number; readonly length: number }[] = [];
  #isViewed = false;

  constructor({ memoryPagesMax }: Limits) {
    this.#bytesMax = memoryPagesMax * pageBytes;
  }

  view(): Uint8Array {
    this.#isViewed = true;
    return this.#bytes;
  }

  wrote(at: number, length: number): void {
    if (length > 0) this.#written.push({ at, length });
  }

  /** Takes in what came with a call. @throws ForgedMessage it does not fit */
  take(call: Message, valueCount: number): void {
    const { second: sizeBytes, payload } = call;
    // A memory only grows, by pages: with any size each call could cost an allocation of the largest.
    const isPossible = sizeBytes % pageBytes === 0 && sizeBytes >= this.#bytes.length;
    if (!isPossible || sizeBytes > this.#bytesMax) {
      throw new ForgedMessage(`a memory of ${sizeBytes} bytes behind one of ${this.#bytes.length}`);
    }
    // Zeros that are never touched take no memory: the system gives pages when they are written.
    if (sizeBytes !== this.#bytes.length) this.#bytes = new Uint8Array(sizeBytes);
    this.#written = [];
    this.#isViewed = false;
    this.next = undefined;
    try {
      placePieces(payload, valueCount, this.#bytes);
    } catch (error) {
      throw new ForgedMessage(error instanceof Error ? error.message : String(error));
    }
  }

  /** What host functions changed: as they told, or everything where they do not tell. */
  changes(isTold: boolean): Piece[] {
    if (isTold) {
      return this.#written.map(({ at, length }) => ({ at, bytes: this.#bytes.subarray(at, at + length) }));
    }
    return this.#isViewed && this.#bytes.length > 0 ? [{ at: 0, bytes: this.#bytes }] : [];
  }
}

export class ModuleFace implements Face {
  /** It has no way to be asked, and need not be waited for. */
  readonly cancelGraceMs = 0;
  readonly #plugin: string;
  readonly #shipment: ShippedCoreModule;
  readonly #functions: readonly CoreFunction[];
  readonly #checks: readonly (ResultCheck | undefined)[];
  readonly #memory: MirroredMemory;
  readonly #found = new Map<string, RemoteFunction>();

  /** @throws engine/link a function that is imported is not there, as V8 says it inline */
  constructor(shipment: ShippedCoreModule, imports: HostImports, memory: MirroredMemory) {
    this.#plugin = shipment.request.plugin;
    this.#shipment = shipment;
    this.#memory = memory;
    this.#functions = shipment.imports.map((shipped) => this.#given(shipped, imports));
    this.#checks = shipment.imports.map((shipped) => resultCheck(shipped, this.#plugin));
  }

  /** Core modules have no objects. */
  attach(): void {}

  find(path: readonly string[]): RemoteFunction {
    const [name = ""] = path;
    const known = this.#found.get(name);
    if (known !== undefined && path.length === 1) return known;
    const { exports } = this.#shipment;
    const number = path.length === 1 ? exports.findIndex((shipped) => shipped.name === name) : -1;
    const shipped = exports[number];
    if (shipped === undefined) {
      const names = exports.map((each) => each.name);
      throw componentErrors["no-such-export"]({ path, missed: path.at(-1) ?? "", names });
    }
    const { parameters, results } = shipped;
    const found: RemoteFunction = {
      number,
      parameterCount: parameters.length,
      isTask: false,
      check: (row) => void writeCoreRows(parameters, [row]),
      write: (rows) => writeCoreRows(parameters, rows),
      read: (bytes, count) => {
        if (bytes.length !== count * results.length * coreValueBytes) throw new ForgedMessage("results");
        return readCoreRows(results, bytes, count).map(resultOf);
      },
    };
    this.#found.set(name, found);
    return found;
  }

  hostCall(call: Message): Uint8Array | Promise<Uint8Array> {
    const shipped = this.#shipment.imports[call.item];
    const callee = this.#functions[call.item];
    if (call.kind !== kinds.hostCall || shipped === undefined || callee === undefined) {
      throw new ForgedMessage(`no host function ${call.item}`);
    }
    const { parameters } = shipped;
    if (call.payload.length < parameters.length * coreValueBytes)
      throw new ForgedMessage("too few arguments");
    const [args = []] = readCoreRows(parameters, call.payload, 1);
    this.#memory.take(call, parameters.length);
    try {
      const value: unknown = callee(...args);
      // As inline: what was not announced is not waited for.
      if (!isThenable(value) || !isAsyncHostFunction(callee)) return this.#answer(call.item, shipped, value);
      return Promise.resolve(value).then(
        (kept) => this.#answer(call.item, shipped, kept),
        (error) => this.#failed(error),
      );
    } catch (error) {
      return this.#failed(error);
    }
  }

  takeNext(): Partial<Message> | undefined {
    const { next } = this.#memory;
    if (next === undefined) return undefined;
    this.#memory.next = undefined;
    return { count: 1, target: this.find([next.name]).number, second: next.argument };
  }

  /** Core modules have no resources. */
  lendings(): () => void {
    return () => {};
  }

  /** As above. */
  close(): void {}

  #answer(item: number, { results, reads }: ShippedImport, value: unknown): Uint8Array {
    const check = this.#checks[item];
    const fitting = check === undefined ? value : check.look(value);
    return writeCoreCall(results, resultValues(results, fitting), this.#memory.changes(reads !== "all"));
  }

  #failed(error: unknown): never {
    if (error instanceof RemoraError) throw error;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
    throw engineErrors["host-failure"]({ plugin: this.#plugin, reason }, error);
  }

  #given({ module, name }: ShippedImport, imports: HostImports): CoreFunction {
    const fields = Object.hasOwn(imports, module) ? imports[module] : undefined;
    const isObject = typeof fields === "object" && fields !== null && Object.hasOwn(fields, name);
    // An object that has the name: what stands under it is checked here.
    const found = isObject ? (fields as Record<string, unknown>)[name] : undefined;
    if (typeof found === "function") return found as CoreFunction;
    throw engineErrors.link({
      plugin: this.#plugin,
      reason: `import "${module}" "${name}" is a function, and ${typeof found} was given`,
    });
  }
}
