/** An instance that calls lease: linked with what its plugin was granted, and with its world's functions looked up. */

import type { Instance } from "../engine/index.ts";
import type { LinkedImport } from "../policy/index.ts";
import type { InstanceImports } from "../sandbox/index.ts";
import { InstanceEnds } from "./instance-ends.ts";
import type { PluginOptions } from "./plugin.ts";

export class Leased<Calls> {
  readonly instance: Instance;
  readonly calls: Calls;
  readonly sandboxed: InstanceImports | undefined;
  readonly #ends: InstanceEnds;
  #isUnready = false;
  /** While it is told what it has to know before its first call. */
  readying: Promise<void> | undefined;
  /** Whether its failure was counted. */
  isCounted = false;
  /** Set by whoever ends it. */
  onClose = () => {};

  constructor(
    instance: Instance,
    calls: Calls,
    held: {
      readonly sandboxed: InstanceImports | undefined;
      readonly ends: InstanceEnds;
      readonly readying: Promise<void> | undefined;
    },
  ) {
    this.instance = instance;
    this.calls = calls;
    this.sandboxed = held.sandboxed;
    this.#ends = held.ends;
    this.readying = held.readying?.then(
      () => {
        this.readying = undefined;
      },
      (error) => {
        this.#isUnready = true;
        throw error;
      },
    );
    this.readying?.catch(() => {});
  }

  /** One that its host has closed is of no more use than one that failed. */
  get isPoisoned(): boolean {
    return this.#isUnready || this.instance.isPoisoned || this.instance.isClosed;
  }

  /** Nobody leases it any more. */
  close(): void {
    this.onClose();
  }

  /** Lets go of it, and of all that was made for it. */
  end(): void {
    this.instance.close();
    this.#ends.end();
    this.sandboxed?.close();
  }
}

/** A fresh instance: the host's functions for all, what was granted for this one alone. */
export function startLeased<Calls>(
  options: PluginOptions<Calls>,
  granted: readonly LinkedImport[],
): Leased<Calls> {
  const { id, artifact, limits, hostImports, sandbox, bind, clock } = options;
  const ends = new InstanceEnds();
  let instance: Instance | undefined;
  let sandboxed: InstanceImports | undefined;
  try {
    instance = artifact.instantiate({
      plugin: id,
      limits,
      ...(clock !== undefined && { clock }),
      imports: (guest) => {
        const own = typeof hostImports === "function" ? hostImports(guest, ends) : hostImports;
        if (sandbox === undefined || granted.length === 0) return own;
        const given = sandbox.forInstance(guest);
        sandboxed = given;
        return { ...own, ...given.hostImports(granted.map(({ need }) => need)) };
      },
    });
    const readying = options.configure?.(instance) ?? undefined;
    // Whoever leases it is told.
    readying?.catch(() => {});
    return new Leased(instance, bind(instance), { sandboxed, ends, readying });
  } catch (error) {
    instance?.close();
    ends.end();
    sandboxed?.close();
    throw error;
  }
}
