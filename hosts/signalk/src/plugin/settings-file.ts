/**
 * A plugin's settings, where signalk-server keeps them: `plugin-config-data/{id}.json`, beside the plugin's own
 * folder and out of its reach. Settings of a Node plugin with the same id are read as they are.
 */

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isRecord } from "../delta/delta.ts";
import { signalkErrors } from "../errors.ts";

export interface PluginSettings {
  readonly enabled: boolean;
  readonly enableDebug: boolean;
  /** Undefined until somebody configured the plugin: the admin page then offers to. */
  readonly configuration: Readonly<Record<string, unknown>> | undefined;
}

export const settingsDefault: PluginSettings = {
  enabled: false,
  enableDebug: false,
  configuration: undefined,
};

/** Larger settings are none that a form has made. */
export const settingsBytesMax = 1024 * 1024;

export function settingsFileOf(dataFolder: string, id: string): string {
  return join(dataFolder, "plugin-config-data", `${id}.json`);
}

/** The plugin's own root, with `data`, `config` and `tmp` in it. */
export function privateFolderOf(dataFolder: string, id: string): string {
  return join(dataFolder, "plugin-config-data", id, "vfs");
}

/** @throws signalk/settings-file it is there and cannot be used */
export async function readSettings(file: string): Promise<PluginSettings> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw signalkErrors["settings-file"]({ file, reason: cause.code ?? "it cannot be read" }, cause);
  });
  if (text === undefined) return settingsDefault;
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw signalkErrors["settings-file"]({ file, reason: "it is no JSON" }, cause);
  }
  if (!isRecord(data)) throw signalkErrors["settings-file"]({ file, reason: "it is no object" });
  return settingsOf(data);
}

/** What is not written, or of another kind, has its default. */
export function settingsOf(data: Readonly<Record<string, unknown>>): PluginSettings {
  const { enabled, enableDebug, configuration } = data;
  return {
    enabled: enabled === true,
    enableDebug: enableDebug === true,
    configuration: isRecord(configuration) ? configuration : undefined,
  };
}

/** Writes beside the file and renames: a reader finds the old settings or the new ones. */
export async function writeSettings(file: string, settings: PluginSettings): Promise<void> {
  const unfinished = `${file}.new`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(unfinished, `${JSON.stringify(settings, undefined, 2)}\n`);
    await rename(unfinished, file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException; // the file system throws nothing else
    throw signalkErrors["settings-file"]({ file, reason: code ?? "it cannot be written" }, cause);
  }
}
