/**
 * The bundle file. A container of our own: in ZIP each name and size stands twice and readers disagree on which
 * counts, tar has no index and neither has digests, so that a signature over either needs a second format inside.
 * Here everything stands once, at one place, in one order, and what is left over is refused:
 *
 * ```text
 *   8  "remora" 00 01             (01: version of the format)
 *   4  length of the contents     all numbers are unsigned and little-endian
 *   4  length of the signature    0: unsigned
 *      contents                   4 count, then for each file in the order of names:
 *                                 4 size, 32 SHA-256, 2 length of name, name
 *      packing                    for each file: 1 method (0 stored, 1 deflated), 4 size, 32 SHA-256 of these bytes
 *      signature                  32 public key, 64 Ed25519 signature, 8 milliseconds since 1970,
 *                                 2 length of name, name, 2 length of address, address
 *      the files                  packed, in the same order, up to the end
 * ```
 *
 * A bundle's digest is the SHA-256 of its contents, which are about the unpacked files: the same files give the same
 * digest whatever has compressed them, signed or not. The packing is checked by its own digests and not signed, since
 * what is unpacked has to match the contents anyway. Nothing is unpacked before all of the head was checked.
 */

import { hash } from "node:crypto";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { ByteCursor } from "./byte-cursor.ts";
import { compareNames, nameKey, nameProblem } from "./entry-name.ts";
import { beginning, bundleErrors } from "./errors.ts";
import { type BundleLimits, nameLengthMax, signerBytesMax } from "./limits.ts";

/** A file in a bundle. */
export interface BundleEntry {
  readonly name: string;
  /** Unpacked. */
  readonly sizeBytes: number;
  /** Of the unpacked file, in hexadecimal. */
  readonly sha256: string;
  /** Of its packed bytes in the bundle, and how many there are. */
  readonly offset: number;
  readonly packedBytes: number;
}

/** What a bundle carries for its signature; whether it holds is another question. */
export interface BundleSignature {
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
  /** Milliseconds since 1970, as the signer says. */
  readonly signedAtMs: number;
  /** As the signer says. */
  readonly name: string;
  readonly email: string;
  readonly offset: number;
}

interface PackedEntry extends BundleEntry {
  readonly isDeflated: boolean;
  readonly packedSha256: string;
}

export interface Container {
  /** SHA-256 of the contents, in hexadecimal. */
  readonly digest: string;
  readonly entries: readonly BundleEntry[];
  readonly signature: BundleSignature | undefined;
  /**
   * One file, unpacked and checked.
   *
   * @throws bundle/wrong-digest what is there is not what the contents say
   */
  unpack(entry: BundleEntry): Uint8Array;
}

export const MAGIC = Uint8Array.of(0x72, 0x65, 0x6d, 0x6f, 0x72, 0x61, 0x00, 0x01);
const HEADER_BYTES = MAGIC.length + 8;
const STORED = 0;
const DEFLATED = 1;
const CONTENTS_ROW_BYTES = 4 + 32 + 2;
const PACKING_ROW_BYTES = 1 + 4 + 32;
const SIGNATURE_BYTES_MAX = 32 + 64 + 8 + 2 * (2 + signerBytesMax);

/** Whether the bytes begin as a bundle of this version does. */
export function isBundle(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, at) => bytes[at] === byte);
}

/** Reads and checks the head; of the files only where they lie. */
export function readContainer(file: Uint8Array, limits: BundleLimits): Container {
  const bytes = plain(file);
  if (!isBundle(bytes)) throw bundleErrors["not-a-bundle"]({ found: beginning(bytes, 8), offset: 0 });
  if (bytes.length > limits.bytesMax) {
    throw bundleErrors.limit({ what: "bytes", found: bytes.length, max: limits.bytesMax, offset: 0 });
  }
  const cursor = new ByteCursor(bytes, MAGIC.length);
  const contentsMax = 4 + limits.entriesMax * (CONTENTS_ROW_BYTES + nameLengthMax);
  const contentsBytes = cursor.size("bytes of contents", contentsMax);
  const signatureBytes = cursor.size("bytes of signature", SIGNATURE_BYTES_MAX);
  const contentsEnd = cursor.at + contentsBytes;
  const digest = sha256(cursor.peek("the contents", contentsBytes));
  const contents = readContents(cursor, limits);
  if (cursor.at !== contentsEnd) throw leftOver("the contents", cursor.at, contentsEnd);
  const packing = contents.map((entry) => readPacking(cursor, entry));
  const signatureEnd = cursor.at + signatureBytes;
  const signature = signatureBytes === 0 ? undefined : readSignature(cursor, signatureEnd);
  if (cursor.at !== signatureEnd) throw leftOver("the signature", cursor.at, signatureEnd);
  let offset = cursor.at;
  const entries = contents.map((entry, at): PackedEntry => {
    const packed = packing[at] as (typeof packing)[number]; // made one by one from the contents above
    const whole = { ...entry, ...packed, offset };
    offset += packed.packedBytes;
    if (offset > bytes.length) {
      throw bundleErrors["unexpected-end"]({ what: `the file "${entry.name}"`, offset: bytes.length });
    }
    return whole;
  });
  if (offset !== bytes.length) throw leftOver("the files", offset, bytes.length);
  const known = new Map<BundleEntry, PackedEntry>(entries.map((entry) => [entry, entry]));
  return {
    digest,
    entries,
    signature,
    unpack: (entry) => {
      const packed = known.get(entry);
      if (packed === undefined) throw new TypeError("The entry is one of another bundle");
      return unpack(bytes.subarray(packed.offset, packed.offset + packed.packedBytes), packed);
    },
  };
}

type ContentsRow = Pick<BundleEntry, "name" | "sizeBytes" | "sha256">;

function readContents(cursor: ByteCursor, limits: BundleLimits): ContentsRow[] {
  const count = cursor.size("files", limits.entriesMax);
  const rows: ContentsRow[] = [];
  const taken = new Map<string, string>();
  let bytesLeft = limits.bytesMax;
  for (let row = 0; row < count; row++) {
    const offset = cursor.at;
    const sizeBytes = cursor.size("bytes in all files", bytesLeft);
    bytesLeft -= sizeBytes;
    const digest = hex(cursor.take("a digest", 32));
    const name = cursor.text("a name", nameLengthMax);
    const why = nameProblem(name);
    if (why !== undefined) throw bundleErrors["bad-name"]({ name, why, offset });
    const first = taken.get(nameKey(name));
    if (first !== undefined) throw bundleErrors["duplicate-name"]({ name, first, offset });
    taken.set(nameKey(name), name);
    const before = rows.at(-1)?.name;
    if (before !== undefined && compareNames(before, name) >= 0) {
      const found = `"${name}" behind "${before}"`;
      throw bundleErrors.malformed({
        what: "the contents",
        found,
        allowed: "files in the order of names",
        offset,
      });
    }
    rows.push({ name, sizeBytes, sha256: digest });
  }
  return rows;
}

function readPacking(
  cursor: ByteCursor,
  row: ContentsRow,
): Pick<PackedEntry, "isDeflated" | "packedBytes" | "packedSha256"> {
  const offset = cursor.at;
  const method = cursor.byte("a method of packing");
  const packedBytes = cursor.size("packed bytes", row.sizeBytes);
  const packedSha256 = hex(cursor.take("a digest", 32));
  const isStored = method === STORED && packedBytes === row.sizeBytes && packedSha256 === row.sha256;
  const isDeflated = method === DEFLATED && packedBytes < row.sizeBytes;
  if (!isStored && !isDeflated) {
    const found = `method ${method} with ${packedBytes} bytes for ${row.sizeBytes}`;
    const allowed = "0 with the same size and digest, or 1 with fewer bytes";
    throw bundleErrors.malformed({ what: `the packing of "${row.name}"`, found, allowed, offset });
  }
  return { isDeflated, packedBytes, packedSha256 };
}

function readSignature(cursor: ByteCursor, end: number): BundleSignature {
  const offset = cursor.at;
  const publicKey = cursor.take("a public key", 32);
  const signature = cursor.take("a signature", 64);
  const timeOffset = cursor.at;
  const signedAtMs = cursor.long("the time of a signature");
  if (signedAtMs > TIME_MS_MAX) {
    const what = "the time of a signature";
    throw bundleErrors.malformed({ what, found: `${signedAtMs}`, allowed: "a date", offset: timeOffset });
  }
  const name = cursor.text("a signer's name", signerBytesMax);
  const email = cursor.text("a signer's address", signerBytesMax);
  if (cursor.at > end) throw leftOver("the signature", end, cursor.at);
  return { publicKey, signature, signedAtMs, name, email, offset };
}

/** ECMA-262 "Time Values": the last millisecond that a date can be. */
const TIME_MS_MAX = 8.64e15;

/** The publisher chose the packed bytes: they unpack to exactly their declared size, or to nothing. */
function unpack(packed: Uint8Array, entry: PackedEntry): Uint8Array {
  const found = sha256(packed);
  const wrong = (digest: string, expected: string) =>
    bundleErrors["wrong-digest"]({ name: entry.name, found: digest, expected, offset: entry.offset });
  if (found !== entry.packedSha256) throw wrong(found, entry.packedSha256);
  if (!entry.isDeflated) return packed;
  const unpacked = inflate(packed, entry);
  const digest = sha256(unpacked);
  if (digest !== entry.sha256) throw wrong(digest, entry.sha256);
  return unpacked;
}

function inflate(packed: Uint8Array, entry: PackedEntry): Uint8Array {
  const { name, sizeBytes, offset } = entry;
  const malformed = (found: string, cause?: unknown) =>
    bundleErrors.malformed(
      { what: `"${name}"`, found, allowed: `${sizeBytes} deflated bytes`, offset },
      cause,
    );
  let inflated: InflatedBytes;
  try {
    // Stops at the declared size: a bomb never grows beyond what the contents were allowed to say.
    inflated = inflateRawSync(packed, {
      maxOutputLength: sizeBytes,
      // In one piece, where zlib would copy it together from a hundred; a byte more, or it asks for another one at the end.
      chunkSize: Math.max(sizeBytes + 1, constants.Z_MIN_CHUNK),
      info: true,
    }) as unknown as InflatedBytes; // the types of Node leave `info` out
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "an unknown failure";
    throw malformed(code === "ERR_BUFFER_TOO_LARGE" ? "more" : code, error);
  }
  const { buffer, engine } = inflated;
  if (buffer.length !== sizeBytes) throw malformed(`${buffer.length} bytes`);
  if (engine.bytesWritten !== packed.length) throw malformed("something behind the end");
  return plain(buffer);
}

/** node:zlib, "Class: Options", `info`. */
interface InflatedBytes {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

function leftOver(what: string, found: number, end: number): Error {
  const difference = end - found;
  const text = difference > 0 ? `${difference} bytes more` : `${-difference} bytes too few`;
  return bundleErrors.malformed({
    what,
    found: text,
    allowed: "as many as are used",
    offset: Math.min(found, end),
  });
}

/**
 * Writes a container.
 *
 * @param files Unpacked, by names that `nameProblem` accepts; in any order.
 */
export function writeContainer(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const entries = [...files]
    .sort(([a], [b]) => compareNames(a, b))
    .map(([name, bytes]) => ({ name, bytes, packed: pack(bytes) }));
  const contents = Buffer.concat([
    u32(entries.length),
    ...entries.flatMap(({ name, bytes }) => [u32(bytes.length), sha256Bytes(bytes), sizedText(name)]),
  ]);
  const packing = entries.flatMap(({ packed }) => [
    Uint8Array.of(packed.method),
    u32(packed.bytes.length),
    sha256Bytes(packed.bytes),
  ]);
  const blocks = entries.map(({ packed }) => packed.bytes);
  return plain(Buffer.concat([MAGIC, u32(contents.length), u32(0), contents, ...packing, ...blocks]));
}

/** The same bundle with this signature in place of its own, if any. */
export function withSignature(
  bytes: Uint8Array,
  signature: Omit<BundleSignature, "offset"> | undefined,
): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const contentsBytes = view.getUint32(MAGIC.length, true);
  const oldBytes = view.getUint32(MAGIC.length + 4, true);
  const count = view.getUint32(HEADER_BYTES, true);
  const headEnd = HEADER_BYTES + contentsBytes + count * PACKING_ROW_BYTES;
  const block = signature === undefined ? new Uint8Array(0) : signatureBlock(signature);
  return plain(
    Buffer.concat([
      bytes.subarray(0, MAGIC.length + 4),
      u32(block.length),
      bytes.subarray(HEADER_BYTES, headEnd),
      block,
      bytes.subarray(headEnd + oldBytes),
    ]),
  );
}

function signatureBlock({ publicKey, signature, signedAtMs, name, email }: Omit<BundleSignature, "offset">) {
  const time = new DataView(new ArrayBuffer(8));
  time.setBigUint64(0, BigInt(signedAtMs), true);
  return Buffer.concat([
    publicKey,
    signature,
    new Uint8Array(time.buffer),
    sizedText(name),
    sizedText(email),
  ]);
}

/** Deflated where that saves something: an icon is compressed already, and of a small file disks keep a whole block. */
function pack(bytes: Uint8Array): { readonly method: number; readonly bytes: Uint8Array } {
  const deflated = deflateRawSync(bytes, { level: 9 });
  const savedBytes = bytes.length - deflated.length;
  const isWorthIt = savedBytes >= BLOCK_BYTES && savedBytes > bytes.length * SAVED_SHARE_MIN;
  return isWorthIt ? { method: DEFLATED, bytes: deflated } : { method: STORED, bytes };
}

/** Of the usual file systems. */
const BLOCK_BYTES = 4_096;
const SAVED_SHARE_MIN = 0.05;

function sizedText(text: string): Uint8Array {
  const bytes = Buffer.from(text, "utf8");
  const length = Buffer.alloc(2);
  length.writeUInt16LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function sha256Bytes(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

/** The same bytes without what Buffer does otherwise: a `slice` of one is no copy. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function sha256(bytes: Uint8Array): string {
  return hex(sha256Bytes(bytes));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
