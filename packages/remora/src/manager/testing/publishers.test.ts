/** Publishers, and whom of them the operator trusts. */

import { emptyTrustStore, generateKeyPair, type KeyPair, signBundle, trustKey } from "../../bundle/index.ts";
import type { Grant } from "../../policy/index.ts";
import { bundleOf, guests } from "./rig.test.ts";

export const ada = generateKeyPair();
export const adaToo = generateKeyPair();
export const eve = generateKeyPair();
/** Trusted, and the operator's store does not say whose they are: Conductor writes such. */
export const nameless = [generateKeyPair(), generateKeyPair()] as const;

export const trusting = (name: string, keys: readonly KeyPair[], store = emptyTrustStore) =>
  keys.reduce(
    (all, { publicKey }) => trustKey(all, { name, email: "", publicKey, addedAt: "2026-01-01T00:00:00Z" }),
    store,
  );
export const keys = trusting("", nameless, trusting("Ada", [ada, adaToo]));

export const reads =
  '[[capabilities]]\ncapability = "data.read"\npaths = ["air.*"]\nwhy = "To know the weather"\n';
export const given: Grant = { capability: "data.read", paths: ["air.*"] };

/** A version that adds so much, or does something else, by this key or nobody's. */
export async function version(
  adds: number,
  key?: KeyPair,
  { tables = reads, fields = guests.adds(adds) }: { readonly tables?: string; readonly fields?: string } = {},
) {
  const bytes = await bundleOf(fields, { version: `1.${adds}.0`, tables });
  const by = { name: "Ada", email: "", signedAtMs: Date.UTC(2026, 0, 1) };
  return { bytes: key === undefined ? bytes : signBundle(bytes, { key, ...by }), origin: "a test" };
}
