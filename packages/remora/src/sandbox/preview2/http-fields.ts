/** `wasi:http/types` 0.2: headers. */

import { ComponentError } from "../../component/index.ts";
import { fitsBounds, type Header, headerProblem } from "../http/headers.ts";
import type { Machine } from "../machine/machine.ts";
import { Held } from "./held.ts";

/** The resource `fields`. */
export class Fields extends Held {
  #entries: Header[] = [];
  #isImmutable = false;
  #isGiven = (): boolean => true;

  static fromList(machine: Machine, entries: readonly Header[]): Fields {
    const fields = new Fields(machine);
    try {
      for (const [name, value] of entries) fields.append(name, value);
      return fields;
    } catch (error) {
      fields.close();
      throw error;
    }
  }

  /** Headers of a response: there are none any more when it is not given. */
  static received(machine: Machine, entries: readonly Header[], isGiven: () => boolean): Fields {
    const fields = Fields.immutable(machine, entries);
    fields.#isGiven = isGiven;
    return fields;
  }

  /** Headers that are what they are: those of a request that has begun. */
  static immutable(machine: Machine, entries: readonly Header[]): Fields {
    const fields = new Fields(machine);
    fields.#entries = [...entries];
    fields.#isImmutable = true;
    return fields;
  }

  get(name: string): Uint8Array[] {
    const lower = name.toLowerCase();
    return this.entries()
      .filter(([other]) => other.toLowerCase() === lower)
      .map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.get(name).length > 0;
  }

  set(name: string, values: readonly Uint8Array[]): void {
    const lower = name.toLowerCase();
    const others = this.#entries.filter(([other]) => other.toLowerCase() !== lower);
    const added = values.map((value): Header => [name, value]);
    this.#change([...others, ...added], [[name, new Uint8Array(0)], ...added]);
  }

  delete(name: string): void {
    const lower = name.toLowerCase();
    this.#change(
      this.#entries.filter(([other]) => other.toLowerCase() !== lower),
      [[name, new Uint8Array(0)]],
    );
  }

  append(name: string, value: Uint8Array): void {
    this.#change([...this.#entries, [name, value]], [[name, value]]);
  }

  entries(): Header[] {
    return this.#isGiven() ? [...this.#entries] : [];
  }

  clone(): Fields {
    const fields = new Fields(this.machine);
    fields.#entries = this.entries();
    return fields;
  }

  #change(entries: Header[], checked: readonly Header[]): void {
    if (this.#isImmutable) throw new ComponentError({ tag: "immutable" });
    for (const header of checked) {
      const problem = headerProblem(header);
      if (problem !== undefined) throw new ComponentError({ tag: problem });
    }
    // The interface has no error for "too many"; the nearest is that this one is not allowed.
    if (!fitsBounds(entries, this.machine.shared.limits)) throw new ComponentError({ tag: "forbidden" });
    this.#entries = entries;
  }
}
