/**
 * Objects that stand for resources which a guest implements. One is alive until it is disposed of, handed over
 * to a guest as `own`, or, when it was only lent, until the host function that it was lent to returns.
 */

import type { Rep } from "../abi/handles.ts";

/** The instance that an object belongs to, as far as an object needs it. */
interface Owner {
  dispose(resource: number, rep: Rep): void;
}

interface Handle {
  readonly runtime: Owner;
  readonly resource: number;
  readonly rep: Rep;
}

export interface GuestResourceClass {
  new (...args: unknown[]): GuestResource;
  readonly prototype: GuestResource;
}

const release: unique symbol = Symbol("release");

export class GuestResource {
  static readonly release: typeof release = release;

  #handle: Handle | undefined;

  /** Makes an object of a class without running its constructor, which calls the guest. */
  static wrap(target: GuestResourceClass, handle: Handle): GuestResource {
    const object = Reflect.construct(GuestResource, [], target) as GuestResource;
    object.#handle = handle;
    return object;
  }

  /** The guest's number for a live object of this instance and resource type. */
  static repOf(value: unknown, runtime: Owner, resource: number): Rep | undefined {
    if (typeof value !== "object" || value === null || !(#handle in value)) return undefined;
    const handle = value.#handle;
    return handle !== undefined && handle.runtime === runtime && handle.resource === resource
      ? handle.rep
      : undefined;
  }

  /** Ends the object's life without telling the guest. */
  [release](): void {
    this.#handle = undefined;
  }

  [Symbol.dispose](): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    handle.runtime.dispose(handle.resource, handle.rep);
  }
}
