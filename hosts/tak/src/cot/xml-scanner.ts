/**
 * One pass over the bytes of an event that proves it well-formed XML and notes where the fields of its head stand.
 * No other reading of an event's XML starts without this proof: whatever is forwarded, be it to a client's XML
 * stream, is balanced, in legal characters, without entities and without a second `<event` or `</event>` inside,
 * by which other TAK software would break the stream apart.
 */

import type { CotLimits } from "./limits.ts";
import {
  areSameBytes,
  CLASS,
  CUT,
  isName,
  NAME,
  NAME_START,
  passName,
  passSpace,
  SPACE,
  startsWith,
  TEXT,
  VALUE,
} from "./xml-characters.ts";
import { CONTACT, DETAIL, EVENT, FIELD_COUNT, fieldOf, GROUP, OTHER, POINT } from "./xml-fields.ts";
import { INCOMPLETE, XmlMarkup } from "./xml-markup.ts";

/** A child of the detail element: its name and itself, tags included. */
export interface ChildSpan {
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly start: number;
  end: number;
}

const LT = 0x3c;
const GT = 0x3e;
const SLASH = 0x2f;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const EQUALS = 0x3d;

// The last four bytes of a name in one number, by which names are told apart before they are compared.
const TAIL_EVENT = 0x76656e74;
const TAIL_POINT = 0x6f696e74;
const TAIL_DETAIL = 0x7461696c;
const TAIL_CONTACT = 0x74616374;
const TAIL_GROUP = 0x726f7570;

export class XmlScanner extends XmlMarkup {
  /** Start and end of each field, by `FIELD`; both 0 where there is none. Good until the next scan. */
  readonly spans: Int32Array = new Int32Array(FIELD_COUNT * 2);
  /** Bit n: the value of field n has references, line ends or characters beyond ASCII. */
  notPlain = 0;
  hasPoint = false;
  hasContact = false;
  hasGroup = false;
  /** The content of the detail element; equal where it is empty or absent. */
  detailStart = 0;
  detailEnd = 0;
  /** Where the end tag of the event starts. */
  endTagStart = 0;
  /** The children of the detail, when the scan was asked for them. */
  children: ChildSpan[] | undefined;

  readonly #limits: CotLimits;
  /** Where the names of the open elements start and end, to compare with their end tags. */
  readonly #open: Int32Array;
  /** Of each attribute in one start tag: the name's tail, start and length, to find doubles. */
  readonly #attributes: Int32Array;

  constructor(limits: CotLimits) {
    super();
    this.#limits = limits;
    this.#open = new Int32Array(2 * (limits.depthMax + 1));
    this.#attributes = new Int32Array(3 * (limits.attributesMax + 1));
  }

  /**
   * Scans one event.
   *
   * @param start Where its `<event` stands.
   * @returns The offset behind `</event>`; `INCOMPLETE` where the range ends before it; `FAILED`, with `failure`.
   */
  scanEvent(bytes: Uint8Array, start: number, end: number): number {
    this.#reset();
    return this.#scan(bytes, start, end, 0);
  }

  /** Scans what stands inside a detail element, and gives back `end`, or `FAILED` where that is no balanced content. */
  scanDetail(bytes: Uint8Array, start: number, end: number): number {
    this.#reset();
    const result = this.#scan(bytes, start, end, 2);
    return result === INCOMPLETE ? this.fail("an end inside of markup", end) : result;
  }

  /** As `scanEvent`, and notes the children of the detail. */
  scanChildrenOfEvent(bytes: Uint8Array, start: number, end: number): ChildSpan[] {
    this.#reset();
    const children: ChildSpan[] = [];
    this.children = children;
    this.#scan(bytes, start, end, 0);
    this.children = undefined;
    return children;
  }

  /** As `scanDetail`, and notes the children. */
  scanChildrenOfDetail(bytes: Uint8Array, start: number, end: number): ChildSpan[] {
    this.#reset();
    const children: ChildSpan[] = [];
    this.children = children;
    this.#scan(bytes, start, end, 2);
    this.children = undefined;
    return children;
  }

  #reset(): void {
    this.spans.fill(0);
    this.notPlain = 0;
    this.hasPoint = false;
    this.hasContact = false;
    this.hasGroup = false;
    this.detailStart = 0;
    this.detailEnd = 0;
    this.failure = undefined;
  }

  /** @param base How many elements are open around the range: none, or the detail's two. */
  #scan(bytes: Uint8Array, start: number, end: number, base: 0 | 2): number {
    const open = this.#open;
    let depth: number = base;
    let isInDetail = base === 2;
    let hasDetail = isInDetail;
    let at = start;
    for (;;) {
      if (depth > 0) {
        while (at < end && ((CLASS[bytes[at] as number] as number) & TEXT) !== 0) at++;
      }
      if (at >= end) return base === 2 && depth === 2 ? end : INCOMPLETE;
      const byte = bytes[at] as number;
      if (byte !== LT) {
        const next = this.passText(bytes, at, end);
        if (next < 0) return next;
        at = next;
        continue;
      }
      if (at + 1 >= end) return INCOMPLETE;
      const second = bytes[at + 1] as number;

      if (second === SLASH) {
        if (depth === base) return this.fail("an end tag without a start tag", at);
        depth--;
        const nameStart = open[depth * 2] as number;
        const length = (open[depth * 2 + 1] as number) - nameStart;
        let next = at + 2;
        for (let k = 0; k < length; k++, next++) {
          if (next >= end) return INCOMPLETE;
          if (bytes[next] !== bytes[nameStart + k]) return this.#failEndTag(bytes, at, end);
        }
        if (next < end && bytes[next] !== GT) {
          next = passSpace(bytes, next, end);
          if (next < end && bytes[next] !== GT) return this.#failEndTag(bytes, at, end);
        }
        if (next >= end) return INCOMPLETE;
        if (depth === 0) {
          this.endTagStart = at;
          return next + 1;
        }
        if (isInDetail) {
          if (depth === 1) {
            isInDetail = false;
            this.detailEnd = at;
          } else if (depth === 2 && this.children !== undefined) {
            const child = this.children.at(-1);
            if (child !== undefined) child.end = next + 1;
          }
        }
        at = next + 1;
        continue;
      }

      if (second === 0x21 /* ! */ || second === 0x3f /* ? */) {
        const next = this.passOther(bytes, at, end);
        if (next < 0) return next;
        at = next;
        continue;
      }

      // A start tag.
      const nameStart = at + 1;
      let next = nameStart;
      let tail = 0;
      while (next < end && ((CLASS[bytes[next] as number] as number) & NAME) !== 0) {
        tail = (tail << 8) | (bytes[next] as number);
        next++;
      }
      if (next >= end) return INCOMPLETE;
      if ((bytes[next] as number) >= 0x80 || ((CLASS[second] as number) & NAME_START) === 0) {
        next = passName(bytes, nameStart, end);
        if (next < 0)
          return next === CUT ? INCOMPLETE : this.fail("a name that XML does not allow", nameStart);
        if (next >= end) return INCOMPLETE;
        tail = 0;
      }
      const nameEnd = next;
      if (depth >= this.#limits.depthMax) {
        return this.failLimit("elements inside each other", this.#limits.depthMax, at);
      }
      let element = OTHER;
      if (tail === TAIL_EVENT && nameEnd - nameStart === 5 && second === 0x65) {
        if (depth > 0) return this.failNested(at);
        element = EVENT;
      } else if (depth === 1) {
        if (tail === TAIL_POINT && nameEnd - nameStart === 5 && second === 0x70) {
          if (this.hasPoint) return this.fail("a second point", at);
          this.hasPoint = true;
          element = POINT;
        } else if (tail === TAIL_DETAIL && isName(bytes, nameStart, nameEnd, "detail")) {
          if (hasDetail) return this.fail("a second detail", at);
          hasDetail = true;
          element = DETAIL;
        }
      } else if (depth === 2 && isInDetail) {
        if (tail === TAIL_CONTACT && !this.hasContact && isName(bytes, nameStart, nameEnd, "contact")) {
          this.hasContact = true;
          element = CONTACT;
        } else if (tail === TAIL_GROUP && !this.hasGroup && isName(bytes, nameStart, nameEnd, "__group")) {
          this.hasGroup = true;
          element = GROUP;
        }
        if (this.children !== undefined) this.children.push({ nameStart, nameEnd, start: at, end: 0 });
      } else if (depth === 0) {
        return this.fail("an element that is not an event", at);
      }

      if (bytes[next] !== GT) {
        next = this.#passAttributes(bytes, next, end, element);
        if (next < 0) return next;
      }
      // Here stands `>` or `/>`.
      if (bytes[next] === GT) {
        open[depth * 2] = nameStart;
        open[depth * 2 + 1] = nameEnd;
        depth++;
        at = next + 1;
        if (element === DETAIL) {
          isInDetail = true;
          this.detailStart = at;
        }
      } else {
        at = next + 2;
        if (depth === 0) return this.fail("an event without a point", at);
        if (depth === 2 && isInDetail && this.children !== undefined) {
          const child = this.children.at(-1);
          if (child !== undefined) child.end = at;
        }
      }
    }
  }

  /** From behind an element's name to its `>` or `/>`. */
  #passAttributes(bytes: Uint8Array, start: number, end: number, element: number): number {
    let count = 0;
    let at = start;
    for (;;) {
      const spaceStart = at;
      while (at < end && ((CLASS[bytes[at] as number] as number) & SPACE) !== 0) at++;
      if (at >= end) return INCOMPLETE;
      const first = bytes[at] as number;
      if (first === GT) return at;
      if (first === SLASH) {
        if (at + 1 >= end) return INCOMPLETE;
        return bytes[at + 1] === GT ? at : this.fail('a "/" in a start tag', at);
      }
      if (at === spaceStart) return this.fail("an attribute without a space before it", at);

      const nameStart = at;
      let tail = 0;
      while (at < end && ((CLASS[bytes[at] as number] as number) & NAME) !== 0) {
        tail = (tail << 8) | (bytes[at] as number);
        at++;
      }
      if (at >= end) return INCOMPLETE;
      if ((bytes[at] as number) >= 0x80 || ((CLASS[first] as number) & NAME_START) === 0) {
        at = passName(bytes, nameStart, end);
        if (at < 0) return at === CUT ? INCOMPLETE : this.fail("a name that XML does not allow", nameStart);
        if (at >= end) return INCOMPLETE;
        tail = 0;
      }
      const nameEnd = at;
      if (count === this.#limits.attributesMax) {
        return this.failLimit("attributes in one element", this.#limits.attributesMax, nameStart);
      }
      if (this.#isDouble(bytes, count, tail, nameStart, nameEnd)) {
        return this.fail("an attribute twice", nameStart);
      }
      count++;

      if (bytes[at] !== EQUALS) {
        at = passSpace(bytes, at, end);
        if (at >= end) return INCOMPLETE;
        if (bytes[at] !== EQUALS) return this.fail("an attribute without a value", nameStart);
      }
      if (++at >= end) return INCOMPLETE;
      let quote = bytes[at] as number;
      if (quote !== QUOTE && quote !== APOSTROPHE) {
        at = passSpace(bytes, at, end);
        if (at >= end) return INCOMPLETE;
        quote = bytes[at] as number;
        if (quote !== QUOTE && quote !== APOSTROPHE) {
          return this.fail("an attribute whose value has no quotes", nameStart);
        }
      }

      const valueStart = ++at;
      let isPlain = true;
      for (;;) {
        while (at < end && ((CLASS[bytes[at] as number] as number) & VALUE) !== 0) at++;
        if (at >= end) return INCOMPLETE;
        const byte = bytes[at] as number;
        if (byte === quote) break;
        if (byte === QUOTE || byte === APOSTROPHE) {
          at++;
        } else {
          isPlain = false;
          at = this.#passInValue(bytes, at, end);
          if (at < 0) return at;
        }
      }
      if (element !== OTHER) {
        const field = fieldOf(bytes, nameStart, nameEnd, tail, element);
        if (field >= 0) {
          this.spans[field * 2] = valueStart;
          this.spans[field * 2 + 1] = at;
          if (!isPlain) this.notPlain |= 1 << field;
        }
      }
      at++;
    }
  }

  /** Remembers an attribute's name, and compares it with those before it in the same start tag. */
  #isDouble(bytes: Uint8Array, count: number, tail: number, start: number, end: number): boolean {
    const names = this.#attributes;
    const length = end - start;
    for (let k = 0; k < count; k++) {
      if (names[k * 3] !== tail || names[k * 3 + 2] !== length) continue;
      if (areSameBytes(bytes, names[k * 3 + 1] as number, start, length)) return true;
    }
    names[count * 3] = tail;
    names[count * 3 + 1] = start;
    names[count * 3 + 2] = length;
    return false;
  }

  /** One character of a value that does not mean itself. */
  #passInValue(bytes: Uint8Array, at: number, end: number): number {
    const byte = bytes[at] as number;
    if (byte === LT) return this.failLessThan(bytes, at, end);
    // §3.3.3: a line end or tab in a value is read as a space, so such a value is not taken as it stands.
    if (((CLASS[byte] as number) & SPACE) !== 0) return at + 1;
    return this.passText(bytes, at, end);
  }

  #failEndTag(bytes: Uint8Array, at: number, end: number): number {
    if (startsWith(bytes, at, end, "</event>"))
      return this.fail("the end of the event before that of an element", at);
    return this.fail("an end tag that is not the open element's", at);
  }
}
