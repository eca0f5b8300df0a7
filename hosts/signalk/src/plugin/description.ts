/** What a plugin says about itself before it runs, and what it serves when it does. */

import { harmless } from "remora/policy";
import { signalkErrors } from "../errors.ts";
import type { Session } from "../guest/session.ts";
import { type Endpoint, readEndpoints } from "./endpoints.ts";

export interface Description {
  /** Its own name for itself; undefined when it has none. */
  readonly name: string | undefined;
  /** JSON Schema of its configuration. */
  readonly schema: unknown;
}

const nameLengthMax = 200;

/** @throws signalk/bad-answer its schema is no JSON */
export function describe(plugin: string, { guest }: Session): Description {
  const name = harmless(guest.name(), nameLengthMax);
  const schema = guest.schema();
  return {
    name: name === "" ? undefined : name,
    schema: schema.trim() === "" ? {} : parseSchema(plugin, schema),
  };
}

function parseSchema(plugin: string, schema: string): unknown {
  try {
    return JSON.parse(schema);
  } catch (cause) {
    throw signalkErrors["bad-answer"]({ plugin, name: "plugin_schema", expected: "JSON Schema" }, cause);
  }
}

/** Its endpoints, as far as they may be served; each refusal is in the audit. */
export function servedEndpoints(plugin: string, { guest, sandbox }: Session): readonly Endpoint[] {
  if (guest.endpoints === undefined) return [];
  return readEndpoints(plugin, guest.endpoints()).filter(({ path }) =>
    sandbox.gate.act(
      "http.serve",
      `/plugins/${plugin}${path}`,
      () => true,
      () => false,
    ),
  );
}
