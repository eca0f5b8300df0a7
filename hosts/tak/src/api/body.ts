/** Reads what clients send: each field checked, and what is not right named. */

import { takErrors } from "../errors.ts";

export type Fields = Readonly<Record<string, unknown>>;

export function refused(problem: string): Error {
  return takErrors["api-request"]({ problem });
}

/** @throws tak/api-request */
export function fieldsOf(body: unknown): Fields {
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Fields; // as just checked
  throw refused("an object is missing");
}

/** An object; undefined where it is not said, which `null` is as well. @throws tak/api-request */
export function objectOf(fields: Fields, name: string): Fields | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "object" && !Array.isArray(value)) return value as Fields; // as just checked
  throw refused(`"${name}" must be an object`);
}

/** A text of so many characters. @throws tak/api-request */
export function textOf(
  fields: Fields,
  name: string,
  { min = 1, max }: { min?: number; max: number },
): string {
  const value = fields[name];
  if (typeof value === "string" && value.length >= min && value.length <= max) return value;
  throw refused(`"${name}" must have ${min} to ${max} characters`);
}

/** @param otherwise Where it is not said, which `null` is as well. @throws tak/api-request */
export function flagOf<Otherwise extends boolean | undefined>(
  fields: Fields,
  name: string,
  otherwise: Otherwise,
): boolean | Otherwise {
  const value = fields[name];
  if (value === undefined || value === null) return otherwise;
  if (typeof value === "boolean") return value;
  throw refused(`"${name}" must be true or false`);
}

/** A list of texts; undefined when there is none. @throws tak/api-request */
export function textsOf(
  fields: Fields,
  name: string,
  { entriesMax, max }: { readonly entriesMax: number; readonly max: number },
): readonly string[] | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  const isList =
    Array.isArray(value) &&
    value.length <= entriesMax &&
    value.every((one) => typeof one === "string" && one.length <= max);
  if (isList) return value;
  throw refused(`"${name}" must be a list of at most ${entriesMax} texts of at most ${max} characters`);
}

/** A whole number in a query. @throws tak/api-request */
export function wholeOf(text: string, name: string, { min = 1, max }: { min?: number; max: number }): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw refused(`"${name}" must be ${min} to ${max}`);
}
