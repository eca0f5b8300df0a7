/** Names that belong together and must differ: not even in upper and lower case alone (WIT.md, "WIT Worlds"). */

import { didYouMean } from "../../base/index.ts";
import type { Name } from "./ast.ts";
import { witErrors } from "./errors.ts";
import { placeOf, type Span } from "./source.ts";

export class Names {
  readonly #firsts = new Map<string, Span>();

  /** Notes a name; throws when it is taken. `what` is what it names: `field`, `import`. */
  claim(name: Name, what: string): void {
    const key = name.text.toLowerCase();
    const first = this.#firsts.get(key);
    if (first === undefined) {
      this.#firsts.set(key, name.span);
      return;
    }
    const { line, path } = placeOf(first);
    throw witErrors["wit-duplicate-name"]({
      ...placeOf(name.span),
      what: `${what} "${name.text}" is there twice`,
      firstLine: line,
      firstPath: path,
    });
  }
}

/** Claims each name of a list. */
export function claimAll(names: Iterable<Name>, what: string): void {
  const scope = new Names();
  for (const name of names) scope.claim(name, what);
}

/** Nothing of this kind has this name, in the interface, world or package `where`. */
export function unknownName(
  name: Name,
  looked: { readonly what: string; readonly where: string; readonly candidates: Iterable<string> },
): Error {
  const near = didYouMean(name.text, looked.candidates);
  const what = `"${looked.where}" has no ${looked.what} "${name.text}"${near}`;
  return witErrors["wit-unknown-name"]({ ...placeOf(name.span), what });
}

/** The item is there, behind a gate that is closed. */
export function gatedName(name: Name, feature: string): Error {
  const what = `"${name.text}" is there only with the feature "${feature}", which was not asked for`;
  return witErrors["wit-gate"]({ ...placeOf(name.span), what });
}

export function invalid(span: Span, what: string): Error {
  return witErrors["wit-invalid"]({ ...placeOf(span), what });
}
