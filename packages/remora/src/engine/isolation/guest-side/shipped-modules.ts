/** Where the engine on the guest's side finds its modules: they were compiled, or at least rewritten, by the host. */

import { type CompiledModule, compileRewritten, type Eagerly } from "../../compile.ts";
import { InstanceEngine, type ModulePlaces, type ModuleSource } from "../../core-engine.ts";
import type { ModuleImport } from "../../module-imports.ts";
import type { Shipment } from "../shipment.ts";
import type { InstantiateRequest } from "./live-guest.ts";

export class ShippedModules {
  readonly #shipment: Shipment;
  readonly #compiled = new Map<Uint8Array, CompiledModule>();
  readonly #imports = new Map<CompiledModule, readonly ModuleImport[]>();

  /** @param eagerly For modules that come as bytes. */
  constructor(shipment: Shipment, eagerly: Eagerly | undefined) {
    this.#shipment = shipment;
    for (const { key, code, facts, digest, imports } of shipment.modules) {
      // The host has compiled it before: V8 takes it.
      const origin = { plugin: shipment.request.plugin, digest };
      const compiled =
        code instanceof Uint8Array
          ? compileRewritten(code, facts, origin, eagerly)
          : { module: code, facts, digest };
      this.#compiled.set(key, compiled);
      this.#imports.set(compiled, imports);
    }
  }

  engine({ failures, isStopped }: InstantiateRequest): InstanceEngine {
    const { request, limits } = this.#shipment;
    return new InstanceEngine({ cache: this.#source(failures.resolve), request, limits, isStopped });
  }

  #source(resolve: ModulePlaces["resolve"]): ModuleSource {
    return {
      compile: (bytes) => this.#compiled.get(bytes) ?? missing(),
      imports: (compiled) => this.#imports.get(compiled) ?? missing(),
      places: () => ({ add() {}, resolve }),
    };
  }
}

function missing(): never {
  throw new Error("Invariant broken: a module that was not shipped");
}
