/** What of a request its schema does not allow, as a sentence: a field that there is none of is named, with those that there are. */

import type { FastifySchemaValidationError } from "fastify";

/** As ajv tells it with `verbose`. */
interface Told extends FastifySchemaValidationError {
  readonly parentSchema?: { readonly properties?: object };
}

/** @param where `body`, `querystring` or `params`. */
export function schemaProblem([error]: readonly Told[], where: string): Error {
  const { keyword, params, parentSchema, instancePath = "", message } = error ?? {};
  const at = `${where}${instancePath}`;
  if (keyword !== "additionalProperties") return new Error(`${at} ${message}`);
  const known = Object.keys(parentSchema?.properties ?? {}).map((name) => `"${name}"`);
  const allowed = known.length === 0 ? "none are allowed" : `allowed are ${known.join(", ")}`;
  return new Error(`${at} has no field "${params?.additionalProperty}": ${allowed}`);
}
