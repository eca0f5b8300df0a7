/** A core module on the guest's side. Its host functions are over there, with the pieces of memory that they read. */

import type { CoreFunction, CoreImports, CoreInstance, CoreMemory } from "../../../component/core.ts";
import { slowHostFunction } from "../../../component/slow-host.ts";
import type { Eagerly } from "../../compile.ts";
import type { InstanceEngine } from "../../core-engine.ts";
import { engineErrors } from "../../errors.ts";
import {
  type Piece,
  placePieces,
  readCoreRows,
  resultOf,
  resultValues,
  writeCoreCall,
  writeCoreRows,
} from "../core-values.ts";
import { kinds, type Message, message } from "../protocol.ts";
import type { ShippedCoreModule, ShippedFunction, ShippedImport } from "../shipment.ts";
import { type HostCaller, type InstantiateRequest, LiveGuest, type ShippedArtifact } from "./live-guest.ts";
import { piecesRead } from "./pieces-read.ts";
import { ShippedModules } from "./shipped-modules.ts";

export class ShippedModuleArtifact implements ShippedArtifact {
  readonly #shipment: ShippedCoreModule;
  readonly #modules: ShippedModules;

  constructor(shipment: ShippedCoreModule, eagerly: Eagerly | undefined) {
    this.#shipment = shipment;
    this.#modules = new ShippedModules(shipment, eagerly);
  }

  instantiate(request: InstantiateRequest): LiveGuest {
    return new LiveModule(this.#modules.engine(request), request, this.#shipment);
  }
}

class LiveModule extends LiveGuest {
  readonly #shipment: ShippedCoreModule;
  readonly #core: CoreInstance;
  #instance: CoreInstance | undefined;

  constructor(engine: InstanceEngine, request: InstantiateRequest, shipment: ShippedCoreModule) {
    super(engine, request.failures);
    this.#shipment = shipment;
    const [module] = shipment.modules;
    if (module === undefined) throw new Error("Invariant broken: a shipment without its module");
    this.#core = engine.instantiate(module.key, this.#imports(request.caller));
    this.#instance = this.#core;
  }

  protected calls({ item, payload, count }: Message): (row: number) => unknown {
    const { engine } = this;
    const { name, parameters } = this.#function(item);
    // Exported as a function, as the host saw in the module.
    const core = this.#core.exports[name] as CoreFunction;
    const rows = readCoreRows(parameters, payload, count);
    return (row) => {
      const args = rows[row] ?? []; // As many as there are calls.
      engine.enter();
      let result: unknown;
      try {
        result = core(...args);
      } catch (error) {
        throw engine.fail(error);
      }
      engine.leave();
      return result;
    };
  }

  protected letGo(): never {
    throw new Error("Invariant broken: a core module has no resources");
  }

  protected writeResults(item: number, results: readonly unknown[]): Uint8Array {
    const kinds = this.#function(item).results;
    return writeCoreRows(
      kinds,
      results.map((result) => resultValues(kinds, result)),
    );
  }

  #function(item: number): ShippedFunction {
    const found = this.#shipment.exports[item];
    if (found === undefined) throw new Error(`Invariant broken: no function ${item}`);
    return found;
  }

  #imports(caller: HostCaller): CoreImports {
    // Without prototypes: the names are the guest's.
    const imports: CoreImports = Object.create(null);
    for (const [index, shipped] of this.#shipment.imports.entries()) {
      imports[shipped.module] ??= Object.create(null) as CoreImports[string];
      (imports[shipped.module] as CoreImports[string])[shipped.name] = this.#hostFunction(
        shipped,
        index,
        caller,
      );
    }
    return imports;
  }

  #hostFunction(shipped: ShippedImport, index: number, caller: HostCaller): CoreFunction {
    const { parameters, results, reads } = shipped;
    return slowHostFunction((...args) => {
      const memory = this.memory();
      const pieces = reads === "all" ? this.#whole(memory, shipped) : piecesRead(reads, args, memory);
      const payload = writeCoreCall(parameters, args, pieces);
      const { engine } = this;
      const first = engine.waitMsLeft;
      const second = memory.length;
      const answer = caller(
        message(kinds.hostCall, { item: index, count: 1, first, second, payload }),
        engine,
      );
      const [values = []] = readCoreRows(results, answer.payload, 1);
      placePieces(answer.payload, results.length, memory);
      if (answer.count === 1) this.#callNext(answer);
      return resultOf(values);
    });
  }

  /** Within the call that runs. */
  #callNext({ target, second }: Message): void {
    const { name } = this.#function(target);
    // Exported as a function, as the host saw in the module.
    (this.#core.exports[name] as CoreFunction)(second);
  }

  protected override memory(): Uint8Array {
    const memory = this.#instance?.exports.memory;
    // As the exported memory is seen on the caller's thread: by its shape.
    return memory !== undefined && "buffer" in memory
      ? new Uint8Array((memory as CoreMemory).buffer)
      : new Uint8Array(0);
  }

  #whole(memory: Uint8Array, { module, name }: ShippedImport): Piece[] {
    if (memory.length > wholeBytesMax) {
      throw engineErrors["not-isolatable"]({
        plugin: this.engine.plugin,
        what: `"${module}" "${name}" does not say what it reads of a memory of more than ${wholeBytesMax} bytes`,
      });
    }
    return [{ at: 0, bytes: memory }];
  }
}

/** A memory up to here is sent as a whole to host functions that do not say what they read of it. */
const wholeBytesMax = 1024 * 1024;
