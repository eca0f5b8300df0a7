/** The level `process`: each plugin in a process of its own, which V8's sandbox is not the last wall of. */

import type { Artifact } from "../artifact.ts";
import { engineErrors } from "../errors.ts";
import { GuestProcess, type ProcessLimits } from "./guest-process.ts";
import { Isolate } from "./isolate.ts";
import { built, isolateCode } from "./isolate-code.ts";
import type { IsolatedInstance, IsolatedOptions, Isolation } from "./isolation.ts";
import { Watchdog } from "./watchdog.ts";

export type ProcessOptions = Partial<ProcessLimits>;

const processEntry = built(new URL("./guest-side/process-entry.ts", import.meta.url));

/** A process without instances is kept so long: the next instance is often the one after a trap. */
const idleMsMax = 1_000;

export class ProcessIsolation implements Isolation {
  readonly level = "process";
  readonly #limits: ProcessLimits;
  readonly #entry: URL;
  readonly #isolates = new Map<Artifact, Promise<Isolate>>();
  readonly #watchdog = new Watchdog();
  #isClosed = false;

  /** @param entry What the processes run; tests have others. */
  constructor(options: ProcessOptions = {}, entry = processEntry) {
    this.#limits = { heapMbMax: options.heapMbMax ?? 256 };
    this.#entry = entry;
  }

  async instantiate(artifact: Artifact, options: IsolatedOptions): Promise<IsolatedInstance> {
    // Before a process is found: one without instances is not kept for long.
    await artifact.prepare(options.limits, "rewritten");
    if (this.#isClosed) throw engineErrors.closed({ what: "the isolation in processes" });
    let isolate = this.#isolates.get(artifact);
    if (isolate === undefined) {
      isolate = this.#start(artifact);
      this.#isolates.set(artifact, isolate);
    }
    return (await isolate).instantiate(artifact, options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watchdog.close();
    // As with threads: what never began is not to be closed.
    const begun = await Promise.allSettled(this.#isolates.values());
    await Promise.all(begun.map((isolate) => isolate.status === "fulfilled" && isolate.value.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(artifact: Artifact): Promise<Isolate> {
    const forget = () => void this.#isolates.delete(artifact);
    try {
      const code = await isolateCode(this.#entry);
      const processes: GuestProcess[] = [];
      const isolate = new Isolate({
        level: "process",
        as: "rewritten",
        connect: (receiver) => {
          const started = new GuestProcess(code, receiver, this.#limits);
          processes.push(started);
          return started;
        },
        onBusy: () => this.#watchdog.wake(),
        onOver: forget,
        onEmpty: () => this.#endIdle(isolate),
      });
      this.#watchdog.watch(isolate.link);
      for (const each of processes) await each.ready();
      return isolate;
    } catch (error) {
      forget();
      throw error;
    }
  }

  #endIdle(isolate: Isolate): void {
    setTimeout(() => {
      if (isolate.instances === 0) void isolate.close();
    }, idleMsMax).unref();
  }
}
