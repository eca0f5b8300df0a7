/**
 * The operator's settings of a plugin: checked against the schema in its manifest, kept beside the plugin's own files
 * and never among them.
 */

import {
  type Json,
  type SettingsProblem,
  type SettingsSchema,
  settingsProblems,
} from "../../bundle/index.ts";
import { managerErrors } from "../errors.ts";
import { isSecretReference, mapSecrets, type SecretSource, secretNames, secretProblems } from "./secrets.ts";

/** Settings are a form that somebody filled in. */
const settingsBytesMax = 1024 * 1024;
/** Of values in one another: as deep as a manifest may be, whose defaults are settings too. All that walks settings counts on it. */
const settingsDepthMax = 32;

/**
 * Checks settings as they are kept. No message has a value in it.
 *
 * @throws manager/settings all that is wrong with them
 */
export function checkSettings(plugin: string, schema: SettingsSchema | undefined, settings: Json): void {
  const problems: SettingsProblem[] = [];
  const deep = pathTooDeep(settings);
  if (deep !== undefined) {
    problems.push({ path: deep, message: `allowed are ${settingsDepthMax} values in one another` });
  } else if (JSON.stringify(settings).length > settingsBytesMax) {
    problems.push({ path: [], message: `allowed are ${settingsBytesMax} bytes` });
  } else if (schema === undefined) {
    problems.push({ path: [], message: "its manifest has no schema for settings" });
  } else {
    problems.push(...secretProblems(schema, settings));
    // In place of what is not known yet, what its length allows.
    const known = mapSecrets(schema, settings, (value) => (isSecretReference(value) ? standIn : value));
    const shaped = settingsProblems(withoutSecretBounds(schema), known);
    problems.push(...shaped.filter(({ path }) => !problems.some((one) => isSamePath(one.path, path))));
  }
  if (problems.length > 0) {
    throw managerErrors.settings({
      plugin,
      problems: problems.map(({ path, message }) => ({ path: pathText(path), message })),
    });
  }
}

/** To a value that lies deeper than it may; undefined where there is none. */
function pathTooDeep(value: Json, levels = settingsDepthMax): (string | number)[] | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (levels === 0) return [];
  for (const [step, item] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    const path = pathTooDeep(item, levels - 1);
    if (path !== undefined) return [step, ...path];
  }
  return undefined;
}

/**
 * Settings as the guest gets them: defaults filled in, secrets in place of their references.
 *
 * @returns Undefined when there are none and the manifest has no schema.
 * @throws manager/no-secret manager/secret-source manager/settings
 */
export async function resolveSettings(
  plugin: string,
  schema: SettingsSchema | undefined,
  settings: Json | undefined,
  secrets: SecretSource,
): Promise<Json | undefined> {
  if (schema === undefined) return settings;
  const filled = withDefaults(schema, settings ?? {});
  checkSettings(plugin, schema, filled);
  const texts = new Map<string, string>();
  for (const secret of secretNames(schema, filled)) {
    const text = await secrets(secret, plugin);
    if (text === undefined) throw managerErrors["no-secret"]({ plugin, secret });
    texts.set(secret, text);
  }
  return mapSecrets(schema, filled, (value) =>
    isSecretReference(value) ? (texts.get(value.secret) ?? "") : value,
  );
}

/** Each property that is not there and has a default gets it. */
export function withDefaults(schema: SettingsSchema, value: Json): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const filled = new Map(Object.entries(value as Record<string, Json>));
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const given = filled.get(name);
    if (given !== undefined) filled.set(name, withDefaults(property, given));
    else if (property.default !== undefined) filled.set(name, property.default);
  }
  // The names are the publisher's: one that was assigned could be the prototype.
  return Object.fromEntries(filled);
}

const standIn = "secret";

/** The length of a secret is the secret source's business. */
function withoutSecretBounds(schema: SettingsSchema): SettingsSchema {
  if (schema.writeOnly === true) return { type: "string" };
  const { items, properties } = schema;
  return {
    ...schema,
    ...(items !== undefined && { items: withoutSecretBounds(items) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, property]) => [name, withoutSecretBounds(property)]),
      ),
    }),
  };
}

function isSamePath(a: readonly (string | number)[], b: readonly (string | number)[]): boolean {
  return a.length === b.length && a.every((step, at) => step === b[at]);
}

function pathText(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );
}
