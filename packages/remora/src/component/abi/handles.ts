/**
 * Handle tables (CanonicalABI.md, "Table State" and "Resource State"): the small integers by which a guest names
 * resources. One table a component instance; entries are reused, so that a borrow costs no allocation.
 */

import { trap } from "./trap.ts";

/** Counts the borrowed handles that one call of the asynchronous ABI was given and has not dropped. */
export interface BorrowScope {
  borrows: number;
}

/** What a guest knows a resource by that it implements: an i32, or an i64 (Explainer.md, "resource"). */
export type Rep = number | bigint;

/** Number that no resource type has: the entry is free. */
const free = -1;

export class Handle {
  /** Number of the resource type within the component, or `free`. */
  resource = free;
  /** A guest's `Rep` of what it implements; a host object for what the host implements. */
  rep: unknown = undefined;
  isOwn = false;
  /** Borrows of this handle that calls in progress hold. */
  lends = 0;
  /** Of a borrowed handle, the call that it was given to; only where calls may overlap. */
  scope: BorrowScope | undefined = undefined;
  nextFree = 0;
}

/** How many more entries all tables of an instance may have together. */
export interface HandleAllowance {
  left: number;
}

export class HandleTable {
  // Index 0 is no handle.
  readonly #entries: Handle[] = [new Handle()];
  #firstFree = 0;
  readonly #allowance: HandleAllowance;

  constructor(allowance: HandleAllowance) {
    this.#allowance = allowance;
  }

  add(resource: number, rep: unknown, isOwn: boolean): number {
    let index = this.#firstFree;
    let entry: Handle;
    if (index !== 0) {
      entry = this.#entries[index] as Handle; // The free list holds indices of entries only.
      this.#firstFree = entry.nextFree;
    } else {
      // The guest controls how many handles it keeps; the host holds their memory, and keeps it for the next ones.
      if (this.#allowance.left-- <= 0) trap("more handles than allowed");
      index = this.#entries.length;
      entry = new Handle();
      this.#entries.push(entry);
    }
    entry.resource = resource;
    entry.rep = rep;
    entry.isOwn = isOwn;
    return index;
  }

  get(index: number, resource: number): Handle {
    const entry = this.#entries[index >>> 0];
    if (entry === undefined || entry.resource !== resource) return wrongHandle(entry, index >>> 0);
    return entry;
  }

  /** Whether there is such a handle: for the host, which asks; a guest's wrong one is a trap. */
  has(index: number, resource: number): boolean {
    return this.#entries[index >>> 0]?.resource === resource;
  }

  /** What stands at an index, whatever it is. */
  at(index: number): Handle | undefined {
    return this.#entries[index >>> 0];
  }

  /** Takes a handle out. The entry still has its facts until the table is next added to. */
  remove(index: number, resource: number): Handle {
    const entry = this.get(index, resource);
    if (entry.lends !== 0) trap(`handle ${index >>> 0} is lent to a call in progress`);
    entry.resource = free;
    entry.nextFree = this.#firstFree;
    this.#firstFree = index >>> 0;
    return entry;
  }

  /** Takes out everything, and gives back what was owned: the guest is gone. */
  takeOwned(): readonly Handle[] {
    const owned = this.#entries.filter((entry) => entry.resource !== free && entry.isOwn);
    this.#entries.length = 1;
    this.#firstFree = 0;
    return owned;
  }
}

function wrongHandle(entry: Handle | undefined, index: number): never {
  if (entry === undefined || entry.resource === free) return trap(`unknown handle index ${index}`);
  return trap(`handle ${index} is of another resource type`);
}
