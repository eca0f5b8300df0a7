/**
 * Secrets in settings are references, `{ "secret": "NAME" }`, wherever the schema says `writeOnly`. The text behind a
 * name comes from the operator's source when a guest is set up, and goes nowhere else: not into our files, not into
 * messages, not into what the settings are shown as.
 */

import type { Json, SettingsProblem, SettingsSchema } from "../../bundle/index.ts";
import { managerErrors } from "../errors.ts";

/** The operator's: a secret by its name, at once or as a promise; undefined when there is none. */
export type SecretSource = (name: string, plugin: string) => string | undefined | Promise<string | undefined>;

/** @throws manager/secret-source it failed; what it said is the cause, and in no message */
export async function askSource(
  source: SecretSource,
  name: string,
  plugin: string,
): Promise<string | undefined> {
  try {
    return await source(name, plugin);
  } catch (error) {
    throw managerErrors["secret-source"]({ plugin, secret: name }, error);
  }
}

/** What stands in settings for a secret. */
export interface SecretReference {
  readonly secret: string;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;

export function isSecretReference(value: unknown): value is SecretReference {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { secret, ...more } = value as Record<string, unknown>; // an object, as was just checked
  return typeof secret === "string" && NAME.test(secret) && Object.keys(more).length === 0;
}

/** Walks settings along their schema, and gives each value that belongs to a secret to `replace`. */
export function mapSecrets(
  schema: SettingsSchema | undefined,
  value: Json,
  replace: (value: Json, path: readonly (string | number)[]) => Json,
  path: readonly (string | number)[] = [],
): Json {
  if (schema?.writeOnly === true) return replace(value, path);
  if (Array.isArray(value)) {
    return value.map((item: Json, at) => mapSecrets(schema?.items, item, replace, [...path, at]));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const { properties = {} } = schema ?? {};
      const of = Object.hasOwn(properties, name) ? properties[name] : undefined;
      return [name, mapSecrets(of, item as Json, replace, [...path, name])];
    }),
  );
}

/** Nobody reads more of them, and each has its text. */
const problemsMax = 100;

/** Where a secret stands as text, or as something else that is no reference; of many places the first. */
export function secretProblems(schema: SettingsSchema, value: Json): SettingsProblem[] {
  const problems: SettingsProblem[] = [];
  mapSecrets(schema, value, (found, path) => {
    if (!isSecretReference(found) && problems.length < problemsMax) {
      problems.push({ path, message: 'allowed is a reference to a secret, as { "secret": "NAME" }' });
    }
    return found;
  });
  return problems;
}

/** The names that settings refer to. */
export function secretNames(schema: SettingsSchema | undefined, value: Json): string[] {
  const names = new Set<string>();
  mapSecrets(schema, value, (found) => {
    if (isSecretReference(found)) names.add(found.secret);
    return found;
  });
  return [...names];
}
