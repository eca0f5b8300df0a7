/**
 * Finding the way in a tree, in user space, one name at a time. A folder that was entered is held open and is what
 * the next name is looked up in; ".." goes back to the folder that was held before, never to what the system calls
 * its parent; links are read and walked here. So no path, link or rename leads above the folder that it started in.
 */

import { FsError } from "./errno.ts";
import type { OpenFolder } from "./volume.ts";

/** As Linux: more is a loop. */
const linksMax = 40;

/**
 * Names walked for one path, links included. Each takes the host a descriptor. 4096 bytes have room for 2048 of them, and so
 * many are slow to open (20 µs each, where 250 take 3); what lies deeper is reached from a folder that was opened on the way.
 */
const namesMax = 256;

/** The path leads above the folder that it started in. */
export class OutsideError extends FsError {
  constructor() {
    super("perm");
  }
}

/** Given back by a visitor that found a link where it wanted what the link leads to. */
export const isLink = Symbol("is link");

export interface Place {
  readonly folder: OpenFolder;
  /** The last name of the path; empty when the path is the folder itself. */
  readonly name: string;
  /** The path ended in a slash. */
  readonly mustBeFolder: boolean;
  /** The names from the start to here with all links resolved, joined by "/". */
  readonly resolved: string;
}

export interface WalkOptions {
  readonly path: string;
  /** What to do when the last name is a link: go on where it leads, or take the link itself. */
  readonly follow: boolean;
  /** Called before each folder on the way is entered or a link is read, with its names as in `Place.resolved`; may throw. */
  readonly passing?: ((resolved: string) => void) | undefined;
}

/**
 * Walks to the last name of a path and calls the visitor there. All folders on the way are closed again.
 *
 * @param visit Throws `loop`, or returns `isLink`, when it met a link; it is then called again where that leads.
 * @throws FsError `perm` for a way that leads outside, `noent`, `notdir`, `loop`, `inval`, `nametoolong`.
 */
export function walk<Result>(
  start: OpenFolder,
  options: WalkOptions,
  visit: (place: Place) => Result | typeof isLink,
): Result {
  const { path } = options;
  if (path === "") throw new FsError("noent");
  if (path.includes("\0")) throw new FsError("inval");
  const way = new Way(start, options.passing);
  try {
    way.enqueue(path);
    return walkOn(way, options, visit);
  } finally {
    way.close();
  }
}

function walkOn<Result>(
  way: Way,
  options: WalkOptions,
  visit: (place: Place) => Result | typeof isLink,
): Result {
  for (;;) {
    const name = way.next();
    if (name === undefined) {
      const result = visit({ folder: way.folder, name: "", mustBeFolder: true, resolved: way.resolved("") });
      if (result === isLink) throw new FsError("loop");
      return result;
    }
    if (name === "..") {
      way.leave();
    } else if (way.hasMore) {
      if (!way.enter(name)) way.followLink(name);
    } else {
      const mustBeFolder = way.endsInSlash;
      const found = visitLast(way, { name, mustBeFolder }, visit);
      if (found !== isLink) return found;
      if (!options.follow && !mustBeFolder) throw new FsError("loop");
      way.followLink(name);
    }
  }
}

function visitLast<Result>(
  way: Way,
  last: { name: string; mustBeFolder: boolean },
  visit: (place: Place) => Result | typeof isLink,
): Result | typeof isLink {
  try {
    return visit({ folder: way.folder, ...last, resolved: way.resolved(last.name) });
  } catch (error) {
    if (error instanceof FsError && error.errno === "loop") return isLink;
    throw error;
  }
}

/** Where a walk is and what it still has before it. */
class Way {
  readonly #start: OpenFolder;
  readonly #held: { readonly folder: OpenFolder; readonly resolved: string }[] = [];
  /** In reverse. */
  readonly #pending: string[] = [];
  readonly #passing: ((resolved: string) => void) | undefined;
  #linksLeft = linksMax;
  #namesLeft = namesMax;
  endsInSlash = false;

  constructor(start: OpenFolder, passing: ((resolved: string) => void) | undefined) {
    this.#start = start;
    this.#passing = passing;
  }

  get folder(): OpenFolder {
    return this.#held.at(-1)?.folder ?? this.#start;
  }

  get hasMore(): boolean {
    return this.#pending.length > 0;
  }

  resolved(last: string): string {
    const above = this.#held.at(-1)?.resolved ?? "";
    return above === "" || last === "" ? above + last : `${above}/${last}`;
  }

  /** The next name that means something. */
  next(): string | undefined {
    return this.#pending.pop();
  }

  enqueue(path: string): void {
    // Absolute paths have no meaning here: there is no root to be absolute to.
    if (path.startsWith("/")) throw new OutsideError();
    const parts = path.split("/");
    const isWithinBounds = parts.length <= this.#namesLeft;
    if (!isWithinBounds) throw new FsError("nametoolong");
    this.#namesLeft -= parts.length;
    if (!this.hasMore) this.endsInSlash = parts.at(-1) === "";
    // "a/." means what is in the folder a: it is entered, and the path ends there.
    const names = parts.filter((part) => part !== "" && part !== ".");
    if (parts.at(-1) === "." && !this.hasMore) this.endsInSlash = true;
    this.#pending.push(...names.reverse());
  }

  leave(): void {
    const held = this.#held.pop();
    if (held === undefined) throw new OutsideError();
    held.folder.close();
  }

  /** False when the name is a link. */
  enter(name: string): boolean {
    const resolved = this.resolved(name);
    this.#passing?.(resolved);
    try {
      this.#held.push({ folder: this.folder.folderAt(name), resolved });
      return true;
    } catch (error) {
      if (error instanceof FsError && error.errno === "loop") return false;
      throw error;
    }
  }

  followLink(name: string): void {
    if (this.#linksLeft-- === 0) throw new FsError("loop");
    this.#passing?.(this.resolved(name));
    const text = this.folder.linkTextAt(name);
    if (text === "") throw new FsError("noent");
    const mustBeFolder = this.endsInSlash;
    this.enqueue(text);
    this.endsInSlash ||= mustBeFolder;
  }

  close(): void {
    for (const { folder } of this.#held) folder.close();
    this.#held.length = 0;
  }
}
