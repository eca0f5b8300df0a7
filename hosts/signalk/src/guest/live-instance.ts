/** An instance as its calls see it, on this thread or behind a wall. */

import type { Answer } from "remora/abi";
import type { ComponentInstance, Instance, IsolatedInstance } from "remora/engine";

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

export function liveInstance(instance: Instance): LiveInstance {
  return {
    isRemote: false,
    get isLost() {
      return instance.isPoisoned || instance.isClosed;
    },
    get fuelUsed() {
      return instance.fuelUsed;
    },
    close: () => instance.close(),
  };
}

/** One behind a wall counts as lost as soon as it is closed. */
export function isolatedInstance(instance: IsolatedInstance): LiveInstance {
  return {
    isRemote: true,
    get isLost() {
      return instance.isPoisoned;
    },
    get fuelUsed() {
      return instance.spent.fuelUsed;
    },
    close: () => instance.close(),
  };
}

type Functions = Readonly<Record<string, ((...args: readonly unknown[]) => Answer<unknown>) | undefined>>;

export function liveComponent(instance: ComponentInstance): LiveComponent {
  // The component was checked against its types when it was loaded; whoever calls by a name that is there keeps to them.
  const functions = (from: string) => instance.exports[from] as Functions | undefined;
  return Object.assign(liveInstance(instance), {
    has: (from: string, name: string) => functions(from)?.[name] !== undefined,
    call: (from: string, name: string, args: readonly unknown[]) => functions(from)?.[name]?.(...args),
  });
}

export function isolatedComponent(instance: IsolatedInstance): LiveComponent {
  return Object.assign(isolatedInstance(instance), {
    has: (from: string, name: string) => instance.has([from, name]),
    call: async (from: string, name: string, args: readonly unknown[]) =>
      (await instance.call([from, name], args)).result,
  });
}
