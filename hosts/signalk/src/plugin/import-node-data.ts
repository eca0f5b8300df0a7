/**
 * Brings the data of a Node plugin to the WebAssembly plugin that takes its place: its files become the plugin's own,
 * its settings the plugin's settings. The originals stay, so that one can go back.
 */

import { constants } from "node:fs";
import { copyFile, lstat, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { signalkErrors } from "../errors.ts";
import {
  type PluginSettings,
  privateFolderOf,
  readSettings,
  settingsFileOf,
  writeSettings,
} from "./settings-file.ts";

export interface ImportedData {
  readonly files: number;
  readonly hasSettings: boolean;
  /** Names that were there already, or are no plain files. */
  readonly skipped: readonly string[];
}

const filesMax = 10_000;
const bytesMax = 64 * 1024 * 1024;

/** Ids of plugins name files here, so they must not lead anywhere else. */
const idPattern = /^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,213}$/;

/**
 * @param from The Node plugin's id: its folder and its settings file in `plugin-config-data`.
 * @param to   The WebAssembly plugin's id.
 * @throws signalk/settings-file the settings cannot be read or written, or the folder is too large
 */
export async function importNodeData(dataFolder: string, from: string, to: string): Promise<ImportedData> {
  checkId(to);
  const { settings, ...copied } = await copyNodeData(dataFolder, from, privateFolderOf(dataFolder, to));
  const hasSettings = settings.configuration !== undefined && from !== to;
  if (hasSettings) await writeSettings(settingsFileOf(dataFolder, to), { ...settings, enabled: false });
  return { ...copied, hasSettings };
}

export interface CopiedData extends Pick<ImportedData, "files" | "skipped"> {
  /** Of the Node plugin, as they are. */
  readonly settings: PluginSettings;
}

/**
 * Copies the files alone.
 *
 * @param root The WebAssembly plugin's own folder, with `data` in it.
 * @throws signalk/settings-file as above
 */
export async function copyNodeData(dataFolder: string, from: string, root: string): Promise<CopiedData> {
  checkId(from);
  const settings = await readSettings(settingsFileOf(dataFolder, from));
  const copied = { files: 0, bytes: 0, skipped: [] as string[] };
  const source = join(dataFolder, "plugin-config-data", from);
  await copyFolder(source, join(root, "data"), { name: "", isTop: true, copied });
  return { files: copied.files, skipped: copied.skipped, settings };
}

function checkId(id: string): void {
  if (!idPattern.test(id)) throw signalkErrors["settings-file"]({ file: id, reason: "it is no plugin's id" });
}

interface Copying {
  /** Below the source, for messages. */
  readonly name: string;
  readonly isTop: boolean;
  readonly copied: { files: number; bytes: number; readonly skipped: string[] };
}

async function copyFolder(source: string, target: string, { name, isTop, copied }: Copying): Promise<void> {
  // A plugin without files of its own has no folder.
  const entries = await readdir(source, { withFileTypes: true }).catch(() => []);
  if (entries.length === 0) return;
  if (await isTaken(target)) {
    copied.skipped.push(name === "" ? "data" : name);
    return;
  }
  await mkdir(target, { recursive: true });
  for (const entry of entries) {
    // The private root of a WebAssembly plugin with the same id.
    if (isTop && entry.name === "vfs") continue;
    const inner = name === "" ? entry.name : `${name}/${entry.name}`;
    const paths = [join(source, entry.name), join(target, entry.name)] as const;
    if (entry.isDirectory()) await copyFolder(...paths, { name: inner, isTop: false, copied });
    else if (entry.isFile()) await copyOne(...paths, inner, copied);
    else copied.skipped.push(inner); // a link leads where it wants
  }
}

/** By a file, or by a link: the guest may have made it, to have files of the host's written where it leads. */
async function isTaken(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found !== undefined && !found.isDirectory();
}

async function copyOne(
  source: string,
  target: string,
  name: string,
  copied: Copying["copied"],
): Promise<void> {
  copied.bytes += (await lstat(source)).size;
  if (++copied.files > filesMax || copied.bytes > bytesMax) {
    const reason = `it has more than ${filesMax} files or ${bytesMax} bytes`;
    throw signalkErrors["settings-file"]({ file: source, reason });
  }
  try {
    await copyFile(source, target, constants.COPYFILE_EXCL);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // the file system throws nothing else
    if (code !== "EEXIST") throw error;
    copied.files--;
    copied.skipped.push(name);
  }
}
