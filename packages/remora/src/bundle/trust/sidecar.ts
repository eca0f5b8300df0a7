/**
 * Conductor's signature of a `.wasm`, in a file beside it: `PLUGIN.wasm.sig`, JSON. It covers the 32 bytes of the
 * SHA-256 of the file; name, address and time in it are covered by nothing, and are shown as what they are, the words of
 * whoever wrote them. Read as Conductor reads it, written as it writes it (conductor-core, `plugin/signing.rs`).
 */

import { createHash } from "node:crypto";
import { bundleErrors } from "../errors.ts";
import { isSignedBy, type KeyPair, signBytes } from "./keys.ts";
import { checkSigner, type Signer } from "./signer.ts";
import type { SignatureState } from "./trust.ts";

/** The fields as they stand in the file, in this order. */
export interface Sidecar {
  readonly version: 1;
  readonly algorithm: "Ed25519";
  /** SHA-256 of the plugin, 64 hexadecimal digits. */
  readonly plugin_hash: string;
  readonly plugin_size: number;
  readonly public_key: string;
  /** 128 hexadecimal digits. */
  readonly signature: string;
  /** RFC 3339. */
  readonly signed_at: string;
  readonly developer: Signer;
}

/** A sidecar has half a kilobyte. */
export const sidecarBytesMax = 64 * 1024;

/** Where the sidecar of a file is: the last ending of its name is replaced, as Conductor does. */
export function sidecarPath(path: string): string {
  const slash = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  const dot = path.lastIndexOf(".");
  return `${dot > slash + 1 ? path.slice(0, dot) : path}.wasm.sig`;
}

/**
 * Signs a plugin for Conductor.
 *
 * @returns The text of its sidecar.
 * @throws bundle/bad-signer
 */
export function signSidecar(
  plugin: Uint8Array,
  by: Signer & { readonly key: KeyPair; readonly signedAtMs: number },
): string {
  const hash = createHash("sha256").update(plugin).digest();
  const sidecar: Sidecar = {
    version: 1,
    algorithm: "Ed25519",
    plugin_hash: hash.toString("hex"),
    plugin_size: plugin.length,
    public_key: by.key.publicKey,
    signature: Buffer.from(signBytes(hash, by.key)).toString("hex"),
    signed_at: new Date(by.signedAtMs).toISOString(),
    developer: checkSigner(by),
  };
  return JSON.stringify(sidecar, undefined, 2);
}

/**
 * Reads a sidecar.
 *
 * @throws bundle/sidecar it is not one of version 1 with all of its fields
 */
export function parseSidecar(bytes: Uint8Array, file: string): Sidecar {
  const refuse = (what: string, cause?: unknown) => bundleErrors.sidecar({ file, what }, cause);
  if (bytes.length > sidecarBytesMax) throw refuse(`it has more than ${sidecarBytesMax} bytes`);
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw refuse("it is not JSON", error);
  }
  if (!isObject(data)) throw refuse("it is no object");
  for (const [field, { is, expected }] of Object.entries(fields)) {
    if (!Object.hasOwn(data, field)) throw refuse(`"${field}" is missing`);
    if (!is(data[field])) throw refuse(`"${field}" must be ${expected}`);
  }
  const { developer, ...rest } = data;
  if (!isObject(developer) || typeof developer.name !== "string" || typeof developer.email !== "string") {
    throw refuse('"developer" must have a name and an email');
  }
  const { name, email } = developer;
  return { ...rest, developer: { name, email } } as unknown as Sidecar; // each field was checked above
}

const isHex = (digits: number) => ({
  is: (value: unknown) =>
    typeof value === "string" && value.length === digits && /^[0-9a-fA-F]+$/.test(value),
  expected: `${digits} hexadecimal digits`,
});

const fields: Readonly<Record<string, { is: (value: unknown) => boolean; expected: string }>> = {
  version: { is: (value) => value === 1, expected: "1" },
  algorithm: { is: (value) => value === "Ed25519", expected: '"Ed25519"' },
  plugin_hash: isHex(64),
  plugin_size: {
    is: (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0,
    expected: "a number of bytes",
  },
  public_key: isHex(64),
  signature: isHex(128),
  signed_at: {
    is: (value) => typeof value === "string" && !Number.isNaN(Date.parse(value)),
    expected: 'a time as "2026-11-21T12:00:00Z"',
  },
  developer: { is: isObject, expected: "an object" },
};

/** Whether a plugin is as the signer of its sidecar left it; without a sidecar it is unsigned. */
export function sidecarState(plugin: Uint8Array, sidecar: Sidecar | undefined): SignatureState {
  if (sidecar === undefined) return { kind: "unsigned" };
  const hash = createHash("sha256").update(plugin).digest();
  if (plugin.length !== sidecar.plugin_size) {
    const reason = `it has ${plugin.length} bytes, and ${sidecar.plugin_size} were signed`;
    return { kind: "modified", reason };
  }
  if (hash.toString("hex") !== sidecar.plugin_hash.toLowerCase()) {
    return { kind: "modified", reason: `its SHA-256 is ${hash.toString("hex")}, not ${sidecar.plugin_hash}` };
  }
  const publicKey = Buffer.from(sidecar.public_key, "hex");
  if (!isSignedBy(hash, publicKey, Buffer.from(sidecar.signature, "hex"))) {
    return { kind: "modified", reason: "the signature is not one of this file" };
  }
  return {
    kind: "signed",
    publicKey: publicKey.toString("hex"),
    signedAtMs: Date.parse(sidecar.signed_at),
    signer: sidecar.developer,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
