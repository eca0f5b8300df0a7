/** The request that loads a plugin: checked as OmniTAK checks it, and its path kept inside of the plugin folder. */

import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { readBounded, unreachable } from "remora/base";
import { isBundle, type Json, openBundle } from "remora/bundle";
import { takVocabulary } from "../config/plugins.ts";
import { reasonOf } from "../errors.ts";
import { transformerWorld } from "../plugin/shapes.ts";
import { pluginName, wrapPlugin } from "../plugin/wrapped-plugin.ts";
import {
  described,
  fileName,
  flag,
  object,
  oneOf,
  optional,
  readAs,
  refused,
  schemaOf,
  text,
} from "./body.ts";
import type { PluginRoutesOptions } from "./plugin-routes.ts";

interface LoadRequest {
  readonly id: string;
  readonly path: string;
  /** Undefined where it was not said. */
  readonly enabled: boolean | undefined;
  readonly pluginType: "filter" | "transformer";
  readonly config: Json | undefined;
}

/** A component may be large; a disk image is none. */
const fileBytesMax = 64 * 1024 * 1024;

/** Installs what a request names. @throws tak/api-request manager/… bundle/… */
export async function loadPlugin(
  body: unknown,
  { host: { manager }, pluginFolder }: PluginRoutesOptions,
): Promise<{ readonly id: string; readonly name: string }> {
  const request = parseLoadRequest(body);
  const path = await insideOf(pluginFolder, request.path);
  const raw = await readPlugin(path);
  const bytes = isBundle(raw) ? raw : wrapPlugin(pluginName(request.id), raw, request.config !== undefined);
  const { manifest } = openBundle(bytes, { vocabulary: takVocabulary });
  if (manifest.name !== pluginName(request.id)) {
    throw refused(`"id" must be "${manifest.name}", as the bundle says`);
  }
  const isTransformer = manifest.artifacts.some(({ world }) => world === transformerWorld);
  if (isTransformer !== (request.pluginType === "transformer")) {
    const found = isTransformer ? "transformer" : "filter";
    throw refused(`"pluginType" must be "${found}", as the file is one`);
  }
  const settings = request.config === undefined ? {} : { settings: request.config };
  // OmniTAK's default is for a plugin that is new; another version of one that runs goes on.
  const isThere = manager.list().some(({ name, version }) => name === manifest.name && version !== undefined);
  const isEnabled = request.enabled ?? (isThere ? undefined : false);
  await manager.install(
    { bytes, origin: path },
    { ...(isEnabled !== undefined && { isEnabled }), ...settings },
  );
  return { id: request.id, name: manifest.name };
}

const shape = {
  id: text({ max: 100 }),
  path: described(fileName, "In the plugin folder: a component, or a bundle"),
  enabled: optional(flag),
  pluginType: oneOf("filter", "transformer"),
  config: optional(object),
};

export const loadSchema = schemaOf(shape);

function parseLoadRequest(body: unknown): LoadRequest {
  const { config = {}, ...fields } = readAs(shape, body);
  // An empty object is what clients send for none; what was parsed from JSON is JSON.
  return { ...fields, config: Object.keys(config).length === 0 ? undefined : (config as Json) };
}

// A pipe that nobody writes to would be opened when somebody does. Windows has no such flag, and no such pipes.
const withoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

async function readPlugin(path: string): Promise<Uint8Array> {
  const found = await readBounded(() => open(path, withoutWaiting), fileBytesMax);
  switch (found.kind) {
    case "whole":
      return found.bytes;
    case "too-large":
      throw refused(`"path" must name a file of at most ${fileBytesMax} bytes`);
    case "special":
      throw refused(outside);
    case "refused":
      throw refused(`"path" must name a file that can be read: ${reasonOf(found.cause)}`);
    default:
      return unreachable(found);
  }
}

const outside = '"path" must name a file in the plugin folder';

/** With links followed, so that none leads out. */
async function insideOf(folder: string, path: string): Promise<string> {
  try {
    const [root, found] = await Promise.all([realpath(folder), realpath(resolve(folder, path))]);
    const inside = relative(root, found);
    if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside))
      throw refused(outside);
    return found;
  } catch (cause) {
    if (cause instanceof Error && "errno" in cause) throw refused(outside);
    throw cause;
  }
}
