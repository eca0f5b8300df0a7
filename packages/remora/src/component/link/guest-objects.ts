/** Objects of the host's for resources that guests implement: their classes, who owns them, and loans of them. */

import type { HostCallable } from "../abi/call-guest.ts";
import type { ResourceHost } from "../abi/context.ts";
import type { Rep } from "../abi/handles.ts";
import { GuestResource, type GuestResourceClass } from "./guest-resource.ts";
import type { HostResource } from "./host-imports.ts";
import type { Plan } from "./plan.ts";

export interface GuestObjectsOptions {
  readonly plan: Plan;
  /** The host's own resources, by number of their type. */
  readonly hostResources: ReadonlyMap<number, HostResource>;
  /** The host lets go of a resource that it owned. */
  readonly dispose: (resource: number, rep: Rep) => void;
}

export class GuestObjects implements ResourceHost {
  readonly #options: GuestObjectsOptions;
  readonly #classes = new Map<number, GuestResourceClass>();
  readonly #constructors = new Map<GuestResourceClass, HostCallable>();
  /** Objects for borrowed guest resources that live until the host function that got them returns. */
  readonly #loans: GuestResource[] = [];

  constructor(options: GuestObjectsOptions) {
    this.#options = options;
  }

  wrap(resource: number, rep: Rep, isOwn: boolean): object {
    const object = GuestResource.wrap(this.classOf(resource), { runtime: this, resource, rep });
    if (!isOwn) this.#loans.push(object);
    return object;
  }

  endLoans(): void {
    for (const object of this.#loans) object[GuestResource.release]();
    this.#loans.length = 0;
  }

  /** For a call that is not over when others may be: gives what ends its loans. */
  takeLoans(): () => void {
    const loans = this.#loans.splice(0);
    return () => {
      for (const object of loans) object[GuestResource.release]();
    };
  }

  /** The class of a guest's resource; its constructor and methods are added by whoever exports it. */
  classOf(resource: number): GuestResourceClass {
    let found = this.#classes.get(resource);
    if (found === undefined) {
      const construct = (args: unknown[]) => this.#construct(made, resource, args);
      const made = class extends GuestResource {
        constructor(...args: unknown[]) {
          super();
          // The guest's constructor gives an object of this very class, wrapped around its handle.
          // biome-ignore lint/correctness/noConstructorReturn: that object is what `new` shall give
          return construct(args);
        }
      };
      found = made;
      this.#classes.set(resource, found);
    }
    return found;
  }

  setConstructor(target: GuestResourceClass, call: HostCallable): void {
    this.#constructors.set(target, call);
  }

  #construct(target: GuestResourceClass, resource: number, args: unknown[]): GuestResource {
    const call = this.#constructors.get(target);
    if (call === undefined) {
      const name = this.#options.plan.resources[resource]?.name;
      throw new TypeError(`Resource "${name}" has no constructor`);
    }
    return call(...args) as GuestResource; // A constructor's result is the resource.
  }

  unwrap(resource: number, value: unknown): Rep | undefined {
    return GuestResource.repOf(value, this, resource);
  }

  take(resource: number, value: unknown): Rep | undefined {
    const rep = GuestResource.repOf(value, this, resource);
    if (rep !== undefined) (value as GuestResource)[GuestResource.release](); // It has a rep: it is one.
    return rep;
  }

  accepts(resource: number, value: unknown): boolean {
    if (typeof value !== "object" || value === null) return false;
    const required = this.#options.hostResources.get(resource)?.constructor;
    return required === undefined || value instanceof required;
  }

  dispose(resource: number, rep: Rep): void {
    this.#options.dispose(resource, rep);
  }
}
