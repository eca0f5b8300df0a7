/**
 * Who signed a version. What a plugin was given was given to whoever signed it, and what a key has signed does not run any
 * more once that is revoked, however long it has been here.
 */

import { isRemoraError } from "../base/index.ts";
import {
  type Bundle,
  emptyTrustStore,
  openBundle,
  type SignatureState,
  signatureOf,
  type Trust,
  trustOf,
} from "../bundle/index.ts";
import type { Grant } from "../policy/index.ts";
import type { Core } from "./core.ts";
import { managerErrors } from "./errors.ts";
import type { Entry, InstalledVersion } from "./store/entry.ts";

/** How far a bundle is trusted, by the keys of now. */
export function trustHere(bundle: Bundle, core: Core): Trust {
  return stateTrust(signatureOf(bundle), core);
}

function stateTrust(state: SignatureState, { policy, clock }: Core): Trust {
  return trustOf(state, policy.keys ?? emptyTrustStore, clock.dateMs());
}

/**
 * For a version that was verified when it came: the operator may have revoked its key since.
 *
 * @throws manager/untrusted
 */
export function checkUnrevoked({ signature }: Bundle, core: Core): void {
  if (signature === undefined) return;
  const { signedAtMs, name, email } = signature;
  const publicKey = Buffer.from(signature.publicKey).toString("hex");
  const state = { kind: "signed", publicKey, signedAtMs, signer: { name, email } } as const;
  const { isRevoked, text, reason } = stateTrust(state, core);
  if (isRevoked)
    throw managerErrors.untrusted({ trust: text, reason, rule: core.policy.trust ?? "verified" });
}

/** Another publisher than the one of the version that runs, in words for people. */
export interface PublisherChange {
  /** Who signed the version that runs: `verified by Ada (key 6f0c2d9ab71e4f58)`. */
  readonly from: string;
  readonly to: string;
  /** Whose key the new one is, by the operator's store; undefined where that does not know it. */
  readonly name: string | undefined;
}

/** What a version takes over from the one that runs. */
export interface Succession {
  /** Of what the plugin was given. */
  readonly grants: readonly Grant[];
  /** Undefined for a first version, and for one by whom the version that runs is. */
  readonly publisher: PublisherChange | undefined;
}

/**
 * What a plugin was given passes on to versions of the same publisher, and to any after one that nobody has signed. For
 * another publisher everything is asked for anew, and before all whether it may be that one: a plugin's name is what
 * others know it by, and its files and settings are there already.
 */
export async function successionOf(
  entry: Entry | undefined,
  bundle: Bundle,
  core: Core,
): Promise<Succession> {
  const { grants = [], current } = entry ?? {};
  // A first version may have been given something while it waits, and another one may come in its place.
  if (current === undefined)
    return { grants: (await isStranger(entry, bundle, core)) ? [] : grants, publisher: undefined };
  const trust = await trustOfKept(current, core);
  // Contents that are the same do the same, and the signature stays that of the first; unless that one may not run any more.
  if (current.digest === bundle.digest && trust?.isRevoked !== true) return { grants, publisher: undefined };
  return succession(trust, trustHere(bundle, core), grants, core);
}

/** Whether it comes in the place of another publisher's first version, which has only waited. */
export async function isStranger(entry: Entry | undefined, bundle: Bundle, core: Core): Promise<boolean> {
  const { current, held } = entry ?? {};
  if (current !== undefined || held === undefined) return false;
  const trust = await trustOfKept(held, core);
  return trust === undefined || !isSuccessor(trust, trustHere(bundle, core), core);
}

/** Whether what signed it was revoked since it came. */
export async function isRevokedNow(kept: InstalledVersion, core: Core): Promise<boolean> {
  return (await trustOfKept(kept, core))?.isRevoked === true;
}

/** As `successionOf`, for a version that is kept. */
export async function successionOfKept(
  { grants, current }: Entry,
  kept: InstalledVersion,
  core: Core,
): Promise<Succession> {
  if (current === undefined || current.digest === kept.digest) return { grants, publisher: undefined };
  return succession(await trustOfKept(current, core), await trustOfKept(kept, core), grants, core);
}

/** Of trust, undefined is that nobody can say. */
function succession(
  before: Trust | undefined,
  after: Trust | undefined,
  grants: readonly Grant[],
  core: Core,
): Succession {
  if (before !== undefined && after !== undefined && isSuccessor(before, after, core))
    return { grants, publisher: undefined };
  return {
    grants: [],
    publisher: { from: signerText(before), to: signerText(after), name: after?.publisher },
  };
}

function isSuccessor(before: Trust, after: Trust, { policy }: Core): boolean {
  if (before.level === "unsigned") return true;
  if (after.level === "unsigned" || after.level === "modified") return false;
  if (before.publicKey === after.publicKey) return true;
  // A publisher may have several keys, one after the other too: whose a key is or was, the operator says, if anybody.
  const { keys, revoked } = policy.keys ?? emptyTrustStore;
  const { name = "" } = [...keys, ...revoked].find(({ publicKey }) => publicKey === before.publicKey) ?? {};
  return name !== "" && name === after.publisher;
}

/** A name is the operator's, and two keys that are nobody's have none: the key tells them apart. */
function signerText(trust: Trust | undefined): string {
  if (trust === undefined) return "nobody knows: its bundle cannot be read";
  const { text, publicKey } = trust;
  return publicKey === undefined ? text : `${text} (key ${publicKey.slice(0, 16)})`;
}

/** For people, where something is asked for: beside the capabilities. */
export function publisherText({ from, to }: PublisherChange): string {
  return `another publisher: it is ${to}, and the version that runs ${from}`;
}

/** Undefined when it cannot be read any more: an update may be what mends that. */
async function trustOfKept({ sha256 }: InstalledVersion, core: Core): Promise<Trust | undefined> {
  const { signatures, vocabulary } = core;
  try {
    const state =
      signatures.get(sha256) ?? signatureOf(openBundle(await core.store.read(sha256), { vocabulary }));
    signatures.set(sha256, state);
    return stateTrust(state, core);
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    return undefined;
  }
}
