/**
 * A regular expression over the group's name, in RE2's syntax, which is the one that OmniTAK's files are
 * written in. Both sides of a match come from outside: the operator writes the pattern, any client on the
 * network the name. RE2 matches in time linear in the name for every pattern, so that no pair of them can
 * stall the stream; sizes are bounded, and verdicts are kept, since a network has few groups.
 */

import { RE2JS } from "re2js";
import type { CotMessage } from "../cot/message.ts";
import { takErrors } from "../errors.ts";

/** Characters of a pattern, and instructions of the automaton that it compiles to: `(x{1,30}){1,30}` has 1,862. */
const patternLengthMax = 1_024;
const programSizeMax = 5_000;

/** A longer name fails the filter, instead of being a way around a `not`. */
export const groupNameLengthMax = 1_024;

/** Verdicts kept for a pattern. A sender of ever new names only makes us match each of them. */
const verdictsMax = 512;

const allowed = `regular expressions as in RE2 (no look-around, no back-references) of at most ${patternLengthMax} characters`;

/**
 * A function that is true for messages with a group name in which the pattern is found.
 *
 * @throws tak/filter-pattern       now: the pattern is not in the syntax, or too large
 * @throws tak/group-name-too-long  when called: the name has more than 1,024 characters
 */
export function groupPattern(pattern: string): (message: CotMessage) => boolean {
  const expression = compiled(pattern);
  const verdicts = new Map<string, boolean>();
  return (message) => {
    const name = message.groupName;
    if (name === undefined) return false;
    const known = verdicts.get(name);
    if (known !== undefined) return known;
    if (name.length > groupNameLengthMax) {
      throw takErrors["group-name-too-long"]({
        uid: message.uid.slice(0, 100),
        length: name.length,
        lengthMax: groupNameLengthMax,
      });
    }
    const verdict = expression.test(name);
    if (verdicts.size >= verdictsMax) verdicts.clear();
    verdicts.set(ownCopy(name), verdict);
    return verdict;
  };
}

/** V8 cuts a name out of its event without copying, and would keep the event's whole text with the name. */
function ownCopy(name: string): string {
  return Buffer.from(name, "utf16le").toString("utf16le");
}

function compiled(pattern: string): RE2JS {
  if (pattern.length > patternLengthMax) {
    const found = `it has ${pattern.length} characters`;
    throw takErrors["filter-pattern"]({ pattern: `${pattern.slice(0, 40)}…`, found, allowed });
  }
  const expression = parsed(pattern);
  const size = expression.programSize();
  if (size > programSizeMax) {
    const found = `it compiles to ${size} instructions, more than ${programSizeMax}`;
    throw takErrors["filter-pattern"]({ pattern, found, allowed });
  }
  return expression;
}

function parsed(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    // Everything that the library throws here is its verdict on the pattern.
    const found = cause instanceof Error ? cause.message : "it is no regular expression";
    throw takErrors["filter-pattern"]({ pattern, found, allowed }, cause);
  }
}
