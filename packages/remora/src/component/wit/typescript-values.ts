/**
 * Types of values in TypeScript, as the runtime takes and gives them: kebab-case in camelCase, records objects,
 * variants `{ tag, val }`, enums strings, flags objects of booleans, options `undefined`, numbers in typed arrays.
 */

import { unreachable } from "../../base/index.ts";
import { camelCase } from "../names.ts";
import type { PrimitiveKind } from "../types.ts";
import { definitionOf, type Func, type Stability, type Type, type TypeDef } from "./model.ts";

/** What a definition is called where the type is being written: `Filter.CotMessage`. */
export type NameOf = (type: TypeDef) => string;

const primitives: Readonly<Record<PrimitiveKind, string>> = {
  bool: "boolean",
  s8: "number",
  u8: "number",
  s16: "number",
  u16: "number",
  s32: "number",
  u32: "number",
  s64: "bigint",
  u64: "bigint",
  f32: "number",
  f64: "number",
  char: "string",
  string: "string",
  "error-context": "Error",
};

const typedArrays: Partial<Record<PrimitiveKind, string>> = {
  u8: "Uint8Array",
  s8: "Int8Array",
  u16: "Uint16Array",
  s16: "Int16Array",
  u32: "Uint32Array",
  s32: "Int32Array",
  u64: "BigUint64Array",
  s64: "BigInt64Array",
  f32: "Float32Array",
  f64: "Float64Array",
};

/** Names of the language that the types below use, which a type of the world must not shadow. */
export const usedGlobals: readonly string[] = [
  ...Object.values(typedArrays),
  ...["Error", "Map", "Promise", "AsyncIterable", "Symbol"],
];

export function typeText(type: Type, nameOf: NameOf): string {
  const inner = (each: Type) => typeText(each, nameOf);
  switch (type.kind) {
    case "primitive":
      return primitives[type.primitive];
    case "named":
      return nameOf(type.type);
    case "borrow":
      return nameOf(type.resource);
    case "list": {
      const element = shapeOf(type.element);
      const array = element.kind === "primitive" ? typedArrays[element.primitive] : undefined;
      return array ?? `readonly ${operand(inner(type.element))}[]`;
    }
    case "map":
      return `Map<${inner(type.key)}, ${inner(type.value)}>`;
    case "tuple":
      return `[${type.elements.map(inner).join(", ")}]`;
    case "option": {
      const some = inner(type.some);
      // The inner `undefined` could not be told from the outer.
      if (shapeOf(type.some).kind === "option") return `{ tag: "none" } | { tag: "some"; val: ${some} }`;
      return `${some} | undefined`;
    }
    case "result":
      return `${caseText("ok", type.ok, nameOf)} | ${caseText("err", type.err, nameOf)}`;
    case "stream": {
      const element = type.element === undefined ? undefined : shapeOf(type.element);
      // Bytes come in chunks, anything else one by one.
      if (element?.kind === "primitive" && element.primitive === "u8") return "AsyncIterable<Uint8Array>";
      return `AsyncIterable<${type.element === undefined ? "undefined" : inner(type.element)}>`;
    }
    case "future":
      return `Promise<${type.element === undefined ? "void" : inner(type.element)}>`;
  }
}

/** Behind all names: an alias of an option is an option. */
export function shapeOf(type: Type): Type {
  if (type.kind !== "named") return type;
  const { body } = definitionOf(type.type);
  return body.kind === "alias" ? shapeOf(body.type) : type;
}

/** An option whose absence is `undefined`: a property of this type may be left out. */
export function mayBeLeftOut(type: Type): boolean {
  const shape = shapeOf(type);
  return shape.kind === "option" && shapeOf(shape.some).kind !== "option";
}

/** `{ tag: "child"; val: number }` */
export function caseText(tag: string, payload: Type | undefined, nameOf: NameOf): string {
  if (payload === undefined) return `{ tag: ${JSON.stringify(tag)} }`;
  const optional = mayBeLeftOut(payload) ? "?" : "";
  return `{ tag: ${JSON.stringify(tag)}; val${optional}: ${typeText(payload, nameOf)} }`;
}

/** In brackets where a union would come apart. */
function operand(text: string): string {
  return /^[\w.]+$/.test(text) || /^\[[^\]]*\]$/.test(text) ? text : `(${text})`;
}

/** How a call answers: as the world says, by a promise in any case, or as whoever wrote the function likes. */
export type AnswerBy = "world" | "promise" | "either";

/** `(msg: Filter.CotMessage): Filter.FilterResult` */
export function signatureText(func: Func, nameOf: NameOf, answerBy: AnswerBy = "world"): string {
  return `${paramsText(func, nameOf)}: ${answerText(resultText(func, nameOf), func.isAsync ? "promise" : answerBy)}`;
}

/** `(owner: string)` */
export function paramsText(func: Func, nameOf: NameOf): string {
  const params = func.params.map((param) => `${parameterName(param.name)}: ${typeText(param.type, nameOf)}`);
  return `(${params.join(", ")})`;
}

export function answerText(text: string, answerBy: AnswerBy): string {
  switch (answerBy) {
    case "world":
      return text;
    case "promise":
      return `Promise<${text}>`;
    case "either":
      return `${text} | Promise<${text}>`;
    default:
      return unreachable(answerBy);
  }
}

/** A `result` at the top level returns or throws. */
function resultText(func: Func, nameOf: NameOf): string {
  const value = func.result === undefined ? undefined : shapeOf(func.result);
  const type = value?.kind === "result" ? value.ok : func.result;
  return type === undefined ? "void" : typeText(type, nameOf);
}

/** What a call throws, for its documentation. */
function thrownText(func: Func, nameOf: NameOf): string | undefined {
  const value = func.result === undefined ? undefined : shapeOf(func.result);
  if (value?.kind !== "result") return undefined;
  const payload = value.err === undefined ? "undefined" : typeText(value.err, nameOf);
  return `@throws {ComponentError} with the payload \`${payload}\``;
}

const reserved = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends
  false finally for function if implements import in instanceof interface let new null package private protected
  public return static super switch this throw true try typeof var void while with yield`.split(/\s+/),
);

function parameterName(label: string): string {
  const name = camelCase(label);
  return reserved.has(name) ? `${name}_` : name;
}

/** A documentation comment, at an indentation; nothing when there is nothing to say. */
export function docLines(
  docs: string | undefined,
  stability: Stability,
  extra: readonly (string | undefined)[] = [],
): string[] {
  const lines = docs === undefined ? [] : docs.split("\n");
  const tags = [
    stability.since === undefined ? undefined : `@since ${stability.since}`,
    stability.unstable === undefined ? undefined : `@experimental ${stability.unstable}`,
    stability.deprecated === undefined ? undefined : `@deprecated since ${stability.deprecated}`,
    ...extra,
  ].filter((tag) => tag !== undefined);
  if (lines.length > 0 && tags.length > 0) lines.push("");
  lines.push(...tags);
  // Written by whoever wrote the WIT: it must not end the comment.
  const safe = lines.map((line) => line.replaceAll("*/", "*\\/"));
  if (safe.length === 0) return [];
  if (safe.length === 1) return [`/** ${safe[0]} */`];
  return ["/**", ...safe.map((line) => ` * ${line}`.trimEnd()), " */"];
}

export function funcDocLines(func: Func, nameOf: NameOf): string[] {
  return docLines(func.docs, func.stability, [thrownText(func, nameOf)]);
}
