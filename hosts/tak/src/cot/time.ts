/**
 * Times of events: ISO 8601 in XML, milliseconds since 1970 in TAK protocol v1. CoT times are UTC: one that names
 * no zone is read so. Digits behind the millisecond are dropped, since the protocol cannot carry them.
 */

/** 9999-12-31T23:59:59.999Z, the last that ISO 8601 writes with a year of four digits. */
export const TIME_MS_MAX = 253_402_300_799_999;

const DASH = 0x2d;
const COLON = 0x3a;

/** Milliseconds since 1970; NaN where the bytes are no date and time between the years 0000 and 9999. */
export function parseIsoTime(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 19) return Number.NaN;
  const year = twoDigits(bytes, start) * 100 + twoDigits(bytes, start + 2);
  const month = twoDigits(bytes, start + 5);
  const day = twoDigits(bytes, start + 8);
  const hour = twoDigits(bytes, start + 11);
  const minute = twoDigits(bytes, start + 14);
  const second = twoDigits(bytes, start + 17);
  const arePunctuated =
    bytes[start + 4] === DASH &&
    bytes[start + 7] === DASH &&
    bytes[start + 10] === 0x54 /* T */ &&
    bytes[start + 13] === COLON &&
    bytes[start + 16] === COLON;
  if (!arePunctuated || !(year >= 0) || !(month >= 1 && month <= 12)) return Number.NaN;
  if (!(day >= 1 && day <= daysInMonth(year, month))) return Number.NaN;
  if (!(hour <= 23) || !(minute <= 59) || !(second <= 59)) return Number.NaN;

  let at = start + 19;
  let milliseconds = 0;
  if (at < end && bytes[at] === 0x2e /* . */) {
    let weight = 100;
    const fractionStart = ++at;
    for (; at < end; at++) {
      const digit = (bytes[at] ?? 0) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      milliseconds += digit * weight;
      weight = weight === 1 ? 0 : weight / 10;
    }
    if (at === fractionStart) return Number.NaN;
  }
  const offsetMinutes = parseZone(bytes, at, end);
  const days = daysSince1970(year, month, day);
  return (((days * 24 + hour) * 60 + minute - offsetMinutes) * 60 + second) * 1000 + milliseconds;
}

/** The time in ISO 8601, UTC, with milliseconds. */
export function formatIsoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function parseZone(bytes: Uint8Array, at: number, end: number): number {
  if (at === end) return 0;
  const sign = bytes[at];
  if (sign === 0x5a /* Z */) return at + 1 === end ? 0 : Number.NaN;
  if ((sign !== 0x2b && sign !== DASH) || end - at !== 6 || bytes[at + 3] !== COLON) return Number.NaN;
  const hours = twoDigits(bytes, at + 1);
  const minutes = twoDigits(bytes, at + 4);
  if (!(hours <= 14) || !(minutes <= 59)) return Number.NaN;
  return (sign === DASH ? -1 : 1) * (hours * 60 + minutes);
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - 0x30;
  const ones = (bytes[at + 1] ?? 0) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

const DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysInMonth(year: number, month: number): number {
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeapYear ? 29 : (DAYS[month] ?? 0);
}

/** Proleptic Gregorian, counted in years that begin in March, so that the leap day is the last of its year. */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
