/**
 * What a plugin's package.json says: the keyword that makes the package a WebAssembly plugin, where its file is and
 * what it wants to do. The text is its publisher's.
 */

import { isRecord } from "../delta/delta.ts";
import { signalkErrors } from "../errors.ts";

export const pluginKeyword = "signalk-wasm-plugin";

/** `wasmCapabilities`, with the default of each that is not written. */
export interface WasmCapabilities {
  readonly network: boolean;
  readonly storage: "vfs-only" | "none";
  readonly dataRead: boolean;
  readonly dataWrite: boolean;
  readonly putHandlers: boolean;
  readonly httpEndpoints: boolean;
  readonly resourceProvider: boolean;
  readonly weatherProvider: boolean;
  readonly radarProvider: boolean;
  readonly autopilotProvider: boolean;
  readonly rawSockets: boolean;
  readonly serverEvents: boolean;
  /** The files in its folder `public`. */
  readonly staticFiles: boolean;
}

export interface PluginManifest {
  /** The package's name with `@` and `/` as `_`: the name of its files, its routes and the source of its values. */
  readonly id: string;
  readonly packageName: string;
  readonly version: string;
  readonly description: string;
  readonly keywords: readonly string[];
  /** The package's folder. */
  readonly folder: string;
  /** Of the `.wasm`, relative to the folder and inside of it. */
  readonly wasmFile: string;
  readonly capabilities: WasmCapabilities;
}

/** npm's own limit for a name. */
const nameLengthMax = 214;
const textLengthMax = 2_000;
const keywordsMax = 100;

export function pluginIdOf(packageName: string): string {
  return packageName.replaceAll(/[@/]/g, "_");
}

/** Whether a package.json is a WebAssembly plugin's at all. */
export function isPluginPackage(data: unknown): boolean {
  return isRecord(data) && Array.isArray(data.keywords) && data.keywords.includes(pluginKeyword);
}

export function isPackageName(name: unknown): name is string {
  return typeof name === "string" && name.length <= nameLengthMax && namePattern.test(name);
}

/**
 * Reads a package.json that has the keyword.
 *
 * @throws signalk/bad-package what is wrong with it
 */
export function readManifest(data: unknown, folder: string): PluginManifest {
  if (!isRecord(data)) throw bad(folder, "all", data, "an object");
  const { name, wasmManifest, keywords } = data;
  if (!isPackageName(name)) {
    throw bad(folder, "name", name, "a package's name");
  }
  if (typeof wasmManifest !== "string" || !isInside(wasmManifest)) {
    throw bad(folder, "wasmManifest", wasmManifest, "a path inside the package");
  }
  return {
    id: pluginIdOf(name),
    packageName: name,
    version: text(data.version),
    description: text(data.description),
    keywords: Array.isArray(keywords) ? keywords.slice(0, keywordsMax).map(text) : [],
    folder,
    wasmFile: wasmManifest,
    capabilities: readCapabilities(data.wasmCapabilities, folder),
  };
}

const namePattern = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-zA-Z0-9~-][a-zA-Z0-9._~-]*$/;

function isInside(path: string): boolean {
  if (path === "" || path.startsWith("/") || /[\\:\0]/.test(path)) return false;
  return !path.split("/").includes("..");
}

function readCapabilities(data: unknown, folder: string): WasmCapabilities {
  if (data !== undefined && !isRecord(data)) throw bad(folder, "wasmCapabilities", data, "an object");
  const flag = (name: string, byDefault: boolean): boolean => {
    const value = data?.[name];
    if (value === undefined) return byDefault;
    if (typeof value !== "boolean") throw bad(folder, `wasmCapabilities.${name}`, value, "true or false");
    return value;
  };
  const storage = data?.storage ?? "vfs-only";
  if (storage !== "vfs-only" && storage !== "none") {
    throw bad(folder, "wasmCapabilities.storage", storage, '"vfs-only" or "none"');
  }
  return {
    network: flag("network", false),
    storage,
    dataRead: flag("dataRead", true),
    dataWrite: flag("dataWrite", true),
    putHandlers: flag("putHandlers", false),
    httpEndpoints: flag("httpEndpoints", false),
    resourceProvider: flag("resourceProvider", false),
    weatherProvider: flag("weatherProvider", false),
    radarProvider: flag("radarProvider", false),
    autopilotProvider: flag("autopilotProvider", false),
    rawSockets: flag("rawSockets", false),
    serverEvents: flag("serverEvents", false),
    staticFiles: flag("staticFiles", true),
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, textLengthMax) : "";
}

function bad(folder: string, where: string, found: unknown, expected: string): Error {
  const shown = typeof found === "string" ? JSON.stringify(found.slice(0, 200)) : typeof found;
  return signalkErrors["bad-package"]({ folder, where, found: shown, expected });
}
