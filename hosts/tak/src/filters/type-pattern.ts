/**
 * Patterns over type atoms. An atom matches itself; `*` matches any one atom; a `*` at the end matches
 * whatever follows, also nothing: `a-f-G-*` matches `a-f-G` and `a-f-G-U-C`, but not `a-f-Gx`, and `a-*-A`
 * matches `a-h-A` alone. Without `*` the pattern is the type itself. Matching is linear in the type's length.
 */

import { takErrors } from "../errors.ts";

const hyphen = 0x2d;
const allowed = `atoms with "-" between them, "*" for one atom, and "*" at the end for all that follow`;

/**
 * A function that is true for types which match at least one pattern.
 *
 * @throws tak/filter-pattern an empty pattern or atom, or a `*` beside other letters
 */
export function typePatterns(patterns: readonly string[]): (type: string) => boolean {
  const exact = new Set<string>();
  const prefixes: string[] = [];
  const general: (readonly string[])[] = [];
  for (const pattern of patterns) {
    const atoms = checkedAtoms(pattern);
    if (pattern === "*") return () => true;
    if (!atoms.includes("*")) exact.add(pattern);
    else if (atoms.indexOf("*") === atoms.length - 1) prefixes.push(pattern.slice(0, -2));
    else general.push(atoms);
  }
  return (type) => {
    if (exact.has(type)) return true;
    for (const prefix of prefixes) if (startsWithAtoms(type, prefix)) return true;
    for (const atoms of general) if (matchesAtoms(type, atoms)) return true;
    return false;
  };
}

function startsWithAtoms(type: string, prefix: string): boolean {
  return (
    type.startsWith(prefix) && (type.length === prefix.length || type.charCodeAt(prefix.length) === hyphen)
  );
}

function matchesAtoms(type: string, atoms: readonly string[]): boolean {
  let at = 0;
  for (let index = 0; index < atoms.length; index++) {
    // Behind the last atom, `at` is one past the end, where its hyphen would be.
    const isOver = at > type.length;
    const atom = atoms[index] ?? "";
    if (atom === "*" && index === atoms.length - 1) return true;
    if (isOver) return false;
    const hyphenAt = type.indexOf("-", at);
    const end = hyphenAt < 0 ? type.length : hyphenAt;
    if (atom !== "*" && (end - at !== atom.length || !type.startsWith(atom, at))) return false;
    at = end + 1;
  }
  return at > type.length;
}

function checkedAtoms(pattern: string): string[] {
  const atoms = pattern.split("-");
  for (const atom of atoms) {
    if (atom === "") throw takErrors["filter-pattern"]({ pattern, found: "an atom is empty", allowed });
    if (atom !== "*" && atom.includes("*")) {
      throw takErrors["filter-pattern"]({ pattern, found: `"*" is a part of the atom "${atom}"`, allowed });
    }
  }
  return atoms;
}
