/**
 * Signing a bundle, and whether its signature holds. What is signed is the bundle's digest together with what the
 * signer says of themselves and of the time, so that none of it can be moved to another bundle or changed.
 */

import { isRemoraError } from "../../base/index.ts";
import { type Bundle, type BundleOptions, openBundle } from "../bundle.ts";
import { hex, withSignature } from "../container.ts";
import { isSignedBy, type KeyPair, signBytes } from "./keys.ts";
import { checkSigner, type Signer } from "./signer.ts";
import type { SignatureState } from "./trust.ts";

/**
 * Signs a bundle, in place of a signature that it may have.
 *
 * @param bytes      The bundle's file. It is read as a whole first: nobody signs what is broken.
 * @param signedAtMs Milliseconds since 1970.
 * @returns          The file with the signature; its digest stays.
 * @throws bundle/… as `openBundle` and `checkContents` do; bundle/bad-signer
 */
export function signBundle(
  bytes: Uint8Array,
  by: Signer & { readonly key: KeyPair; readonly signedAtMs: number },
  options: BundleOptions = {},
): Uint8Array {
  const bundle = openBundle(bytes, options);
  bundle.checkContents();
  const signer = checkSigner(by);
  const signedAtMs = Math.trunc(by.signedAtMs);
  const signature = signBytes(signedMessage(bundle.digest, { ...signer, signedAtMs }), by.key);
  const publicKey = Uint8Array.from(Buffer.from(by.key.publicKey, "hex"));
  return withSignature(bytes, { publicKey, signature, signedAtMs, ...signer });
}

/** Whether a bundle is as its signer left it. Reads all of its files. */
export function signatureOf(bundle: Bundle): SignatureState {
  const modified = modifiedFile(bundle);
  if (modified !== undefined) return { kind: "modified", reason: modified };
  const { signature } = bundle;
  if (signature === undefined) return { kind: "unsigned" };
  const message = signedMessage(bundle.digest, signature);
  if (!isSignedBy(message, signature.publicKey, signature.signature)) {
    return { kind: "modified", reason: "the signature is not one of this bundle" };
  }
  const { publicKey, signedAtMs, name, email } = signature;
  return { kind: "signed", publicKey: hex(publicKey), signedAtMs, signer: { name, email } };
}

function modifiedFile(bundle: Bundle): string | undefined {
  for (const { name } of bundle.entries) {
    try {
      bundle.read(name);
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      // The head was in order, so whatever a file fails with is that its bytes are others.
      return error.message;
    }
  }
  return undefined;
}

/** JSON of texts and a number has one form, and no two lists of them share it. */
function signedMessage(
  digest: string,
  { name, email, signedAtMs }: Signer & { readonly signedAtMs: number },
): Uint8Array {
  return Buffer.from(JSON.stringify(["remora bundle signature 1", digest, signedAtMs, name, email]), "utf8");
}
