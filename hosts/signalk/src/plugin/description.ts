/** What a plugin says about itself before it runs, and what it serves when it does. */

import type { Answer } from "remora/abi";
import { harmless } from "remora/policy";
import type { Sandbox } from "remora/sandbox";
import { signalkErrors } from "../errors.ts";
import type { SignalkGuest } from "../guest/signalk-guest.ts";
import { type Endpoint, readEndpoints } from "./endpoints.ts";

export interface Description {
  /** Its own name for itself; undefined when it has none. */
  readonly name: string | undefined;
  /** JSON Schema of its configuration. */
  readonly schema: unknown;
}

const nameLengthMax = 200;

/** @throws signalk/bad-answer its schema is no JSON, or it waits for the network to tell */
export async function describe(
  plugin: string,
  { guest }: { readonly guest: SignalkGuest },
): Promise<Description> {
  const name = harmless(await told(plugin, "name", guest, guest.name()), nameLengthMax);
  const schema = await told(plugin, "schema", guest, guest.schema());
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
export async function servedEndpoints(
  plugin: string,
  { guest, sandbox }: { readonly guest: SignalkGuest; readonly sandbox: Sandbox },
): Promise<readonly Endpoint[]> {
  if (guest.endpoints === undefined) return [];
  const list = await told(plugin, "endpoints", guest, guest.endpoints());
  return readEndpoints(plugin, list).filter(({ path }) =>
    sandbox.gate.act(
      "http.serve",
      `/plugins/${plugin}${path}`,
      () => true,
      () => false,
    ),
  );
}

function told(
  plugin: string,
  name: string,
  { isRemote }: SignalkGuest,
  answer: Answer<string>,
): Answer<string> {
  return isRemote ? answer : atOnce(plugin, name, answer);
}

/**
 * What a plugin says about itself must not depend on the network. A guest that could wait answers with a promise in any
 * case, which is settled before the thread does anything else.
 *
 * @throws signalk/bad-answer it waits; whoever asked gives the guest up
 */
async function atOnce(plugin: string, name: string, answer: Answer<string>): Promise<string> {
  if (typeof answer === "string") return answer;
  const late = new Promise<undefined>((resolve) => setImmediate(resolve, undefined));
  const told = await Promise.race([answer, late]);
  if (told !== undefined) return told;
  // How its call ends is of no interest.
  answer.catch(() => {});
  throw signalkErrors["bad-answer"]({ plugin, name, expected: "an answer at once" });
}
