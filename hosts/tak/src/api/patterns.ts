/** Patterns that clients send. They are matched by RE2, in linear time, and by programs of bounded size. */

import { RE2JS } from "re2js";
import { refused } from "./body.ts";

const programSizeMax = 1_000;
/** Of a text that a pattern is tried on: a longer one is none that anybody looks for. */
const subjectLengthMax = 1_024;

/** @param name Of the field, for the error. @throws tak/api-request */
export function patternOf(pattern: string, name: string): (text: string) => boolean {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch {
    // Everything that the library throws here is its verdict on the pattern.
    throw refused(`"${name}" must be regular expressions as in RE2`);
  }
  if (compiled.programSize() > programSizeMax) throw refused(`"${name}" must be simpler regular expressions`);
  return (text) => text.length <= subjectLengthMax && compiled.test(text);
}
