/** JSON Schema (draft 2020-12) of what the API takes and answers, for its description. */

export type JsonSchema = Readonly<Record<string, unknown>>;

export const someText = { type: "string" };
export const someCount = { type: "integer", minimum: 0 };
export const someNumber = { type: "number" };
export const someFlag = { type: "boolean" };
/** RFC 3339. */
export const someTime = { type: "string", format: "date-time" };
export const someUuid = { type: "string", format: "uuid" };

export function oneOfTexts(texts: readonly string[]): JsonSchema {
  return { type: "string", enum: texts };
}

export function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: "null" }] };
}

export function listOf(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}

/** All fields are there, but for those that may be missing. */
export function objectWith(
  properties: Readonly<Record<string, JsonSchema>>,
  missing: readonly string[] = [],
): JsonSchema {
  const required = Object.keys(properties).filter((name) => !missing.includes(name));
  return { type: "object", properties, required };
}
