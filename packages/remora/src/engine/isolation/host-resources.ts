/**
 * Resources that go to and from one remote guest. Of the host's own its side knows numbers; here is what they stand for,
 * with the type of each, so that a forged number is found. Of the guest's own this side has objects around a number that
 * means something to the other side alone.
 */

import { hostOwner } from "../../component/abi/codec-resource.ts";
import type { ResourceHost } from "../../component/abi/context.ts";
import { type Handle, HandleTable, type Rep } from "../../component/abi/handles.ts";
import { trap } from "../../component/abi/trap.ts";
import { disposeAbandoned } from "../../component/link/abandoned.ts";
import { GuestObjects } from "../../component/link/guest-objects.ts";
import type { HostBindings } from "../../component/link/host-imports.ts";
import { defaultInstanceLimits } from "../../component/link/instance-limits.ts";
import type { Plan } from "../../component/link/plan.ts";

export class HostResources implements ResourceHost {
  readonly #bindings: HostBindings;
  readonly #table = new HandleTable({ left: defaultInstanceLimits.handlesMax });
  /** What was lent since `lendings` was last asked. */
  #lent: { readonly number: number; readonly resource: number }[] = [];

  /** Of the guest's own. */
  readonly guests: GuestObjects;
  readonly #plan: Plan;

  /** @param dispose The host lets go of a guest's resource. */
  constructor(plan: Plan, bindings: HostBindings, dispose: (resource: number, number: number) => void) {
    this.#plan = plan;
    this.#bindings = bindings;
    this.guests = new GuestObjects({
      plan,
      hostResources: bindings.resources,
      // Here a guest's resources are known by the numbers of packets.
      dispose: (resource, number) => dispose(resource, number as number),
    });
  }

  accepts(resource: number, value: unknown): boolean {
    if (!this.#isHosts(resource)) return this.guests.unwrap(resource, value) !== undefined;
    if (typeof value !== "object" || value === null) return false;
    const required = this.#bindings.resources.get(resource)?.constructor;
    return required === undefined || value instanceof required;
  }

  /** Lends a resource to the guest for one call. */
  unwrap(resource: number, value: unknown): Rep | undefined {
    if (!this.#isHosts(resource)) return this.guests.unwrap(resource, value);
    const number = this.#table.add(resource, value, false);
    this.#lent.push({ number, resource });
    return number;
  }

  /** Gives a resource to the guest. */
  take(resource: number, value: unknown): Rep | undefined {
    if (!this.#isHosts(resource)) return this.guests.take(resource, value);
    return this.#table.add(resource, value, true);
  }

  /** The resource that the guest names: lent by it, or given back. */
  wrap(resource: number, number: number, isOwn: boolean): object {
    if (!this.#isHosts(resource)) return this.guests.wrap(resource, number, isOwn);
    const entry = isOwn ? this.#removeOwn(resource, number) : this.#table.get(number, resource);
    return entry.rep as object; // Objects only are ever added.
  }

  /** The guest lets go of one; gives back what is to be done then, outside of all checks. */
  drop(resource: number, number: number): () => void {
    const entry = this.#removeOwn(resource, number);
    const { rep } = entry;
    entry.rep = undefined;
    // As above.
    return () => this.#bindings.resources.get(resource)?.dispose?.call(rep as object);
  }

  /** What was only lent to the guest it may neither give away nor let go of. */
  #removeOwn(resource: number, number: number): Handle {
    if (!this.#table.get(number, resource).isOwn) trap(`handle ${number} is borrowed, not owned`);
    return this.#table.remove(number, resource);
  }

  /** The guest is gone. */
  close(): void {
    disposeAbandoned(this.#table, this.#bindings.resources);
  }

  #isHosts(resource: number): boolean {
    return this.#plan.resources[resource]?.owner === hostOwner;
  }

  /** To be asked when the arguments of a call are written: takes back what they lend, when the call is over. */
  lendings(): () => void {
    const lent = this.#lent;
    if (lent.length === 0) return nothing;
    this.#lent = [];
    return () => {
      for (const { number, resource } of lent) {
        if (this.#table.has(number, resource)) this.#table.remove(number, resource);
      }
    };
  }
}

function nothing(): void {}
