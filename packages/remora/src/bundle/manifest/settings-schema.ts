/**
 * The schema of a plugin's settings: JSON Schema (draft 2020-12) in the subset below, checked when the manifest is
 * read, so that no host meets a keyword that it would ignore. `pattern` and `$ref` are left out on purpose: the
 * publisher's regular expression would run on the host's thread for as long as it likes, and so would a cycle.
 */

import { didYouMean } from "../../base/index.ts";

/** Plain data, as JSON has it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export const settingTypes = ["string", "number", "integer", "boolean", "array", "object"] as const;
export type SettingType = (typeof settingTypes)[number];

/** One schema of the subset. */
export interface SettingsSchema {
  readonly type: SettingType;
  readonly title?: string;
  readonly description?: string;
  readonly default?: Json;
  readonly enum?: readonly Json[];
  /** Strings: the value is a secret, kept as a reference and never shown. */
  readonly writeOnly?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly items?: SettingsSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, SettingsSchema>>;
  readonly required?: readonly string[];
  /** False, the default here, refuses what `properties` does not name. */
  readonly additionalProperties?: boolean;
}

/** Something in a value or a schema that is not as it has to be. */
export interface SettingsProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Check = (value: unknown) => boolean;

interface Keyword {
  /** Which types it may stand beside; all when it is left out. */
  readonly types?: readonly SettingType[];
  readonly is: Check;
  readonly expected: string;
}

const isText: Check = (value) => typeof value === "string" && value.length <= 2_000;
const isFiniteNumber: Check = (value) => typeof value === "number" && Number.isFinite(value);
const isCount: Check = (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isBoolean: Check = (value) => typeof value === "boolean";
const isNames: Check = (value) =>
  Array.isArray(value) &&
  value.every((name) => typeof name === "string") &&
  new Set(value).size === value.length;

const text = { is: isText, expected: "a text of at most 2000 characters" };
const count = { is: isCount, expected: "an integer from 0" };
const finite = { types: ["number", "integer"], is: isFiniteNumber, expected: "a number" } as const;
const flag = { is: isBoolean, expected: "true or false" };

const keywords: Readonly<Record<keyof SettingsSchema, Keyword>> = {
  type: { is: (value) => settingTypes.some((type) => type === value), expected: settingTypes.join(", ") },
  title: text,
  description: text,
  default: { is: isJson, expected: "plain data" },
  enum: {
    is: (value) => Array.isArray(value) && value.length > 0 && value.length <= 1_000 && value.every(isJson),
    expected: "a list of 1 to 1000 values",
  },
  writeOnly: { types: ["string"], ...flag },
  minLength: { types: ["string"], ...count },
  maxLength: { types: ["string"], ...count },
  minimum: finite,
  maximum: finite,
  exclusiveMinimum: finite,
  exclusiveMaximum: finite,
  multipleOf: {
    types: ["number", "integer"],
    is: (value) => isFiniteNumber(value) && Number(value) > 0,
    expected: "a number above 0",
  },
  items: { types: ["array"], is: isObject, expected: "a schema" },
  minItems: { types: ["array"], ...count },
  maxItems: { types: ["array"], ...count },
  uniqueItems: { types: ["array"], ...flag },
  properties: { types: ["object"], is: isObject, expected: "a table of schemas" },
  required: { types: ["object"], is: isNames, expected: "a list of different names" },
  additionalProperties: { types: ["object"], ...flag },
};

/** Nobody reads more of them, and each has its text. */
const problemsMax = 100;

/** A schema with more parts than this is no form that somebody fills in. */
const schemasMax = 500;
const depthMax = 10;

/**
 * Checks that data from a manifest is a schema of the subset, of an object.
 *
 * @returns The problems, of many the first; none when `data` is a `SettingsSchema`.
 */
export function schemaProblems(data: unknown): SettingsProblem[] {
  const problems: SettingsProblem[] = [];
  const budget = { schemas: schemasMax };
  checkSchema(data, [], problems, budget);
  if (problems.length === 0 && (data as SettingsSchema).type !== "object") {
    problems.push({ path: ["type"], message: 'settings as a whole have the type "object"' });
  }
  return problems;
}

function checkSchema(
  data: unknown,
  path: readonly (string | number)[],
  problems: SettingsProblem[],
  budget: { schemas: number },
): void {
  const problem = (step: readonly (string | number)[], message: string) =>
    problems.push({ path: [...path, ...step], message });
  if (problems.length >= problemsMax) return;
  if (!isObject(data)) return void problem([], "allowed is a schema, which is a table");
  if (--budget.schemas < 0 || path.length > 2 * depthMax) {
    budget.schemas = 0;
    return void problem([], `allowed are ${schemasMax} schemas, ${depthMax} in one another`);
  }
  const before = problems.length;
  if (!Object.hasOwn(data, "type")) problem([], '"type" is missing');
  const type = settingTypes.find((one) => one === data.type);
  for (const [name, value] of Object.entries(data)) {
    if (!isKeyword(name)) {
      const near = didYouMean(name, Object.keys(keywords));
      problem(
        [name],
        `is no keyword of the supported subset${near || `: ${Object.keys(keywords).join(", ")}`}`,
      );
      continue;
    }
    const keyword = keywords[name];
    if (!keyword.is(value)) problem([name], `allowed is ${keyword.expected}`);
    else if (type !== undefined && keyword.types?.includes(type) === false) {
      problem([name], `says nothing about the type "${type}", only about ${keyword.types.join(", ")}`);
    }
  }
  if (isObject(data.items)) checkSchema(data.items, [...path, "items"], problems, budget);
  const properties = isObject(data.properties) ? data.properties : {};
  for (const [name, schema] of Object.entries(properties)) {
    checkSchema(schema, [...path, "properties", name], problems, budget);
  }
  if (problems.length > before) return;
  // Nothing was wrong with it, so it is a schema: its own values have to fit it.
  checkOwnValues(data as unknown as SettingsSchema, problem);
}

function checkOwnValues(
  schema: SettingsSchema,
  problem: (step: readonly (string | number)[], message: string) => void,
): void {
  const bare = { ...schema, enum: undefined, default: undefined } as unknown as SettingsSchema; // as if left out
  for (const [at, value] of (schema.enum ?? []).entries()) {
    for (const { path, message } of settingsProblems(bare, value)) problem(["enum", at, ...path], message);
  }
  if (schema.default !== undefined) {
    for (const { path, message } of settingsProblems(schema, schema.default)) {
      problem(["default", ...path], message);
    }
  }
  const missing = [...(schema.required ?? []).entries()].filter(
    ([, name]) => !Object.hasOwn(schema.properties ?? {}, name),
  );
  for (const [at, name] of missing.slice(0, problemsMax)) {
    problem(
      ["required", at],
      `there is no property "${name}"${didYouMean(name, Object.keys(schema.properties ?? {}))}`,
    );
  }
}

/**
 * Checks settings against their schema.
 *
 * @returns The problems, the first 100; none when the value fits.
 */
export function settingsProblems(schema: SettingsSchema, value: unknown): SettingsProblem[] {
  const problems: SettingsProblem[] = [];
  checkValue(schema, value, [], problems);
  return problems;
}

function checkValue(
  schema: SettingsSchema,
  value: unknown,
  path: readonly (string | number)[],
  problems: SettingsProblem[],
): void {
  if (problems.length >= problemsMax) return;
  const problem = (message: string) => problems.push({ path, message });
  if (!hasType(value, schema.type)) return void problem(`allowed is a value of the type "${schema.type}"`);
  if (schema.enum !== undefined && !canonicalSet(schema.enum).has(canonical(value))) {
    problem(`allowed are ${schema.enum.map((one) => JSON.stringify(one)).join(", ")}`);
  }
  if (typeof value === "string") checkString(schema, value, problem);
  else if (typeof value === "number") checkNumber(schema, value, problem);
  else if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) problem(`allowed are ${schema.minItems} elements or more`);
    if (value.length > (schema.maxItems ?? Infinity))
      problem(`allowed are ${schema.maxItems} elements at most`);
    if (schema.uniqueItems && hasEqual(value)) problem("allowed are different elements");
    const { items } = schema;
    if (items !== undefined)
      value.forEach((item, at) => void checkValue(items, item, [...path, at], problems));
  } else if (isObject(value)) checkObject(schema, value, path, problems);
}

function checkString(schema: SettingsSchema, value: string, problem: (message: string) => void): void {
  // JSON Schema Validation §6.3: length is counted in characters, not in code units.
  const length = [...value].length;
  if (length < (schema.minLength ?? 0)) problem(`allowed are ${schema.minLength} characters or more`);
  if (length > (schema.maxLength ?? Infinity)) problem(`allowed are ${schema.maxLength} characters at most`);
}

function checkNumber(schema: SettingsSchema, value: number, problem: (message: string) => void): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (minimum !== undefined && value < minimum) problem(`allowed is ${minimum} or more`);
  if (maximum !== undefined && value > maximum) problem(`allowed is ${maximum} or less`);
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
    problem(`allowed is more than ${exclusiveMinimum}`);
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum)
    problem(`allowed is less than ${exclusiveMaximum}`);
  // 0.3 is a multiple of 0.1, although their quotient in binary is not whole.
  const quotient = multipleOf === undefined ? 0 : value / multipleOf;
  if (Math.abs(quotient - Math.round(quotient)) > 1e-9) problem(`allowed are multiples of ${multipleOf}`);
}

function checkObject(
  schema: SettingsSchema,
  value: Readonly<Record<string, unknown>>,
  path: readonly (string | number)[],
  problems: SettingsProblem[],
): void {
  const properties = schema.properties ?? {};
  for (const name of schema.required ?? []) {
    if (problems.length >= problemsMax) return;
    if (!Object.hasOwn(value, name)) problems.push({ path, message: `"${name}" is missing` });
  }
  for (const [name, item] of Object.entries(value)) {
    if (problems.length >= problemsMax) return;
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property !== undefined) checkValue(property, item, [...path, name], problems);
    else if (schema.additionalProperties !== true) {
      const near = didYouMean(name, Object.keys(properties));
      problems.push({ path: [...path, name], message: `there is no such setting${near}` });
    }
  }
}

function hasType(value: unknown, type: SettingType): boolean {
  switch (type) {
    case "integer":
      return typeof value === "number" && Number.isInteger(value);
    case "number":
      return isFiniteNumber(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "string":
    case "boolean":
      return typeof value === type;
  }
}

function isKeyword(name: string): name is keyof SettingsSchema {
  return Object.hasOwn(keywords, name);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function isJson(value: unknown): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (Array.isArray(value)) return value.every(isJson);
  return isFiniteNumber(value) || (isObject(value) && Object.values(value).every(isJson));
}

/** Schemas do not change, and each element of a long list may be compared with a long one. */
const canonicalByEnum = new WeakMap<readonly Json[], ReadonlySet<string>>();

function canonicalSet(values: readonly Json[]): ReadonlySet<string> {
  const known = canonicalByEnum.get(values);
  if (known !== undefined) return known;
  const made = new Set(values.map(canonical));
  canonicalByEnum.set(values, made);
  return made;
}

function hasEqual(values: readonly unknown[]): boolean {
  return new Set(values.map(canonical)).size < values.length;
}

/** JSON with the keys of objects in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );
}
