/**
 * What the manager knows of one plugin, in one file, so that one rename changes it. An entry with a candidate is a
 * change that has not taken over yet: whoever finds one at the start finds the old state, and drops the candidate.
 */

import { type Json, type TrustRule, trustLevels } from "../../bundle/index.ts";
import { type Grant, parseGrants, type Vocabulary } from "../../policy/index.ts";
import { managerErrors } from "../errors.ts";
import type { DataFolder, Draft } from "./data-folder.ts";

export interface InstalledVersion {
  /** As in its manifest. */
  readonly version: string;
  /** Of the bundle. */
  readonly digest: string;
  /** Of the bundle's file, by which the store has it. */
  readonly sha256: string;
  /** Where it came from, for people. */
  readonly origin: string;
  /** RFC 3339. */
  readonly installedAt: string;
  /** The plugins that it needs, and in which ranges: its manifest's dependencies. */
  readonly needs: Readonly<Record<string, string>>;
  /** The lowest level of trust that it runs by, where whoever installed it vouched for it. */
  readonly trust?: TrustRule | undefined;
  /** The code that it was taken back for, while it has not been chosen again. */
  readonly failedWith?: string | undefined;
}

/** A version that ran before. */
export interface KeptVersion extends InstalledVersion {
  /** What the plugin had been given when it was replaced, without what was taken since; undefined where nobody wrote it down. */
  readonly grants?: readonly Grant[];
  /** Those that it had, null for none, where it was replaced by a change with others; undefined: it has those of the plugin. */
  readonly settings?: Json;
}

/** What was asked for with an install that waits. */
export interface Wishes {
  readonly settings?: Json | undefined;
  /** Undefined: as the plugin is. */
  readonly isEnabled?: boolean | undefined;
  /** False: without what the version before it keeps in memory. */
  readonly state?: boolean | undefined;
}

/** A version that waits for consent, and what becomes of it then. */
export interface HeldVersion extends InstalledVersion, Wishes {}

export type Operation = "install" | "update" | "rollback" | "remove";

/** A version that has not taken over, and what the entry says when it has. */
export interface Candidate extends InstalledVersion {
  readonly operation: Operation;
  readonly settings: Json | undefined;
  readonly isEnabled: boolean;
  readonly grants: readonly Grant[];
  readonly refused: readonly Grant[];
}

export interface Entry {
  readonly name: string;
  /** Which host runs it. */
  readonly host: string;
  readonly isEnabled: boolean;
  /** The version that runs; undefined while the first one has not taken over. */
  readonly current: InstalledVersion | undefined;
  /** A version on its way. Until it has taken over, all else is as it was. */
  readonly candidate: Candidate | undefined;
  /** A version that wants more than was granted, and waits for somebody to consent. */
  readonly held: HeldVersion | undefined;
  /** Those that ran before, the last one first. */
  readonly previous: readonly KeptVersion[];
  readonly grants: readonly Grant[];
  /** Asked for and refused: not asked again. */
  readonly refused: readonly Grant[];
  /** As the operator made them, with references in place of secrets; undefined when nobody made any. */
  readonly settings: Json | undefined;
  /** The plugin is being removed: whoever finds this finishes it. */
  readonly isRemoved: boolean;
  /** Whether its data goes with it. */
  readonly removesData: boolean;
  /** The last operation that took over, and in which run of a manager. */
  readonly last: { readonly operation: Operation; readonly from: string; readonly run: string } | undefined;
}

const folderName = "plugins";
const leftName = "settings";
const ending = ".json";

/** Most have some kilobytes. Grants are bounded by the policy layer, and settings, of which each version may have its own. */
const entryBytesMax = 64 * 1024 * 1024;

export class Entries {
  readonly #folder: DataFolder;

  constructor(folder: DataFolder) {
    this.#folder = folder;
  }

  /**
   * All entries, by name. The vocabulary of each is its host's.
   *
   * @throws manager/entry-damaged manager/folder
   */
  async readAll(vocabularyOf: (host: string) => Vocabulary | undefined): Promise<Map<string, Entry>> {
    await this.#folder.sweep(folderName);
    const entries = new Map<string, Entry>();
    const names = (await this.#folder.list(folderName)).filter((name) => name.endsWith(ending));
    const files = await Promise.all(names.map((name) => this.#folder.read(folderName, name)));
    for (const [at, name] of names.entries()) {
      const bytes = files[at];
      if (bytes === undefined) continue;
      const entry = parseEntry(bytes, this.#folder.at(folderName, name), vocabularyOf);
      entries.set(entry.name, entry);
    }
    return entries;
  }

  /** One rename: the entry as it was, or as it is now. @throws manager/folder */
  async write(entry: Entry): Promise<void> {
    const draft = await this.draft(entry);
    await draft.place();
  }

  /** The entry as it will be, when the draft is placed. @throws manager/folder */
  async draft(entry: Entry): Promise<Draft> {
    // On one line: indented, settings that are lists in lists take thirty times their own bytes.
    const bytes = new TextEncoder().encode(`${JSON.stringify(entry)}\n`);
    const { name: plugin } = entry;
    if (bytes.length > entryBytesMax)
      throw managerErrors["entry-too-large"]({ plugin, bytes: bytes.length, bytesMax: entryBytesMax });
    return this.#folder.draft(bytes, folderName, `${plugin}${ending}`);
  }

  async remove(name: string): Promise<void> {
    await this.#folder.remove(folderName, `${name}${ending}`);
  }

  /** As `remove`, and leaves its settings for whoever comes under its name. In one rename: a disk may be full. */
  async removeAndLeave({ name, settings }: Entry): Promise<void> {
    const file = `${name}${ending}`;
    if (settings !== undefined) return this.#folder.move([folderName, file], [leftName, file]);
    await this.forgetLeft(name);
    await this.remove(name);
  }

  /** What a plugin of that name left. @throws manager/entry-damaged manager/folder */
  async settingsLeft(name: string): Promise<Json | undefined> {
    const file = `${name}${ending}`;
    const bytes = await this.#folder.read(leftName, file);
    if (bytes === undefined) return undefined;
    return parseObject(bytes, this.#folder.at(leftName, file)).settings as Json | undefined; // plain data
  }

  async forgetLeft(name: string): Promise<void> {
    await this.#folder.remove(leftName, `${name}${ending}`);
  }
}

/** Bundles by the SHA-256 of their files. */
export interface UsedBundles {
  /** Those of all versions that are kept. */
  readonly kept: ReadonlySet<string>;
  /** Of those, the ones that run, or are about to. */
  readonly inUse: ReadonlySet<string>;
}

export function usedBundles(entries: Iterable<Entry>): UsedBundles {
  const kept = new Set<string>();
  const inUse = new Set<string>();
  for (const { current, candidate, held, previous } of entries) {
    for (const version of [current, candidate]) if (version !== undefined) inUse.add(version.sha256);
    for (const version of [current, candidate, held, ...previous]) {
      if (version !== undefined) kept.add(version.sha256);
    }
  }
  return { kept, inUse };
}

/** Ours, and whole because of how it was written; but a person may have edited it. */
function parseObject(bytes: Uint8Array, path: string): Record<string, unknown> {
  const refuse = (problem: string, cause?: unknown) =>
    managerErrors["entry-damaged"]({ path, problem }, cause);
  if (bytes.length > entryBytesMax) throw refuse(`it has ${bytes.length} bytes`);
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof parsed !== "object" || parsed === null) throw refuse("it is no object");
    return parsed as Record<string, unknown>; // an object, as was just checked
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) throw refuse("it is not JSON", error);
    throw error;
  }
}

function parseEntry(
  bytes: Uint8Array,
  path: string,
  vocabularyOf: (host: string) => Vocabulary | undefined,
): Entry {
  const refuse = (problem: string, cause?: unknown) =>
    managerErrors["entry-damaged"]({ path, problem }, cause);
  const data = parseObject(bytes, path);
  const text = (value: unknown, what: string): string => {
    if (typeof value !== "string") throw refuse(`"${what}" must be a text`);
    return value;
  };
  const rule = (value: unknown, what: string): TrustRule => {
    const found = trustLevels.find((level) => level === value);
    if (found === undefined || found === "modified") throw refuse(`"${what}" must be a level of trust`);
    return found;
  };
  const version = (value: unknown, what: string): InstalledVersion => {
    if (typeof value !== "object" || value === null) throw refuse(`"${what}" must be a version`);
    const of = value as Record<string, unknown>; // an object, as was just checked
    return {
      version: text(of.version, `${what}.version`),
      digest: text(of.digest, `${what}.digest`),
      sha256: text(of.sha256, `${what}.sha256`),
      origin: text(of.origin, `${what}.origin`),
      installedAt: text(of.installedAt, `${what}.installedAt`),
      needs: Object.fromEntries(
        Object.entries(of.needs ?? {}).map(([needs, range]) => [
          needs,
          text(range, `${what}.needs.${needs}`),
        ]),
      ),
      ...(of.trust !== undefined && { trust: rule(of.trust, `${what}.trust`) }),
      ...(of.failedWith !== undefined && { failedWith: text(of.failedWith, `${what}.failedWith`) }),
    };
  };
  const kept = (value: unknown): KeptVersion => {
    const one = version(value, "previous");
    const { grants: given, settings } = value as Record<string, unknown>; // an object, as was just checked
    return {
      ...one,
      ...(given !== undefined && { grants: grants(given, "previous.grants") }),
      ...(settings !== undefined && { settings: settings as Json }), // what `parse` gives is plain data
    };
  };
  const held = (value: unknown): HeldVersion => {
    const one = version(value, "held");
    const { settings, isEnabled, state } = value as Record<string, unknown>; // an object, as was just checked
    return {
      ...one,
      ...(settings !== undefined && { settings: settings as Json }), // what `parse` gives is plain data
      ...(isEnabled !== undefined && { isEnabled: isEnabled === true }),
      ...(state !== undefined && { state: state === true }),
    };
  };
  const optional = (value: unknown, what: string) => (value === undefined ? undefined : version(value, what));
  const name = text(data.name, "name");
  const host = text(data.host, "host");
  const vocabulary = vocabularyOf(host);
  const grants = (value: unknown, what: string) => {
    // Without its host nothing of it runs, and nobody can say what its capabilities mean.
    if (vocabulary === undefined) return value as Grant[];
    return parseGrants(value, `${path}: ${what}`, vocabulary);
  };
  const candidate = data.candidate as Record<string, unknown> | undefined;
  const last = data.last as Record<string, unknown> | undefined;
  return {
    name,
    host,
    isEnabled: data.isEnabled === true,
    current: optional(data.current, "current"),
    candidate: candidate && {
      ...version(candidate, "candidate"),
      operation: candidate.operation as Operation,
      settings: candidate.settings as Json | undefined, // what `parse` gives is plain data
      isEnabled: candidate.isEnabled === true,
      grants: grants(candidate.grants, "candidate.grants"),
      refused: grants(candidate.refused, "candidate.refused"),
    },
    held: data.held === undefined ? undefined : held(data.held),
    previous: Array.isArray(data.previous) ? data.previous.map(kept) : [],
    grants: grants(data.grants, "grants"),
    refused: grants(data.refused, "refused"),
    settings: data.settings as Json | undefined, // as of the candidate
    isRemoved: data.isRemoved === true,
    removesData: data.removesData === true,
    last: last && {
      operation: last.operation as Operation,
      from: text(last.from, "last.from"),
      run: text(last.run, "last.run"),
    },
  };
}
