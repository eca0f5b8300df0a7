/**
 * How far a plugin's file is to be trusted: one vocabulary and one function, for bundles and for sidecars. A signature
 * says that the file is as the owner of a key left it; the operator's store says whose key that is.
 */

import { unreachable } from "../../base/index.ts";
import { harmless } from "../../policy/index.ts";
import type { Signer } from "./signer.ts";
import { keyOf, revocationOf, type TrustStore } from "./store.ts";

/** What the cryptography says of a file, before anybody is trusted. */
export type SignatureState =
  | { readonly kind: "unsigned" }
  | { readonly kind: "modified"; readonly reason: string }
  | {
      readonly kind: "signed";
      /** 64 hexadecimal digits. */
      readonly publicKey: string;
      /** As the signer says. */
      readonly signedAtMs: number;
      /** As the signer says. */
      readonly signer: Signer;
    };

/** From the best to the worst. */
export const trustLevels = ["verified", "self-signed", "unsigned", "modified"] as const;
export type TrustLevel = (typeof trustLevels)[number];

export interface Trust {
  readonly level: TrustLevel;
  /** The level as it is shown everywhere: `verified by NAME`, `self-signed`, `unsigned` or `modified`. */
  readonly text: string;
  /** Why it is this one. */
  readonly reason: string;
  /** Whose key it is, by the operator's store and not by what the signer says. */
  readonly publisher?: string;
  readonly publicKey?: string;
  /** The operator revoked the key: it does not run, whatever the rule. */
  readonly isRevoked: boolean;
}

/**
 * The level of a file.
 *
 * @param nowMs Milliseconds since 1970. A key with a validity counts while it lasts, and for what it signed in it.
 */
export function trustOf(state: SignatureState, store: TrustStore, nowMs: number): Trust {
  switch (state.kind) {
    case "unsigned":
      return { level: "unsigned", text: "unsigned", reason: "it carries no signature", isRevoked: false };
    case "modified":
      return { level: "modified", text: "modified", reason: state.reason, isRevoked: false };
    case "signed":
      return signedTrust(state, store, nowMs);
    default:
      return unreachable(state);
  }
}

type Signed = Extract<SignatureState, { kind: "signed" }>;

function signedTrust({ publicKey, signedAtMs }: Signed, store: TrustStore, nowMs: number): Trust {
  const selfSigned = (reason: string, isRevoked = false): Trust => ({
    level: "self-signed",
    text: "self-signed",
    reason,
    publicKey,
    isRevoked,
  });
  const revoked = revocationOf(store, publicKey);
  // Whoever stole a key chooses the time of its signatures too, so that a revocation holds for all of them.
  if (revoked !== undefined) {
    const why = revoked.why === "" ? "" : `: ${harmless(revoked.why)}`;
    return selfSigned(`its key was revoked on ${dayOf(revoked.revokedAtMs)}${why}`, true);
  }
  const key = keyOf(store, publicKey);
  if (key === undefined) return selfSigned("its key is not among the trusted ones");
  const { validFromMs = Number.NEGATIVE_INFINITY, validUntilMs = Number.POSITIVE_INFINITY } = key;
  const name = harmless(key.name);
  for (const [atMs, what] of [
    [nowMs, "now"],
    [signedAtMs, "when it signed"],
  ] as const) {
    if (atMs < validFromMs) return selfSigned(`the key of ${name} was not valid yet ${what}`);
    if (atMs > validUntilMs) return selfSigned(`the key of ${name} had expired ${what}`);
  }
  return {
    level: "verified",
    text: `verified by ${name}`,
    reason: `its key is the trusted one of ${name}`,
    publisher: key.name,
    publicKey,
    isRevoked: false,
  };
}

/** The lowest level that runs. There is no rule that lets run what was modified. */
export type TrustRule = Exclude<TrustLevel, "modified">;

/** Whether the rule lets it run: never what was modified, and never what a revoked key has signed. */
export function mayRun(trust: Trust, rule: TrustRule): boolean {
  if (trust.level === "modified" || trust.isRevoked) return false;
  return trustLevels.indexOf(trust.level) <= trustLevels.indexOf(rule);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
