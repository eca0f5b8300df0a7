/**
 * Who signed a version. What a plugin was given was given to whoever signed it, and what a key has signed does not run any
 * more once that is revoked, however long it has been here.
 */

import { isRemoraError } from "../base/index.ts";
import {
  type Bundle,
  emptyTrustStore,
  openBundle,
  signatureOf,
  type Trust,
  trustOf,
} from "../bundle/index.ts";
import type { Grant } from "../policy/index.ts";
import type { Core } from "./core.ts";
import { managerErrors } from "./errors.ts";
import type { Entry, InstalledVersion } from "./store/entry.ts";

/** How far a bundle is trusted, by the keys of now. */
export function trustHere(bundle: Bundle, { policy, clock }: Core): Trust {
  return trustOf(signatureOf(bundle), policy.keys ?? emptyTrustStore, clock.dateMs());
}

/**
 * For a version that was verified when it came: the operator may have revoked its key since.
 *
 * @throws manager/untrusted
 */
export function checkUnrevoked({ signature }: Bundle, { policy, clock }: Core): void {
  if (signature === undefined) return;
  const { signedAtMs, name, email } = signature;
  const publicKey = Buffer.from(signature.publicKey).toString("hex");
  const state = { kind: "signed", publicKey, signedAtMs, signer: { name, email } } as const;
  const { isRevoked, text, reason } = trustOf(state, policy.keys ?? emptyTrustStore, clock.dateMs());
  if (isRevoked) throw managerErrors.untrusted({ trust: text, reason, rule: policy.trust ?? "verified" });
}

/**
 * What a plugin was given, as far as this version of it takes that over: all of it when the same publisher signed it, or
 * nobody the one before; else nothing, and everything is asked for anew.
 */
export async function grantsPassedOn(
  entry: Entry | undefined,
  bundle: Bundle,
  core: Core,
): Promise<readonly Grant[]> {
  const { grants = [], current } = entry ?? {};
  // Contents that are the same do the same, whoever has signed them.
  if (current === undefined || grants.length === 0 || current.digest === bundle.digest) return grants;
  const before = await trustOfKept(current, core);
  return before !== undefined && isSuccessor(before, trustHere(bundle, core)) ? grants : [];
}

function isSuccessor(before: Trust, after: Trust): boolean {
  if (before.level === "unsigned") return true;
  if (after.level === "unsigned" || after.level === "modified") return false;
  if (before.publicKey === after.publicKey) return true;
  // A publisher may have several keys: whose a key is, the operator says, if anybody.
  const { publisher = "" } = before;
  return publisher !== "" && publisher === after.publisher;
}

/** Undefined when it cannot be read any more: an update may be what mends that. */
async function trustOfKept({ sha256 }: InstalledVersion, core: Core): Promise<Trust | undefined> {
  try {
    const bytes = await core.store.read(sha256);
    return trustHere(openBundle(bytes, { vocabulary: core.vocabulary }), core);
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    return undefined;
  }
}
