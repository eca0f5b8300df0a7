/** Text in and out of XML that has been scanned: references resolved on reading, markup escaped on writing. */

import { readText } from "./text-cache.ts";
import { asciiText, passSpace, referenceValue, startsWith } from "./xml-characters.ts";

/** The value of an attribute from between its quotes. */
export function readValue(bytes: Buffer, start: number, end: number, isPlain: boolean): string {
  if (isPlain) return readText(bytes, start, end);
  // XML 1.0 §2.11 and §3.3.3: a line end is one space, and so is a tab, unless written as a reference.
  const text = readText(bytes, start, end);
  if (!/[&\t\n\r]/.test(text)) return text;
  return text
    .replace(/\r\n|[\t\n\r]/g, " ")
    .replace(/&([^;]+);/g, (_, reference: string) => referenceValue(reference) ?? "");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** Text as an attribute's value between double quotes. */
export function escapeValue(text: string): string {
  return text.replace(/[&<>"\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}

/**
 * The attributes of one scanned element, in their order; undefined where the element has anything inside but
 * white space.
 */
export function readLeaf(bytes: Buffer, nameEnd: number, end: number): Map<string, string> | undefined {
  const attributes = new Map<string, string>();
  let at = passSpace(bytes, nameEnd, end);
  while (bytes[at] !== 0x3e && bytes[at] !== 0x2f) {
    const nameStart = at;
    while (bytes[at] !== 0x3d && !isSpace(bytes[at])) at++;
    const name = readText(bytes, nameStart, at);
    at = passSpace(bytes, at, end) + 1;
    at = passSpace(bytes, at, end);
    const close = bytes.indexOf(bytes[at] ?? 0, at + 1);
    attributes.set(name, readValue(bytes, at + 1, close, false));
    at = passSpace(bytes, close + 1, end);
  }
  if (bytes[at] === 0x2f) return attributes;
  return startsWith(bytes, passSpace(bytes, at + 1, end), end, "</") ? attributes : undefined;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** A few bytes as text for an error: as they stand where all are printable ASCII, in hexadecimal otherwise. */
export function showBytes(bytes: Uint8Array, start: number, end: number): string {
  const last = Math.min(end, start + 24);
  const text = asciiText(bytes, start, last);
  if (/^[\x20-\x7e]+$/.test(text)) return text;
  return Array.from(bytes.subarray(start, last), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
