/**
 * What may stand in an event besides tags and plain text: references, characters beyond ASCII, comments, sections and
 * instructions. Met seldom, and apart from the scan of tags, which builds on it. And what a scan finds wrong.
 */

import {
  asciiText,
  CLASS,
  CUT,
  isCutShort,
  isReference,
  isXmlCharacter,
  passCharacter,
  passName,
  SPACE,
  startsWith,
} from "./xml-characters.ts";

/** What a scan gives back instead of the offset behind the event. */
export const INCOMPLETE = -1;
export const FAILED = -2;

/** Why a scan failed; `at` is the offset in the scanned bytes. */
export type XmlFailure =
  | { readonly kind: "malformed"; readonly found: string; readonly at: number }
  | { readonly kind: "doctype" | "entity" | "nested-event"; readonly at: number }
  | { readonly kind: "limit"; readonly what: string; readonly max: number; readonly at: number };

const LT = 0x3c;
const GT = 0x3e;
const AMP = 0x26;
const DASH = 0x2d;
const BRACKET = 0x5d;

export class XmlMarkup {
  /** Why the last scan failed. */
  failure: XmlFailure | undefined;

  /** One character that is not plain text: a reference, one of several bytes, or one that is not allowed. */
  protected passText(bytes: Uint8Array, at: number, end: number): number {
    const byte = bytes[at] as number;
    if (byte === AMP) return this.#passReference(bytes, at, end);
    if (byte === BRACKET) {
      const isSectionEnd = at + 2 < end && bytes[at + 1] === BRACKET && bytes[at + 2] === GT;
      return isSectionEnd ? this.fail('"]]>" in text', at) : at + 1;
    }
    if (byte < 0x80) return this.fail("a character that XML does not allow", at);
    const next = passCharacter(bytes, at, end);
    if (next === CUT) return INCOMPLETE;
    return next < 0 ? this.fail("bytes that are no character of XML in UTF-8", at) : next;
  }

  #passReference(bytes: Uint8Array, at: number, end: number): number {
    // `&#x10FFFF;` is the longest that is of use; zeros before it are allowed, some.
    const last = Math.min(end, at + 16);
    let semicolon = at + 1;
    while (semicolon < last && bytes[semicolon] !== 0x3b) semicolon++;
    if (semicolon >= last) return semicolon >= end && end < at + 16 ? INCOMPLETE : this.#failEntity(at);
    return isReference(bytes, at + 1, semicolon) ? semicolon + 1 : this.#failEntity(at);
  }

  /** Comment, CDATA section or processing instruction. */
  protected passOther(bytes: Uint8Array, at: number, end: number): number {
    if (startsWith(bytes, at, end, "<!--")) {
      const close = this.#passUntil(bytes, at + 4, end, "-->");
      if (close < 0) return close;
      // §2.5: "--" must not stand inside a comment.
      for (let k = at + 4; k < close - 3; k++) {
        if (bytes[k] === DASH && bytes[k + 1] === DASH) return this.fail('"--" in a comment', k);
      }
      return close;
    }
    if (startsWith(bytes, at, end, "<![CDATA[")) return this.#passUntil(bytes, at + 9, end, "]]>");
    if (startsWith(bytes, at, end, "<!DOCTYPE")) {
      this.failure = { kind: "doctype", at };
      return FAILED;
    }
    if (bytes[at + 1] === 0x21) {
      const isCut = ["<!--", "<![CDATA[", "<!DOCTYPE"].some((word) => isCutShort(bytes, at, end, word));
      return isCut ? INCOMPLETE : this.fail("markup that XML does not know", at);
    }
    const nameEnd = passName(bytes, at + 2, end);
    if (nameEnd === CUT || nameEnd >= end) return INCOMPLETE;
    if (nameEnd < 0) return this.fail("a name that XML does not allow", at + 2);
    // §2.6: the target "xml" is the declaration's, so here a new document begins before this one has ended.
    if (nameEnd - at === 5 && startsWith(bytes, at + 2, nameEnd, "xml")) return this.failNested(at);
    if (nameEnd - at === 5 && /^xml$/i.test(asciiText(bytes, at + 2, nameEnd))) {
      return this.fail("a name that XML does not allow", at + 2);
    }
    const hasSpace = ((CLASS[bytes[nameEnd] as number] as number) & SPACE) !== 0;
    if (!hasSpace) {
      if (nameEnd + 1 >= end) return INCOMPLETE;
      if (bytes[nameEnd] !== 0x3f || bytes[nameEnd + 1] !== GT) {
        return this.fail("a name that XML does not allow", at + 2);
      }
    }
    return this.#passUntil(bytes, nameEnd, end, "?>");
  }

  /** Behind the first `token`. Everything before it must be characters, and no end of an event. */
  #passUntil(bytes: Uint8Array, start: number, end: number, token: string): number {
    let at = start;
    const first = token.charCodeAt(0);
    while (at < end) {
      const byte = bytes[at] as number;
      if (byte === first) {
        if (startsWith(bytes, at, end, token)) return at + token.length;
        at++;
      } else if (byte === LT) {
        const found = this.#findsEventAt(bytes, at, end);
        if (found !== 0) return found;
        at++;
      } else if (byte >= 0x80) {
        const next = passCharacter(bytes, at, end);
        if (next === CUT) return INCOMPLETE;
        if (next < 0) return this.fail("bytes that are no character of XML in UTF-8", at);
        at = next;
      } else if (isXmlCharacter(byte)) {
        at++;
      } else {
        return this.fail("a character that XML does not allow", at);
      }
    }
    return INCOMPLETE;
  }

  // Where others would break the stream apart; legal in a comment or section, but not in a stream of events.
  #findsEventAt(bytes: Uint8Array, at: number, end: number): number {
    if (startsWith(bytes, at, end, "</event")) {
      if (at + 7 >= end) return INCOMPLETE;
      const byte = bytes[at + 7] as number;
      if (byte === GT || ((CLASS[byte] as number) & SPACE) !== 0) return this.failNested(at);
    }
    return 0;
  }

  protected failLessThan(bytes: Uint8Array, at: number, end: number): number {
    if (isCutShort(bytes, at, end, "<event") || isCutShort(bytes, at, end, "<?xml")) return INCOMPLETE;
    const isNext = startsWith(bytes, at, end, "<event") || startsWith(bytes, at, end, "<?xml");
    return isNext ? this.failNested(at) : this.fail('"<" in an attribute', at);
  }

  protected fail(found: string, at: number): number {
    this.failure = { kind: "malformed", found, at };
    return FAILED;
  }

  protected failNested(at: number): number {
    this.failure = { kind: "nested-event", at };
    return FAILED;
  }

  #failEntity(at: number): number {
    this.failure = { kind: "entity", at };
    return FAILED;
  }

  protected failLimit(what: string, max: number, at: number): number {
    this.failure = { kind: "limit", what, max, at };
    return FAILED;
  }
}
