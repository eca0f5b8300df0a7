/**
 * Where an event is, and how well that is known. A position outside the globe is an error, since a filter that
 * compares with it would silently be false; an unknown height or error is undefined, never a number.
 */

/** How XML says that a height or an error is unknown. */
export const UNKNOWN_IN_XML = "9999999.0";
/** How TAK protocol v1 says it (cotevent.proto). Both forms are met in both places, and mean the same. */
export const UNKNOWN_IN_PROTOBUF = 999_999;

export const LAT_ALLOWED = "a number from -90 to 90";
export const LON_ALLOWED = "a number from -180 to 180";

export function isLat(value: number): boolean {
  return value >= -90 && value <= 90;
}

export function isLon(value: number): boolean {
  return value >= -180 && value <= 180;
}

/** Metres, or undefined for the values that stand for "unknown". NaN and infinity, which some clients write, do. */
export function knownMetres(value: number): number | undefined {
  return value === 9_999_999 || value === UNKNOWN_IN_PROTOBUF || !Number.isFinite(value) ? undefined : value;
}
