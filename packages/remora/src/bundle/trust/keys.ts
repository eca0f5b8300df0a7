/**
 * Ed25519 keys (RFC 8032) as they lie in files: `PATH.private` has the 32 bytes of the seed, `PATH.public` the 32 bytes
 * of the public key in hexadecimal. That is how Conductor keeps them, and one form is enough.
 */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { bundleErrors } from "../errors.ts";

export interface KeyPair {
  /** The seed, 32 bytes: whoever has it signs as its owner. */
  readonly privateKey: Uint8Array;
  /** 64 hexadecimal digits. */
  readonly publicKey: string;
}

export function generateKeyPair(): KeyPair {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
  return { privateKey: Uint8Array.from(pkcs8.subarray(PKCS8.length)), publicKey: publicKeyOf(privateKey) };
}

/**
 * The key pair of a private key file.
 *
 * @param bytes The file `PATH.private`.
 * @throws bundle/bad-key it has not 32 bytes
 */
export function readPrivateKey(bytes: Uint8Array, file: string): KeyPair {
  if (bytes.length !== 32) {
    throw bundleErrors["bad-key"]({ what: `"${file}"`, found: `${bytes.length} bytes`, allowed: "32 bytes" });
  }
  return { privateKey: bytes, publicKey: publicKeyOf(privateKeyObject(bytes)) };
}

/**
 * A public key as people give it: 64 hexadecimal digits, white space around them allowed.
 *
 * @param what Where it stands, for the message, which never shows the text itself: it may be a private key.
 * @returns The digits in lower case.
 * @throws bundle/bad-key it is none, or one under which anybody can sign
 */
export function parsePublicKey(text: string, what = "this text"): string {
  const publicKey = text.trim().toLowerCase();
  const refuse = (found: string, allowed: string) => bundleErrors["bad-key"]({ what, found, allowed });
  if (!/^[0-9a-f]{64}$/.test(publicKey)) {
    throw refuse(`${publicKey.length} characters`, "64 hexadecimal digits");
  }
  if (isWeak(publicKey)) throw refuse("a point of small order", "a key that was generated");
  return publicKey;
}

export function signBytes(message: Uint8Array, key: KeyPair): Uint8Array {
  return Uint8Array.from(sign(null, message, privateKeyObject(key.privateKey)));
}

/** Whether the owner of this public key signed the message. */
export function isSignedBy(message: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (isWeak(Buffer.from(publicKey).toString("hex"))) return false;
  try {
    const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: "der", type: "spki" });
    return verify(null, message, key, signature);
  } catch {
    // Bytes that are no point of the curve: nobody can have signed with them.
    return false;
  }
}

/** RFC 8410 §7 and §4: what stands before the 32 bytes. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

function privateKeyObject(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
}

function publicKeyOf(privateKey: KeyObject): string {
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return spki.subarray(SPKI.length).toString("hex");
}

/**
 * The points of small order, in every encoding: with one of them as public key, a signature without any private key
 * verifies for many messages (RFC 8032 §5.1.7 leaves the check to the application). y is 0, 1, -1 or one of two
 * roots; each with either sign bit, and y modulo 2^255 - 19 can be written in two ways when it is small.
 */
function isWeak(publicKey: string): boolean {
  const bytes = Buffer.from(publicKey, "hex");
  bytes[31] = (bytes[31] ?? 0) & 0x7f;
  return WEAK.has(bytes.toString("hex"));
}

const WEAK: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);
