/** Resources that cross the wall, on the guest's side. */

import { hostOwner } from "../../../component/abi/codec-resource.ts";
import type { ResourceHost } from "../../../component/abi/context.ts";
import { HandleTable } from "../../../component/abi/handles.ts";
import { GuestResource } from "../../../component/link/guest-resource.ts";
import { defaultInstanceLimits } from "../../../component/link/instance-limits.ts";
import type { Plan } from "../../../component/link/plan.ts";

/** A resource of the host: a number, which means something to the host alone. */
export class HostResource {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }
}

/**
 * What packets need of resources here, for one instance at a time: numbers for those of the host, and numbers in a table of
 * ours for those that the guest implements and the host has.
 */
export class CrossingResources implements ResourceHost {
  readonly #plan: Plan;
  /** Of the instance whose packet is written or read. */
  own = new OwnResources();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  wrap(resource: number, number: number, isOwn: boolean): object {
    return this.#isHosts(resource) ? new HostResource(number) : this.own.given(resource, number, isOwn);
  }

  unwrap(resource: number, value: unknown): number | undefined {
    return this.#isHosts(resource) ? numberOf(value) : this.own.lend(resource, value);
  }

  take(resource: number, value: unknown): number | undefined {
    return this.#isHosts(resource) ? numberOf(value) : this.own.give(resource, value);
  }

  accepts(resource: number, value: unknown): boolean {
    return value instanceof (this.#isHosts(resource) ? HostResource : GuestResource);
  }

  #isHosts(resource: number): boolean {
    return this.#plan.resources[resource]?.owner === hostOwner;
  }
}

/** The resources of one guest that the host has. The guest decides how many it gives. */
export class OwnResources {
  readonly #table = new HandleTable({ left: defaultInstanceLimits.handlesMax });
  #lent: { readonly resource: number; readonly number: number }[] = [];

  give(resource: number, value: unknown): number {
    return this.#table.add(resource, value, true);
  }

  lend(resource: number, value: unknown): number {
    const number = this.#table.add(resource, value, false);
    this.#lent.push({ resource, number });
    return number;
  }

  /** To be called when the arguments of a host function are written: ends what they lend. */
  lendings(): () => void {
    const lent = this.#lent;
    if (lent.length === 0) return nothing;
    this.#lent = [];
    return () => {
      for (const { resource, number } of lent) this.#table.remove(number, resource);
    };
  }

  /** The host names one of its own: to lend it for a call, or to give it back. */
  given(resource: number, number: number, isOwn: boolean): object {
    const entry = isOwn ? this.#table.remove(number, resource) : this.#table.get(number, resource);
    return entry.rep as GuestResource; // Nothing else is added.
  }

  /** The host lets go of one: the guest's destructor runs. */
  release(resource: number, number: number): void {
    const entry = this.#table.remove(number, resource);
    const { rep } = entry;
    entry.rep = undefined;
    (rep as GuestResource)[Symbol.dispose](); // As above.
  }
}

function nothing(): void {}

function numberOf(value: unknown): number | undefined {
  return value instanceof HostResource ? value.number : undefined;
}
