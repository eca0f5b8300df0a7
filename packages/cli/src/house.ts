/**
 * The plugins that a command is about: those of a folder. When a program holds the folder, the command goes through its
 * admin interface; else the command opens the folder itself.
 */

import type { Operations } from "@remora/admin";
import { Option } from "commander";
import type { TrustRule, TrustStore } from "remora/bundle";
import { harmless } from "remora/policy";
import { cliErrors } from "./errors.ts";
import { hasFolder } from "./read-input.ts";
import type { System } from "./system.ts";
import { makeFolder } from "./write-output.ts";

/**
 * What a command wants of the folder: `look` runs no plugin, `change` does when nobody else runs them, `live` is about
 * plugins that run and needs a program that holds the folder. `develop` is a `change` by whoever writes the plugin:
 * it gives what is asked for and takes what nobody signed.
 */
export type HouseUse = "look" | "change" | "live" | "develop";

export interface HouseOptions {
  readonly folder: string;
  readonly use: HouseUse;
  /** Where the command opens the folder itself: the lowest level that runs, and whose signatures count. */
  readonly trust?: TrustRule;
  readonly keys?: TrustStore;
  /** Hosts besides those that come with the program, where it opens the folder itself. */
  readonly hostPackages?: readonly string[];
  /** Told when another command holds the folder, before it is waited for. */
  readonly onWait?: () => void;
  /** Told of what could not be written down, where the command opens the folder itself. */
  readonly onTrouble?: (code: string, reason: string) => void;
  /** Told of a change that was interrupted and is whole again, because the command opened the folder itself. */
  readonly onRecovered?: (plugin: string, what: string) => void;
}

export interface House extends Operations {
  /** Whether another program runs these plugins. */
  readonly isRunning: boolean;
}

/**
 * Rejects with `manager/folder-held` when a program holds the folder that has no admin interface, or another command for longer than
 * it is waited for.
 */
export type OpenHouse = (options: HouseOptions) => Promise<House>;

export interface FolderOptions {
  readonly folder?: string;
}

export function folderOption(): Option {
  return new Option(
    "-f, --folder <folder>",
    "the folder that a manager keeps its plugins in (default: REMORA_FOLDER, or .remora)",
  );
}

export function folderOf(system: System, { folder }: FolderOptions): string {
  return folder ?? system.pluginFolder;
}

/**
 * The folder of a command that is about what is in it already: one that is not there was mistyped.
 *
 * @throws cli/no-folder cli/cannot-read
 */
export async function folderThere(system: System, options: FolderOptions): Promise<string> {
  const folder = folderOf(system, options);
  if (await hasFolder(system, folder)) return folder;
  throw cliErrors["no-folder"]({ folder });
}

/**
 * The folder of a command by which plugins come to run, made if it is not there; that it is a new one is said, in case it
 * was mistyped.
 *
 * @throws cli/cannot-write cli/cannot-read
 */
export async function folderMade(system: System, options: FolderOptions): Promise<string> {
  const folder = folderOf(system, options);
  if (!(await hasFolder(system, folder))) {
    await makeFolder(system, folder, "secret");
    system.err.write(`made the folder "${harmless(folder)}"\n`);
  }
  return folder;
}

/**
 * Opens the folder for one command, and closes it.
 *
 * @throws cli/no-folder    it is not there, and the command begins none
 * @throws cli/cannot-write it is not there and cannot be made
 * @throws cli/not-served   it takes plugins that run, and no program runs them
 */
export async function withHouse<Result>(
  system: System,
  open: OpenHouse,
  options: Omit<HouseOptions, "folder"> & FolderOptions & { readonly mayBeNew?: boolean },
  act: (house: House) => Promise<Result>,
): Promise<Result> {
  const folder = await (options.mayBeNew ? folderMade : folderThere)(system, options);
  const onTrouble = (code: string, reason: string) => system.err.write(`${code}: ${harmless(reason, 500)}\n`);
  const onRecovered = (plugin: string, what: string) =>
    system.err.write(`${harmless(`${plugin}: ${what}`, 500)}\n`);
  const onWait = () => system.err.write(`${waitLine(folder)}\n`);
  const told = { onTrouble, onRecovered, onWait };
  const house = await open({ ...options, folder, hostPackages: system.hostPackages, ...told });
  try {
    if (options.use === "live" && !house.isRunning) throw cliErrors["not-served"]({ folder });
    return await act(house);
  } finally {
    await house.close();
  }
}

/** What is said before another command is waited for. */
export function waitLine(folder: string): string {
  return `another command holds "${harmless(folder)}": it is waited for`;
}
