/** The request that loads a plugin: checked as OmniTAK checks it, and its path kept inside of the plugin folder. */

import { readFile, realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { isBundle, type Json, openBundle } from "remora/bundle";
import { takVocabulary } from "../config/plugins.ts";
import { takErrors } from "../errors.ts";
import { transformerWorld } from "../plugin/shapes.ts";
import { pluginName, wrapPlugin } from "../plugin/wrapped-plugin.ts";
import type { PluginApiOptions } from "./plugin-api.ts";

interface LoadRequest {
  readonly id: string;
  readonly path: string;
  readonly enabled: boolean;
  readonly pluginType: "filter" | "transformer";
  readonly config: Json | undefined;
}

/** A component may be large; a disk image is none. */
const fileBytesMax = 64 * 1024 * 1024;

/** Installs what a request names. @returns The plugin's name. @throws tak/api-request manager/… bundle/… */
export async function loadPlugin(
  body: unknown,
  { manager, pluginFolder }: PluginApiOptions,
): Promise<string> {
  const request = parseLoadRequest(body);
  const path = await insideOf(pluginFolder, request.path);
  const file = await readFile(path);
  if (file.length > fileBytesMax)
    throw takErrors["api-request"]({ problem: '"path" names a file that is too large' });
  const raw = new Uint8Array(file.buffer, file.byteOffset, file.length);
  const bytes = isBundle(raw) ? raw : wrapPlugin(pluginName(request.id), raw, request.config !== undefined);
  const { manifest } = openBundle(bytes, { vocabulary: takVocabulary });
  if (manifest.name !== pluginName(request.id)) {
    throw takErrors["api-request"]({ problem: `"id" must be "${manifest.name}", as the bundle says` });
  }
  const isTransformer = manifest.artifacts.some(({ world }) => world === transformerWorld);
  if (isTransformer !== (request.pluginType === "transformer")) {
    const found = isTransformer ? "transformer" : "filter";
    throw takErrors["api-request"]({ problem: `"pluginType" must be "${found}", as the file is one` });
  }
  const settings = request.config === undefined ? {} : { settings: request.config };
  await manager.install({ bytes, origin: path }, { isEnabled: request.enabled, ...settings });
  return manifest.name;
}

function parseLoadRequest(body: unknown): LoadRequest {
  if (typeof body !== "object" || body === null)
    throw takErrors["api-request"]({ problem: "an object is missing" });
  const { id, path, enabled = false, pluginType, config } = body as Record<string, unknown>; // an object, as just checked
  if (typeof id !== "string" || id.length < 1 || id.length > 100) {
    throw takErrors["api-request"]({ problem: '"id" must have 1 to 100 characters' });
  }
  if (typeof path !== "string" || path.length < 1 || path.length > 500 || path.includes("\0")) {
    throw takErrors["api-request"]({ problem: '"path" must have 1 to 500 characters' });
  }
  if (typeof enabled !== "boolean")
    throw takErrors["api-request"]({ problem: '"enabled" must be true or false' });
  if (pluginType !== "filter" && pluginType !== "transformer") {
    throw takErrors["api-request"]({ problem: '"pluginType" must be "filter" or "transformer"' });
  }
  // An empty object is what clients send for none; what was parsed from JSON is JSON.
  const isNone = config === undefined || config === null || Object.keys(config).length === 0;
  return { id, path, enabled, pluginType, config: isNone ? undefined : (config as Json) };
}

/** With links followed, so that none leads out. */
async function insideOf(folder: string, path: string): Promise<string> {
  const refused = takErrors["api-request"]({ problem: '"path" must name a file in the plugin folder' });
  try {
    const [root, found] = await Promise.all([realpath(folder), realpath(resolve(folder, path))]);
    const inside = relative(root, found);
    if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside))
      throw refused;
    return found;
  } catch (cause) {
    if (cause instanceof Error && "errno" in cause) throw refused;
    throw cause;
  }
}
