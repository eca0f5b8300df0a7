/** Reading what a guest hands to `env.*`: addresses and lengths of UTF-8, each text with a bound of its own. */

import type { GuestBytes } from "remora/abi";

export const messageBytesMax = 8_192;
export const pathBytesMax = 1_024;
/** One delta, one configuration, one notification. */
export const jsonBytesMax = 256 * 1024;
/** One message to a stream or a socket. */
export const dataBytesMax = 1024 * 1024;

/** Reads at most `bytesMax`; a longer message is cut, since losing its end loses nothing. */
export function readMessage(bytes: GuestBytes, pointer: number, length: number): string {
  return bytes.utf8(pointer, Math.min(length >>> 0, messageBytesMax), "a message", messageBytesMax);
}

export function readPath(bytes: GuestBytes, pointer: number, length: number): string {
  return bytes.utf8(pointer, length, "a path", pathBytesMax);
}

export function readJson(bytes: GuestBytes, pointer: number, length: number): string {
  return bytes.utf8(pointer, length, "JSON", jsonBytesMax);
}

/** A JSON list of texts, as short as a path; undefined for anything else. */
export function textsIn(json: string): string[] | undefined {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch {
    // The interfaces have one number for whatever is wrong with it.
    return undefined;
  }
  return Array.isArray(data) && data.every((each) => typeof each === "string") ? data : undefined;
}

/**
 * Writes a text into the guest's buffer, when it fits.
 *
 * @returns its bytes; 0 when it does not fit
 */
export function writeText(
  bytes: GuestBytes,
  text: string,
  buffer: { readonly pointer: number; readonly lengthMax: number },
): number {
  const encoded = Buffer.from(text, "utf8");
  if (encoded.length > buffer.lengthMax >>> 0) return 0;
  bytes.set(buffer.pointer, encoded, "the buffer for an answer");
  return encoded.length;
}
