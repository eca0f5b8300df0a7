/**
 * Steps 2 and 3 of an install, for a plugin and for those that it needs: which versions it will be, before the first of
 * them is installed. Only the one that was asked for is verified here; the others are when their turn comes.
 */

import { isRemoraError } from "../../base/index.ts";
import {
  type Bundle,
  defaultBundleLimits,
  emptyTrustStore,
  openBundle,
  type Trust,
  type TrustRule,
} from "../../bundle/index.ts";
import { type Core, inspectOptions, policyOf } from "../core.ts";
import { inStep, managerErrors, stepFailed } from "../errors.ts";
import { chooseVersions, type Needing } from "./choose-versions.ts";
import { fetchBytes, type Resolved, type ResolvedOffer, resolveName } from "./fetch.ts";
import { placeOf, verify } from "./inspect.ts";

/** A bundle that is here and was verified. */
export interface Verified {
  readonly bytes: Uint8Array;
  readonly bundle: Bundle;
  readonly trust: Trust;
  readonly origin: string;
}

export interface InstallPlan {
  readonly wanted: Verified;
  /** Each after those that it needs; fetched and verified when it is called. */
  readonly needed: readonly (() => Promise<Verified>)[];
}

/** A source offers any number of versions, and each that is tried has to be fetched. */
export const versionsTriedMax = 20;

/**
 * The first of these bundles that can run here with what it needs; of many, the first `versionsTriedMax` are tried.
 *
 * @param found At least one, the best first.
 * @param label What was asked for, for errors.
 * @param trust The lowest level of trust for it, in place of the policy's; not for what it needs.
 * @throws manager/resolve manager/fetch manager/verify manager/inspect why the first one cannot
 */
export async function planInstall(
  found: readonly Resolved[],
  label: string,
  core: Core,
  trust?: TrustRule,
): Promise<InstallPlan> {
  let failure: Error | undefined;
  for (const resolved of found.slice(0, versionsTriedMax)) {
    const plan = await planOne(resolved, label, core, trust);
    if (!(plan instanceof Error)) return plan;
    failure ??= plan;
  }
  throw failure ?? new Error("Invariant broken: there was nothing to choose from");
}

async function planOne(
  resolved: Resolved,
  label: string,
  core: Core,
  trust: TrustRule | undefined,
): Promise<InstallPlan | Error> {
  const wanted = await fetchVerified(resolved, label, core, { trust });
  const { name } = wanted.bundle.manifest;
  const misplaced = await misplacement(wanted.bundle, core);
  if (misplaced !== undefined) return stepFailed("inspect", name, misplaced);
  const looked = new Lookout(core);
  const chosen = await inStep("resolve", name, () =>
    chooseVersions(needingOf(wanted.bundle), {
      entries: core.entries,
      offers: (needs, range) => orWhyNot(() => resolveName(needs, range, core.sources)),
      look: (offer) => looked.at(offer),
    }),
  );
  if (chosen instanceof Error) return stepFailed("resolve", name, chosen);
  const needed = chosen.map(
    (offer) => () => fetchVerified(offer, offer.offered.name, core, { known: looked.bytesOf(offer) }),
  );
  return { wanted, needed };
}

/**
 * That a version fits among what is installed as it is: nothing is fetched for it.
 *
 * @throws manager/dependency       somebody needs another version of it, or it needs one that is not there
 * @throws manager/dependency-cycle it would need itself
 */
export async function checkFits(bundle: Bundle, { entries }: Core): Promise<void> {
  const { name: plugin } = bundle.manifest;
  const chosen = await chooseVersions(needingOf(bundle), {
    entries,
    offers: async (needs, range) =>
      managerErrors.dependency({ plugin, needs, range, found: "it is not installed" }),
    look: async () => new Error("Invariant broken: there was no offer to look at"),
  });
  if (chosen instanceof Error) throw chosen;
}

/** Steps 2 and 3. */
async function fetchVerified(
  resolved: Resolved,
  label: string,
  core: Core,
  { known, trust }: { readonly known?: Uint8Array | undefined; readonly trust?: TrustRule | undefined },
): Promise<Verified> {
  const bytes = known ?? (await inStep("fetch", label, () => fetchBytes(resolved, core.vocabulary)));
  const verified = await inStep("verify", label, () => verifyHere(bytes, core, trust));
  // Unpacking a large bundle has taken as long as one turn may.
  await new Promise(setImmediate);
  return { ...verified, bytes, origin: resolved.origin };
}

/** @param vouched In place of the policy's rule. A key that was revoked stays so. */
export function verifyHere(bytes: Uint8Array, core: Core, vouched?: TrustRule) {
  const { trust = "verified", keys = emptyTrustStore } = core.policy;
  return verify(bytes, {
    vocabulary: core.vocabulary,
    keys,
    rule: (plugin) => vouched ?? policyOf(core, plugin).trust ?? trust,
    nowMs: core.clock.dateMs(),
  });
}

/** Why a version cannot run here, whatever else is installed; undefined when it can. */
function misplacement(bundle: Bundle, core: Core): Promise<Error | undefined> {
  return orWhyNot(async () => {
    placeOf(bundle, inspectOptions(core, bundle.manifest.name));
    return undefined;
  });
}

/** Whoever chooses goes on to the next one, and needs the reason only when there is none. */
async function orWhyNot<Result>(act: () => Promise<Result>): Promise<Result | Error> {
  try {
    return await act();
  } catch (error) {
    if (isRemoraError(error)) return error;
    throw error;
  }
}

function needingOf({ manifest: { name, version, dependencies: needs } }: Bundle): Needing {
  return { name, version, needs };
}

/** What offered versions say of themselves. Each is fetched once, for as long as there is room to keep it. */
class Lookout {
  readonly #core: Core;
  readonly #seen = new Map<string, Needing | Error>();
  readonly #bytes = new Map<string, Uint8Array>();
  #bytesLeft = defaultBundleLimits.bytesMax;

  constructor(core: Core) {
    this.#core = core;
  }

  async at(offer: ResolvedOffer): Promise<Needing | Error> {
    const { digest, name } = offer.offered;
    const known = this.#seen.get(digest);
    if (known !== undefined) return known;
    const { vocabulary } = this.#core;
    const bytes = await inStep("fetch", name, () => fetchBytes(offer, vocabulary));
    const bundle = await inStep("verify", name, () => openBundle(bytes, { vocabulary }));
    const found = (await misplacement(bundle, this.#core)) ?? needingOf(bundle);
    this.#seen.set(digest, found);
    if (bytes.length <= this.#bytesLeft) {
      this.#bytesLeft -= bytes.length;
      this.#bytes.set(digest, bytes);
    }
    return found;
  }

  bytesOf(offer: ResolvedOffer): Uint8Array | undefined {
    return this.#bytes.get(offer.offered.digest);
  }
}
