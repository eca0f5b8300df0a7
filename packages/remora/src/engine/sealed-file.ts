/**
 * The files in which work is kept between processes. A digest in front of each shows what was cut or changed, and a key what
 * was mixed up; neither stops somebody who writes such a file on purpose, for whom the folder must be closed.
 */

import { createHash, hash } from "node:crypto";

/** With a version of the layout in the last byte. */
const magic = Buffer.from("remora\0\x02", "latin1");
const digestBytes = 32;
const headBytes = magic.length + digestBytes + 4;

/** The pieces of a file: magic, digest of what follows, length of the key, the key, the content. */
export function seal(key: string, content: readonly Uint8Array[]): Uint8Array[] {
  const keyBytes = Buffer.from(key, "utf8");
  const parts = [u32(keyBytes.length), keyBytes, ...content];
  const sha256 = createHash("sha256");
  for (const part of parts) sha256.update(part);
  return [magic, sha256.digest(), ...parts];
}

/** The content that was sealed with this key; undefined for whatever else it is. */
export function unseal(sealed: Uint8Array, key: string): Buffer | undefined {
  const file = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (file.length < headBytes || !file.subarray(0, magic.length).equals(magic)) return undefined;
  const rest = file.subarray(magic.length + digestBytes);
  const digest = hash("sha256", rest, "buffer");
  if (!digest.equals(file.subarray(magic.length, magic.length + digestBytes))) return undefined;
  const contentAt = 4 + rest.readUInt32LE(0);
  if (contentAt > rest.length || rest.toString("utf8", 4, contentAt) !== key) return undefined;
  return rest.subarray(contentAt);
}

/** A number of four bytes, the lowest first. */
export function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
