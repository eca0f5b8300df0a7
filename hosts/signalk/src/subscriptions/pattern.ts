/**
 * Patterns over paths and contexts: `navigation.*`, `*.position`, `vessels.*`. A star stands for any run of
 * characters. Both sides may be a stranger's, so matching takes time in proportion to their bounded lengths, and what
 * was decided about a path is remembered.
 */

import { globCovers } from "remora/policy";
import { pathLengthMax } from "../delta/delta.ts";

export type Matches = (text: string) => boolean;

/** Paths are few and come again; someone who makes up new ones all the time starts the memory afresh. */
const rememberedMax = 1_024;

/** A pattern is what a path is, with stars. */
export function isPattern(text: string): boolean {
  return text.length > 0 && text.length <= pathLengthMax && /^[^\s/\\\p{Cc}]+$/u.test(text);
}

export function compilePattern(pattern: string): Matches {
  if (pattern === "*" || pattern === "**") return () => true;
  if (!pattern.includes("*")) return (text) => text === pattern;
  const decided = new Map<string, boolean>();
  return (text) => {
    let matches = decided.get(text);
    if (matches === undefined) {
      matches = globCovers(pattern, text);
      if (decided.size >= rememberedMax) decided.clear();
      decided.set(text, matches);
    }
    return matches;
  };
}
