/**
 * Which versions of other plugins are installed with one that needs them: for each the highest that all who need it
 * can live with. When two ranges have nothing in common, a lower version of whoever asked is tried, so that what is
 * found first is what a person would have found, and that there is nothing is said only after everything was tried.
 * What is installed already stays as it is.
 */

import { versionFits } from "../../bundle/index.ts";
import { managerErrors } from "../errors.ts";
import type { Entry } from "../store/entry.ts";
import { dependents } from "./dependencies.ts";
import type { ResolvedOffer } from "./fetch.ts";

/** A plugin as far as it concerns others. */
export interface Needing {
  readonly name: string;
  readonly version: string;
  /** Names of other plugins, with the ranges in which they are needed. */
  readonly needs: ReadonlyMap<string, string>;
}

export interface ChooseOptions {
  readonly entries: ReadonlyMap<string, Entry>;
  /** All that a plugin can be had in, the best first; why there is nothing, where that is so. */
  readonly offers: (name: string, range: string) => Promise<readonly ResolvedOffer[] | Error>;
  /** What an offered version needs; why it cannot run here, where that is so. */
  readonly look: (offered: ResolvedOffer) => Promise<Needing | Error>;
}

/** Publishers write the ranges, and with many versions there are more ways to combine them than time. */
export const triesMax = 1_000;

/**
 * @returns What has to be installed, each after those that it needs; or why there is no such choice: what stopped the
 *          first try, which is the one with the highest versions.
 * @throws manager/dependency-search after `triesMax` versions; and what `offers` and `look` throw
 */
export async function chooseVersions(
  wanted: Needing,
  options: ChooseOptions,
): Promise<readonly ResolvedOffer[] | Error> {
  const search = new Search(wanted, options);
  const problem = search.problemOf(wanted, new Map());
  if (problem !== undefined) return problem;
  const chosen = await search.extend(needsOf(wanted), new Map([[wanted.name, wanted]]));
  return chosen === undefined ? search.failure : inOrder(wanted, chosen);
}

/** A version that was picked for a plugin, for as long as nothing speaks against it. */
type Chosen = ReadonlyMap<string, Needing & { readonly offered?: ResolvedOffer }>;

interface Need {
  readonly by: string;
  readonly name: string;
  readonly range: string;
}

class Search {
  readonly #wanted: Needing;
  readonly #options: ChooseOptions;
  #failure: Error | undefined;
  #tries = 0;

  constructor(wanted: Needing, options: ChooseOptions) {
    this.#wanted = wanted;
    this.#options = options;
  }

  get failure(): Error {
    if (this.#failure !== undefined) return this.#failure;
    throw new Error("Invariant broken: a search that fails says why");
  }

  /** The choice with all of these needs met; undefined when there is none. */
  async extend(open: readonly Need[], chosen: Chosen): Promise<Chosen | undefined> {
    const [need, ...rest] = open;
    if (need === undefined) return chosen;
    const there = chosen.get(need.name)?.version ?? this.#installed(need.name);
    if (there !== undefined) {
      if (versionFits(there, need.range)) return this.extend(rest, chosen);
      const isChosen = chosen.has(need.name);
      return this.#fail(misfit(need, isChosen ? `${there} would come with it` : `${there} is installed`));
    }
    const offers = await this.#options.offers(need.name, need.range);
    if (offers instanceof Error) return this.#fail(offers);
    for (const offered of offers) {
      const found = await this.#tryWith(offered, rest, chosen);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #tryWith(offered: ResolvedOffer, rest: readonly Need[], chosen: Chosen): Promise<Chosen | undefined> {
    const { name: plugin } = this.#wanted;
    if (this.#tries++ === triesMax) throw managerErrors["dependency-search"]({ plugin, triesMax });
    const found = await this.#options.look(offered);
    if (found instanceof Error) return this.#fail(found);
    const problem = this.problemOf(found, chosen);
    if (problem !== undefined) return this.#fail(problem);
    const next = new Map([...chosen, [found.name, { ...found, offered }]]);
    return this.extend([...rest, ...needsOf(found)], next);
  }

  /** What speaks against a version, whatever will be chosen for the plugins that it needs. */
  problemOf(one: Needing, chosen: Chosen): Error | undefined {
    for (const [plugin, range] of dependents(one.name, this.#options.entries)) {
      if (versionFits(one.version, range)) continue;
      return misfit({ by: plugin, name: one.name, range }, `this is ${one.version}`);
    }
    const graph = (name: string) =>
      chosen.get(name)?.needs.keys() ?? Object.keys(this.#options.entries.get(name)?.current?.needs ?? {});
    for (const needs of one.needs.keys()) {
      const back = pathTo(one.name, needs, graph, new Set());
      if (back === undefined) continue;
      return managerErrors["dependency-cycle"]({ path: fromFirst([...chosen.keys()], [one.name, ...back]) });
    }
    return undefined;
  }

  #installed(name: string): string | undefined {
    return this.#options.entries.get(name)?.current?.version;
  }

  /** The first failure is kept: it is about the highest versions. */
  #fail(error: Error): undefined {
    this.#failure ??= error;
  }
}

function needsOf({ name: by, needs }: Needing): Need[] {
  return [...needs].map(([name, range]) => ({ by, name, range }));
}

function misfit({ by: plugin, name: needs, range }: Need, found: string): Error {
  return managerErrors.dependency({ plugin, needs, range, found });
}

/** From one plugin along what it needs to another; undefined when there is no such way. */
function pathTo(
  target: string,
  from: string,
  needsOf: (name: string) => Iterable<string>,
  seen: Set<string>,
): readonly string[] | undefined {
  if (from === target) return [target];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const needs of needsOf(from)) {
    const rest = pathTo(target, needs, needsOf, seen);
    if (rest !== undefined) return [from, ...rest];
  }
  return undefined;
}

/** A circle, told from the plugin in it that was asked for first. */
function fromFirst(asked: readonly string[], circle: readonly string[]): readonly string[] {
  const first = asked.find((name) => circle.includes(name)) ?? circle[0] ?? "";
  const at = circle.indexOf(first);
  return [...circle.slice(at, -1), ...circle.slice(0, at), first];
}

/** Each after those that it needs; what was asked for itself is not among them. */
function inOrder(wanted: Needing, chosen: Chosen): readonly ResolvedOffer[] {
  const ordered: ResolvedOffer[] = [];
  const seen = new Set<string>();
  const visit = (name: string) => {
    if (seen.has(name)) return;
    seen.add(name);
    const one = chosen.get(name);
    for (const needs of one?.needs.keys() ?? []) visit(needs);
    if (one?.offered !== undefined) ordered.push(one.offered);
  };
  visit(wanted.name);
  return ordered;
}
