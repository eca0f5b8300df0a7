/** The ids of one kind of thing, each of which may stand for one thing only; `claim` says so at its place. */

import { didYouMean } from "remora/base";
import type { Section, Value } from "./reader.ts";

export class Ids {
  readonly #taken = new Map<string, string>();

  /** Notes an id, or the problem that it stands for something already. */
  claim(id: string, value: Value): void {
    const other = this.#taken.get(id);
    if (other !== undefined) value.problem(`"${id}" is used twice: also by ${other}`);
    else if (id !== "") this.#taken.set(id, value.path);
  }

  /** Reads a reference, and notes the problem that it refers to nothing. */
  refer(value: Value, what: string): string {
    const id = value.text();
    if (id !== "" && !this.#taken.has(id)) {
      value.problem(`There is no ${what} "${id}"${didYouMean(id, this.#taken.keys())}`);
    }
    return id;
  }
}

/** Reads and claims the id of a section. */
export function readId(section: Section, ids: Ids, key = "id"): string {
  return section.read(
    key,
    (value) => {
      const id = value.text({ lengthMax: 100 });
      // It stands in logs and on terminals, where such characters would write lines of their own.
      if (/\p{Cc}/u.test(id)) value.problem("Must not have control characters");
      ids.claim(id, value);
      return id;
    },
    "",
  );
}
