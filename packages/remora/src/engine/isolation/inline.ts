/** The level `inline`: the guest runs on the caller's thread, and the wall is V8's sandbox of WebAssembly alone. */

import { ComponentError, exportedFunction } from "../../component/index.ts";
import type { Artifact } from "../artifact.ts";
import { engineErrors } from "../errors.ts";
import type { Instance } from "../instance.ts";
import type { CallOptions } from "../limits.ts";
import { pieceAt } from "./guest-piece.ts";
import {
  type BatchOutcome,
  type IsolatedInstance,
  type IsolatedOptions,
  type IsolatedReport,
  type Isolation,
  noReport,
  nothingSpent,
  spentWith,
} from "./isolation.ts";

export class InlineIsolation implements Isolation {
  readonly level = "inline";
  readonly #instances = new Set<InlineInstance>();
  #isClosed = false;

  async instantiate(artifact: Artifact, options: IsolatedOptions): Promise<IsolatedInstance> {
    await artifact.prepare(options.limits);
    if (this.#isClosed) throw engineErrors.closed({ what: "the isolation" });
    const made = new InlineInstance(artifact.instantiate(options), () => this.#instances.delete(made));
    this.#instances.add(made);
    return made;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const instance of this.#instances) instance.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class InlineInstance implements IsolatedInstance {
  readonly level = "inline";
  readonly local: Instance;
  readonly #onClose: () => void;
  #report: IsolatedReport = noReport;
  #spent = nothingSpent;

  constructor(local: Instance, onClose: () => void) {
    this.local = local;
    this.#onClose = onClose;
  }

  get isPoisoned(): boolean {
    return this.local.isPoisoned;
  }

  get poison(): string {
    return this.local.poison;
  }

  get hostCalls(): number {
    return this.local.hostCalls;
  }

  get report(): IsolatedReport {
    return this.#report;
  }

  get spent(): IsolatedInstance["spent"] {
    return this.#spent;
  }

  onceQuiet(act: () => void): boolean {
    return this.local.onceQuiet(act);
  }

  parameterCount(name: string): number | undefined {
    const { local } = this;
    return local.kind === "module"
      ? local.together((functions) => functions[name]?.length, undefined)
      : undefined;
  }

  has(path: string | readonly string[]): boolean {
    return this.local.has(path);
  }

  async readMemory(at: number, length: number): Promise<Uint8Array | undefined> {
    return pieceAt(this.#memory(), at, length)?.slice();
  }

  async writeMemory(at: number, bytes: Uint8Array): Promise<boolean> {
    const piece = pieceAt(this.#memory(), at, bytes.length);
    piece?.set(bytes);
    return piece !== undefined;
  }

  #memory(): Uint8Array {
    this.local.mustBeIdle();
    const memory = this.local.kind === "module" ? this.local.memory : undefined;
    return new Uint8Array(memory?.buffer ?? new ArrayBuffer(0));
  }

  async call(path: string | readonly string[], args: readonly unknown[], options: CallOptions = {}) {
    const startedMs = performance.now();
    try {
      const { result } = await this.local.callAsync(path, args, options);
      return { result, report: this.#settle(startedMs, this.local.fuelUsed) };
    } catch (error) {
      this.#settle(startedMs, this.local.fuelUsed);
      throw error;
    }
  }

  async callBatch(
    path: string | readonly string[],
    batch: readonly (readonly unknown[])[],
    options: CallOptions = {},
  ): Promise<BatchOutcome> {
    exportedFunction({ exports: this.local.exports }, ...(typeof path === "string" ? [path] : path));
    const startedMs = performance.now();
    const results: unknown[] = [];
    let fuelUsed = 0;
    let failure: BatchOutcome["failure"];
    for (const [index, args] of batch.entries()) {
      try {
        const { result } = await this.local.callAsync(path, args, options);
        results.push(result instanceof Promise ? await result : result);
      } catch (error) {
        if (error instanceof ComponentError) results.push(error);
        else failure = { index, error };
      }
      fuelUsed += this.local.fuelUsed;
      if (failure !== undefined) break;
    }
    return { results, failure, report: this.#settle(startedMs, fuelUsed) };
  }

  close(): void {
    this.local.close();
    this.#onClose();
  }

  #settle(startedMs: number, fuelUsed: number): IsolatedReport {
    const { memoryPages } = this.local.report;
    this.#report = { fuelUsed, memoryPages, durationMs: performance.now() - startedMs };
    this.#spent = spentWith(this.#spent, this.#report);
    return this.#report;
  }
}
