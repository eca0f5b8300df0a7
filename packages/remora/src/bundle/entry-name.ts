/**
 * Names of files in a bundle. The publisher chooses them, and somebody may unpack them one day, on any system: a name
 * is a relative path that stays inside, is a file's name everywhere, and differs from every other by more than case.
 */

import { nameLengthMax } from "./limits.ts";

/** What Windows takes for a device, with any ending. */
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/** Why this is no name of an entry, or undefined when it is one. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "a name has at least one character";
  if (name.length > nameLengthMax) return `a name has at most ${nameLengthMax} characters`;
  if (name.startsWith("/")) return "a name is relative, without / at its start";
  if (!/^[A-Za-z0-9._@+/-]+$/.test(name)) return "allowed are letters A to Z, digits and . _ @ + - /";
  for (const part of name.split("/")) {
    if (part === "") return "a part of the path is empty";
    if (part === "." || part === "..") return "it would lead out of the bundle or to its own folder";
    if (part.endsWith(".")) return "a part ends with a full stop, which Windows drops";
    if (DEVICE.test(part)) return "a part is the name of a device on Windows";
  }
  return undefined;
}

/** What two names must not have in common. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

/** The order of entries: by bytes, which for these characters is the order of code units. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
