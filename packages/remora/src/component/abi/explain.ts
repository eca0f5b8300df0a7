/**
 * Says where and why a value does not fit its type, after a codec's `check` found that it does not. Slow and
 * only run on failure: checks themselves build no paths.
 */

import { didYouMean } from "../../base/index.ts";
import { camelCase } from "../names.ts";
import type { ValueType } from "../types.ts";
import type { Codecs } from "./codec.ts";
import type { Context } from "./context.ts";
import { givenUnder } from "./given.ts";

export interface Mismatch {
  /** From the parameter down: `msg.track[3].lat`. */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

export function explainMismatch(
  type: ValueType,
  value: unknown,
  path: string,
  cx: Context,
  codecs: Codecs,
): Mismatch {
  const inner = firstInnerMismatch(type, value, path, cx, codecs);
  return inner ?? { path, expected: describeType(type), found: describeValue(value) + hint(type, value) };
}

/** The first part of a value of the right shape that does not fit. */
function firstInnerMismatch(
  type: ValueType,
  value: unknown,
  path: string,
  cx: Context,
  codecs: Codecs,
): Mismatch | undefined {
  const look = (innerType: ValueType | undefined, inner: unknown, innerPath: string): Mismatch | undefined =>
    innerType === undefined || codecs.of(innerType).check(inner, cx)
      ? undefined
      : explainMismatch(innerType, inner, innerPath, cx, codecs);
  if (typeof value !== "object" || value === null) {
    return type.kind === "option" && type.some.kind !== "option" ? look(type.some, value, path) : undefined;
  }
  const fields = value as Record<string, unknown> & { readonly tag?: unknown; readonly val?: unknown }; // An object: any key may be asked for.
  switch (type.kind) {
    case "record":
      return first(type.fields, ({ name, type: fieldType }) => {
        const key = camelCase(name);
        return look(fieldType, givenUnder(fields, key), `${path}.${key}`);
      });
    case "tuple":
      if (!Array.isArray(value) || value.length !== type.elements.length) return undefined;
      return first(type.elements, (element, index) => look(element, value[index], `${path}[${index}]`));
    case "list":
      if (!Array.isArray(value)) return undefined;
      return first(value, (element, index) => look(type.element, element, `${path}[${index}]`));
    case "map":
      if (!(value instanceof Map)) return undefined;
      return first([...value], ([key, entry], index) => {
        return (
          look(type.key, key, `${path} key ${index}`) ??
          look(type.value, entry, `${path}.get(${String(key)})`)
        );
      });
    case "option":
      if (type.some.kind !== "option") return look(type.some, value, path);
      return fields.tag === "some" ? look(type.some, fields.val, `${path}.val`) : undefined;
    case "result":
      if (fields.tag !== "ok" && fields.tag !== "err") return undefined;
      return look(fields.tag === "ok" ? type.ok : type.err, fields.val, `${path}.val`);
    case "variant": {
      const found = type.cases.find((entry) => entry.name === fields.tag);
      return look(found?.type, fields.val, `${path}.val`);
    }
    case "flags":
      return first(type.names, (name) => {
        const key = camelCase(name);
        const flag = givenUnder(fields, key);
        if (flag === undefined || typeof flag === "boolean") return undefined;
        return { path: `${path}.${key}`, expected: "boolean", found: describeValue(flag) };
      });
    default:
      return undefined;
  }
}

function first<T>(
  items: readonly T[],
  look: (item: T, index: number) => Mismatch | undefined,
): Mismatch | undefined {
  for (let index = 0; index < items.length; index++) {
    const found = look(items[index] as T, index); // In bounds.
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a type is in TypeScript, short. */
export function describeType(type: ValueType): string {
  switch (type.kind) {
    case "bool":
      return "boolean";
    case "f32":
    case "f64":
      return "number";
    case "s64":
    case "u64":
      return `bigint (${type.kind})`;
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
      return `number (${type.kind})`;
    case "char":
      return "string (one character)";
    case "string":
      return "string";
    case "record":
      return `object { ${type.fields.map((field) => camelCase(field.name)).join(", ")} }`;
    case "flags":
      return `object { ${type.names.map(camelCase).join(", ")} } of booleans`;
    case "tuple":
      return `array of ${type.elements.length}`;
    case "list":
      return type.element.kind === "u8"
        ? "Uint8Array"
        : `array of ${describeType(type.element)}${type.length === undefined ? "" : ` with ${type.length} elements`}`;
    case "map":
      return `Map of ${describeType(type.key)} to ${describeType(type.value)}`;
    case "enum":
      return oneOf(type.names);
    case "variant":
      return `{ tag: ${oneOf(type.cases.map((entry) => entry.name))} }`;
    case "result":
      return `{ tag: "ok" | "err" }`;
    case "option":
      return type.some.kind === "option"
        ? `{ tag: "none" | "some" }`
        : `${describeType(type.some)} or undefined`;
    case "own":
    case "borrow":
      return `live resource "${type.resource.name}"`;
    default:
      return type.kind;
  }
}

const namesShown = 8;

function oneOf(names: readonly string[]): string {
  const shown = names.slice(0, namesShown).map((name) => `"${name}"`);
  return names.length > namesShown ? `${shown.join(" | ")} | …` : shown.join(" | ");
}

const charactersShown = 40;

/** A value for a message: its kind, and its text when that is short. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > charactersShown
        ? `${JSON.stringify(value.slice(0, charactersShown))}… (${value.length} characters)`
        : JSON.stringify(value);
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "bigint":
      return `${value}n`;
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return `array of ${value.length}`;
      return value.constructor?.name ?? "object";
    default:
      return typeof value;
  }
}

function hint(type: ValueType, value: unknown): string {
  if (type.kind === "enum" && typeof value === "string") return didYouMean(value, type.names);
  const tag = (value as { readonly tag?: unknown } | null | undefined)?.tag;
  if (type.kind === "variant" && typeof tag === "string") {
    return ` with tag "${tag}"${didYouMean(
      tag,
      type.cases.map((entry) => entry.name),
    )}`;
  }
  return "";
}
