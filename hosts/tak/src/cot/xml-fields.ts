/** The attributes that make the head of an event, and the names under which their places are kept. */

import { isName } from "./xml-characters.ts";

/** Fields whose place a scan notes: the attributes of `event` and `point`, and of two elements of the detail. */
export const FIELD = {
  version: 0,
  uid: 1,
  type: 2,
  time: 3,
  start: 4,
  stale: 5,
  how: 6,
  access: 7,
  qos: 8,
  opex: 9,
  lat: 10,
  lon: 11,
  hae: 12,
  ce: 13,
  le: 14,
  callsign: 15,
  groupName: 16,
  groupRole: 17,
} as const;
export type FieldName = keyof typeof FIELD;
export const FIELD_COUNT = 18;

// What an element means for the fields, by its name and by where it stands.
export const OTHER = 0;
export const EVENT = 1;
export const POINT = 2;
export const DETAIL = 3;
export const CONTACT = 4;
export const GROUP = 5;

/**
 * The field that an attribute of such an element is; -1 where it is none.
 *
 * @param tail The last four bytes of its name in one number, or all where it is shorter.
 */
export function fieldOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  tail: number,
  element: number,
): number {
  switch (element) {
    case EVENT:
      return eventField(bytes, start, end, tail);
    case POINT:
      return pointField(end - start, tail);
    case CONTACT:
      return tail === 0x7369676e && isName(bytes, start, end, "callsign") ? FIELD.callsign : -1;
    case GROUP:
      if (end - start !== 4) return -1;
      return tail === 0x6e616d65 ? FIELD.groupName : tail === 0x726f6c65 ? FIELD.groupRole : -1;
    default:
      return -1;
  }
}

function eventField(bytes: Uint8Array, start: number, end: number, tail: number): number {
  const length = end - start;
  switch (tail) {
    case 0x756964:
      return length === 3 ? FIELD.uid : -1;
    case 0x686f77:
      return length === 3 ? FIELD.how : -1;
    case 0x716f73:
      return length === 3 ? FIELD.qos : -1;
    case 0x74797065:
      return length === 4 ? FIELD.type : -1;
    case 0x74696d65:
      return length === 4 ? FIELD.time : -1;
    case 0x6f706578:
      return length === 4 ? FIELD.opex : -1;
    case 0x74617274:
      return isName(bytes, start, end, "start") ? FIELD.start : -1;
    case 0x74616c65:
      return isName(bytes, start, end, "stale") ? FIELD.stale : -1;
    case 0x63657373:
      return isName(bytes, start, end, "access") ? FIELD.access : -1;
    case 0x73696f6e:
      return isName(bytes, start, end, "version") ? FIELD.version : -1;
    default:
      return -1;
  }
}

function pointField(length: number, tail: number): number {
  if (length > 3) return -1;
  switch (tail) {
    case 0x6c6174:
      return FIELD.lat;
    case 0x6c6f6e:
      return FIELD.lon;
    case 0x686165:
      return FIELD.hae;
    case 0x6365:
      return FIELD.ce;
    case 0x6c65:
      return FIELD.le;
    default:
      return -1;
  }
}
