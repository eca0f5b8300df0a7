/** An instance as its calls see it, on this thread or behind a wall. */

import type { Answer } from "remora/abi";
import type { Instance, IsolatedInstance } from "remora/engine";

export interface LiveInstance {
  /** Behind a wall: each answer takes its way. */
  readonly isRemote: boolean;
  /** True after a failure, and when it was closed. */
  readonly isLost: boolean;
  /** Of the last call; of all of them where it is remote. */
  readonly fuelUsed: number;
  close(): void;
}

/** A component's exports, by the full names of their interfaces. */
export interface LiveComponent extends LiveInstance {
  has(from: string, name: string): boolean;
  call(from: string, name: string, args: readonly unknown[]): Answer<unknown>;
}

/** On this thread. Classes for their getters: V8 looks up slowly what an object has whose getters are closures. */
export class InlineInstance implements LiveInstance {
  readonly isRemote = false;
  protected readonly instance: Instance;

  constructor(instance: Instance) {
    this.instance = instance;
  }

  get isLost(): boolean {
    return this.instance.isPoisoned || this.instance.isClosed;
  }

  get fuelUsed(): number {
    return this.instance.fuelUsed;
  }

  close(): void {
    this.instance.close();
  }
}

/** Behind a wall. It counts as lost as soon as it is closed. */
export class RemoteInstance implements LiveInstance {
  readonly isRemote = true;
  protected readonly instance: IsolatedInstance;

  constructor(instance: IsolatedInstance) {
    this.instance = instance;
  }

  get isLost(): boolean {
    return this.instance.isPoisoned;
  }

  get fuelUsed(): number {
    return this.instance.spent.fuelUsed;
  }

  close(): void {
    this.instance.close();
  }
}

type Functions = Readonly<Record<string, ((...args: readonly unknown[]) => Answer<unknown>) | undefined>>;

export class InlineComponent extends InlineInstance implements LiveComponent {
  has(from: string, name: string): boolean {
    return this.#functions(from)?.[name] !== undefined;
  }

  call(from: string, name: string, args: readonly unknown[]): Answer<unknown> {
    return this.#functions(from)?.[name]?.(...args);
  }

  #functions(from: string): Functions | undefined {
    // The component was checked against its types when it was loaded; whoever calls by a name that is there keeps to them.
    return this.instance.exports[from] as Functions | undefined;
  }
}

export class RemoteComponent extends RemoteInstance implements LiveComponent {
  has(from: string, name: string): boolean {
    return this.instance.has([from, name]);
  }

  async call(from: string, name: string, args: readonly unknown[]): Promise<unknown> {
    return (await this.instance.call([from, name], args)).result;
  }
}
