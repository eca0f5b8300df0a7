/**
 * One thread or process with what the host has put into it: artifacts, by number, and live instances. Both levels make
 * instances through here; what differs is the transport.
 */

import { invariant, type RemoraError } from "../../base/index.ts";
import type { HostImports } from "../../component/index.ts";
import { PacketMemory } from "../../component/packet-memory.ts";
import type { Artifact, InstantiateOptions } from "../artifact.ts";
import { engineErrors } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { packetEngine } from "../packet-engine.ts";
import { ComponentFace } from "./component-face.ts";
import type { Face } from "./face.ts";
import { HostFailures } from "./host-failures.ts";
import type { IsolatedInstance, IsolatedOptions, IsolationLevel } from "./isolation.ts";
import { type End, Link, plainJob, type Receiver, type Transport } from "./link.ts";
import { MirroredMemory, ModuleFace } from "./module-face.ts";
import { kinds, message } from "./protocol.ts";
import { RemoteInstance } from "./remote-instance.ts";
import { readsOf, type ShipOptions, type Shipped, ship } from "./ship.ts";

/** Compiling and linking on the other side, beyond what the guest's own start may take. */
const preparingMsMax = 10_000;

/** Artifacts without instances that are kept over there for the next ones. */
const idleArtifactsMax = 64;

interface Loaded {
  readonly number: number;
  readonly shipped: Shipped;
  readonly isThere: Promise<unknown>;
  instances: number;
}

export interface IsolateOptions {
  readonly level: IsolationLevel;
  readonly as: ShipOptions["as"];
  readonly connect: (receiver: Receiver) => Transport;
  readonly onBusy: () => void;
  readonly onOver: () => void;
  /** The last instance was closed. */
  readonly onEmpty?: () => void;
}

export class Isolate {
  readonly link: Link;
  readonly #level: IsolationLevel;
  readonly #as: ShipOptions["as"];
  readonly #instances = new Set<RemoteInstance>();
  /** By artifact, limits and what host functions read; in order of use. */
  readonly #loaded = new Map<string, Loaded>();
  readonly #keys = new WeakMap<Artifact, number>();
  /** One for all its guests: V8 sets a gigabyte or more of addresses aside for each memory. */
  readonly #packetMemory = new PacketMemory(packetEngine.routines);
  readonly #onEmpty: () => void;
  #lastKey = 0;
  #lastNumber = 0;

  constructor({ level, as, connect, onBusy, onOver, onEmpty }: IsolateOptions) {
    this.#onEmpty = onEmpty ?? (() => {});
    this.#level = level;
    this.#as = as;
    const over = (end: End) => {
      for (const instance of this.#instances) instance.lose(end);
      this.#instances.clear();
      onOver();
    };
    const tell = (receiver: Receiver): Receiver => ({
      received: (received) => receiver.received(received),
      ended: (end) => {
        receiver.ended(end);
        over(end);
      },
    });
    this.link = new Link((receiver) => connect(tell(receiver)), onBusy);
  }

  get instances(): number {
    return this.#instances.size;
  }

  async instantiate(artifact: Artifact, options: IsolatedOptions): Promise<IsolatedInstance> {
    const { limits, onLost } = options;
    const { plugin } = artifact.parts(limits).request;
    const memory = new MirroredMemory(limits);
    const imports = importsFor(options.imports, memory, () => made.msLeft);
    const loaded = this.#load(artifact, limits, readsOf(imports, typeof options.imports === "function"));
    const made: RemoteInstance = new RemoteInstance({
      level: this.#level,
      plugin,
      number: ++this.#lastNumber,
      link: this.link,
      face: this.#face(artifact, loaded.shipped, imports, memory),
      failures: new HostFailures(loaded.shipped.resolve),
      limits,
      onLost,
      onGone: (instance) => {
        if (!this.#instances.delete(instance)) return;
        loaded.instances--;
        if (this.#instances.size === 0) this.#onEmpty();
      },
    });
    this.#instances.add(made);
    loaded.instances++;
    try {
      await loaded.isThere;
      await made.begin(loaded.number, limits.deadlineMs + preparingMsMax);
      return made;
    } catch (error) {
      made.close();
      throw isEnd(error)
        ? engineErrors["isolate-lost"]({ plugin, reason: error.reason, hasStarted: false })
        : error;
    }
  }

  /** Ends everything; calls that run end with `engine/closed`. */
  async close(): Promise<void> {
    for (const instance of [...this.#instances]) instance.close();
    await this.link.end("its isolation was closed");
  }

  #face(artifact: Artifact, { shipment }: Shipped, imports: HostImports, memory: MirroredMemory): Face {
    if (artifact.kind === "component")
      return new ComponentFace(artifact.component.plan, imports, this.#packetMemory);
    invariant(shipment.kind === "module", "a core module is shipped as one");
    return new ModuleFace(shipment, imports, memory);
  }

  /** What an artifact is over there, sent unless it was before. */
  #load(artifact: Artifact, limits: Limits, reads: ShipOptions["reads"]): Loaded {
    const key = this.#keyOf(artifact, limits, reads);
    const known = this.#loaded.get(key);
    this.#loaded.delete(key);
    const loaded = known ?? this.#send(ship(artifact, { limits, as: this.#as, reads }));
    this.#loaded.set(key, loaded);
    for (const [oldKey, old] of this.#loaded) {
      if (this.#loaded.size <= idleArtifactsMax) break;
      if (old.instances > 0 || old === loaded) continue;
      this.#loaded.delete(oldKey);
      const sent = message(kinds.unload, { target: old.number });
      // When the thread or process is over, so is what is to be let go of there.
      plainJob(this.link, sent, { allowedMs: preparingMsMax }).catch(() => {});
    }
    return loaded;
  }

  #send(shipped: Shipped): Loaded {
    const number = ++this.#lastNumber;
    const sent = message(kinds.load, { target: number });
    const { shipment } = shipped;
    const isThere = plainJob(this.link, sent, { allowedMs: preparingMsMax, shipment });
    // Whoever makes an instance of it awaits it, and is told.
    isThere.catch(() => {});
    return { number, shipped, isThere, instances: 0 };
  }

  #keyOf(artifact: Artifact, limits: Limits, reads: ShipOptions["reads"]): string {
    let key = this.#keys.get(artifact);
    if (key === undefined) {
      key = ++this.#lastKey;
      this.#keys.set(artifact, key);
    }
    const needs = artifact.kind === "component" ? [] : artifact.imports;
    return [
      key,
      ...Object.entries(limits).flat(),
      JSON.stringify(needs.map(({ from, item }) => reads(from, item ?? ""))),
    ].join(" ");
  }
}

/** Host functions for one guest: what ends its call is thrown here, and ends it over there. */
function importsFor(
  imports: InstantiateOptions["imports"],
  memory: MirroredMemory,
  msLeft: () => number,
): HostImports {
  if (typeof imports !== "function") return imports;
  return imports({
    memory,
    msLeft,
    abort: (error: RemoraError) => {
      throw error;
    },
    callNext: (name, argument = 0) => {
      memory.next = { name, argument };
    },
  });
}

function isEnd(error: unknown): error is End {
  return typeof error === "object" && error !== null && "isGuestsFault" in error;
}
