/**
 * Reads what clients send: each field checked, and what is not right named. A field has the schema that the API's description
 * shows beside the function that checks it, so that both say the same.
 */

import { takErrors } from "../errors.ts";
import type { JsonSchema } from "./json-schema.ts";

export type Fields = Readonly<Record<string, unknown>>;

export function refused(problem: string): Error {
  return takErrors["api-request"]({ problem });
}

/** @throws tak/api-request */
export function fieldsOf(body: unknown): Fields {
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Fields; // as just checked
  throw refused("an object is missing");
}

/** What a client may say, by its name. */
export interface Field<Value> {
  readonly schema: JsonSchema;
  readonly isOptional?: boolean;
  /** @throws tak/api-request it is none, or missing */
  read(value: unknown, name: string): Value;
}

export type Shape = Readonly<Record<string, Field<unknown>>>;
export type Read<Of extends Shape> = { readonly [Name in keyof Of]: ReturnType<Of[Name]["read"]> };

/** All fields of a shape; what has no place in it is left alone. @throws tak/api-request */
export function readAs<Of extends Shape>(shape: Of, body: unknown): Read<Of> {
  const fields = fieldsOf(body);
  const entries = Object.entries(shape).map(([name, field]) => [name, field.read(fields[name], name)]);
  return Object.fromEntries(entries) as Read<Of>; // each by its own field
}

/** @throws tak/api-request something has no place in a shape */
export function refuseUnknown(shape: Shape, body: unknown, what: string): void {
  const known = Object.keys(shape);
  for (const name of Object.keys(fieldsOf(body))) {
    if (known.includes(name)) continue;
    throw refused(`"${name.slice(0, 100)}" is no field of ${what}: allowed are ${known.join(", ")}`);
  }
}

/** @param more.isClosed For what is read with `refuseUnknown`. */
export function schemaOf(
  shape: Shape,
  { isClosed = false }: { readonly isClosed?: boolean } = {},
): JsonSchema {
  const properties = Object.fromEntries(Object.entries(shape).map(([name, { schema }]) => [name, schema]));
  const required = Object.keys(shape).filter((name) => shape[name]?.isOptional !== true);
  return { type: "object", properties, required, ...(isClosed && { additionalProperties: false }) };
}

/** It need not be said, and `null` says nothing as well. */
export function optional<Value>({ schema, read }: Field<Value>): Field<Value | undefined> {
  return {
    schema: { anyOf: [schema, { type: "null" }] },
    isOptional: true,
    read: (value, name) => (value === undefined || value === null ? undefined : read(value, name)),
  };
}

/** The same of a query, where there is no `null`. */
export function ifThere<Value>({ schema, read }: Field<Value>): Field<Value | undefined> {
  return {
    schema,
    isOptional: true,
    read: (value, name) => (value === undefined ? undefined : read(value, name)),
  };
}

/** With what a reader of the description has to know beyond its form. */
export function described<Of extends Field<unknown>>(field: Of, description: string): Of {
  return { ...field, schema: { ...field.schema, description } };
}

/** A text of so many characters. */
export function text({ min = 1, max }: { readonly min?: number; readonly max: number }): Field<string> {
  return {
    schema: { type: "string", minLength: min, maxLength: max },
    read(value, name) {
      if (typeof value === "string" && value.length >= min && value.length <= max) return value;
      throw refused(`"${name}" must have ${min} to ${max} characters`);
    },
  };
}

/** The path of a file, relative to some folder. */
export const fileName: Field<string> = {
  schema: { type: "string", minLength: 1, maxLength: 500 },
  read(value, name) {
    const path = text({ max: 500 }).read(value, name);
    if (path.includes("\0")) throw refused(`"${name}" must name a file`);
    return path;
  },
};

export function oneOf<Value extends string>(...values: readonly Value[]): Field<Value> {
  return {
    schema: { type: "string", enum: values },
    read(value, name) {
      const found = values.find((one) => one === value);
      if (found !== undefined) return found;
      throw refused(`"${name}" must be one of ${values.join(", ")}`);
    },
  };
}

export const flag: Field<boolean> = {
  schema: { type: "boolean" },
  read(value, name) {
    if (typeof value === "boolean") return value;
    throw refused(`"${name}" must be true or false`);
  },
};

export const object: Field<Fields> = {
  schema: { type: "object" },
  read(value, name) {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields; // as just checked
    throw refused(`"${name}" must be an object`);
  },
};

export function texts({
  entriesMax,
  max,
}: {
  readonly entriesMax: number;
  readonly max: number;
}): Field<readonly string[]> {
  return {
    schema: { type: "array", maxItems: entriesMax, items: { type: "string", maxLength: max } },
    read(value, name) {
      const isList =
        Array.isArray(value) &&
        value.length <= entriesMax &&
        value.every((one) => typeof one === "string" && one.length <= max);
      if (isList) return value;
      throw refused(`"${name}" must be a list of at most ${entriesMax} texts of at most ${max} characters`);
    },
  };
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

export function whole({ min, max }: Bounds): Field<number> {
  return {
    schema: { type: "integer", minimum: min, maximum: max },
    read(value, name) {
      if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max)
        return value as number; // as just checked
      throw refused(`"${name}" must be ${min} to ${max}`);
    },
  };
}

/** In a query, where all is text. */
export function wholeText(bounds: Bounds): Field<number> {
  const { schema, read } = whole(bounds);
  return {
    schema,
    read: (value, name) => read(/^\d{1,9}$/.test(String(value)) ? Number(value) : value, name),
  };
}
