/**
 * Holds what the admin interface answers in tests against its own OpenAPI document: each status, type and body has to be in it,
 * and whatever was taken has to be what it says that is taken. Fields that it does not name are none.
 */

import assert from "node:assert/strict";
import { Compile } from "typebox/schema";

type Schema = Readonly<Record<string, unknown>>;

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: Content & { readonly required: boolean };
  readonly responses: Readonly<Record<string, Content>>;
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** What was sent; undefined for no body. */
  readonly sent: unknown;
  readonly status: number;
  readonly type: string | null;
  /** Parsed where it is JSON; undefined for no body. */
  readonly answered: unknown;
}

/** @throws AssertionError the document does not have it */
export function expectDescribed(document: OpenApiDocument, exchange: Exchange): void {
  const { method, path, status } = exchange;
  const where = `${method} ${path} ${status}`;
  const operation = operationOf(document, exchange);
  if (operation === undefined) {
    assert.ok(status >= 400, `${where}: there is no such operation`);
    return;
  }
  const answer = operation.responses[status] ?? operation.responses[`${String(status)[0]}XX`];
  assert.ok(answer !== undefined, `${where}: there is no such status`);
  expectAnswer(answer, exchange, where);
  if (status < 400) expectTaken(operation, exchange, where);
}

function operationOf({ paths }: OpenApiDocument, { method, path }: Exchange): Operation | undefined {
  const [wanted = ""] = path.split("?", 1);
  const matches = (template: string) =>
    new RegExp(`^${template.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(wanted);
  // The one without a variable part is meant where both are there.
  const found = paths[wanted] === undefined ? Object.keys(paths).find(matches) : wanted;
  return found === undefined ? undefined : paths[found]?.[method.toLowerCase()];
}

function expectAnswer({ content }: Content, { type, answered }: Exchange, where: string): void {
  if (content === undefined) {
    assert.equal(answered, undefined, `${where}: there is no body in the document`);
    return;
  }
  const [name = ""] = type?.split(";", 1) ?? [];
  const described = content[name];
  assert.ok(described !== undefined, `${where}: ${name} is none of ${Object.keys(content)}`);
  expectFits(described.schema, answered, where);
}

function expectTaken(
  { parameters = [], requestBody }: Operation,
  { path, sent }: Exchange,
  where: string,
): void {
  for (const [name, value] of new URL(path, "http://a").searchParams) {
    const parameter = parameters.find((one) => one.in === "query" && one.name === name);
    assert.ok(parameter !== undefined, `${where}: there is no parameter ${name}`);
    const isNumber = parameter.schema.type === "integer";
    expectFits(parameter.schema, isNumber ? Number(value) : value, `${where}: ${name}`);
  }
  const body = requestBody?.content?.["application/json"];
  if (sent !== undefined && body !== undefined) expectFits(body.schema, sent, `${where}: what was sent`);
  if (sent === undefined) assert.notEqual(requestBody?.required, true, `${where}: a body is required`);
}

function expectFits(schema: Schema, value: unknown, where: string): void {
  const [fits, problems] = Compile(closed(schema) as Schema).Errors(value);
  assert.ok(fits, `${where}: ${JSON.stringify(problems)} in ${JSON.stringify(value)}`);
}

/** No object has other fields than those that are named, unless it says that it has. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [
    key,
    key === "examples" ? value : closed(value),
  ]);
  const isOpen = !("properties" in schema) || "additionalProperties" in schema;
  return Object.fromEntries(isOpen ? entries : [...entries, ["additionalProperties", false]]);
}
