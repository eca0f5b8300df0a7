/**
 * Calls from plugin to plugin. What a plugin imports and a plugin that it needs exports is linked through the manager:
 * the types are compared when it is installed, each call goes to the version that serves then, within what is left of
 * the caller's deadline, and since plugins that need each other are not installed, no call comes back to its caller.
 */

import { isRemoraError } from "../../base/index.ts";
import { type Bundle, type Manifest, openBundle } from "../../bundle/index.ts";
import {
  asyncHostFunction,
  ComponentError,
  decodeComponent,
  type ExternType,
  functionName,
  isComponent,
  prepareComponent,
  slowHostFunction,
} from "../../component/index.ts";
import type { GuestAccess, HostImports } from "../../engine/index.ts";
import type { Vocabulary } from "../../policy/index.ts";
import { managerErrors } from "../errors.ts";
import type { ManagedPlugin } from "../managed-plugin.ts";
import type { BundleStore } from "../store/bundle-store.ts";
import type { Entry } from "../store/entry.ts";
import { budgetOf, inTimeOf } from "./callers-time.ts";

/** An interface that one plugin imports and another exports. */
export interface PluginInterface {
  readonly name: string;
  /** Who exports it. */
  readonly plugin: string;
  /** As the component names them. */
  readonly functions: readonly string[];
}

export interface Neighbours {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly store: BundleStore;
  readonly vocabulary: Vocabulary;
}

type Exports = ReadonlyMap<string, ExternType>;

const none: Exports = new Map();

/**
 * The interfaces that a plugin gets from those that it needs.
 *
 * @param file The artifact that runs.
 * @throws manager/interface one of them has a function of another type, or lacks it
 */
export async function interfacesFor(
  bundle: Bundle,
  file: string,
  neighbours: Neighbours,
): Promise<readonly PluginInterface[]> {
  const { dependencies, name } = bundle.manifest;
  if (dependencies.size === 0) return [];
  const imports = itemsOf(bundle.read(file), "imports");
  const found: PluginInterface[] = [];
  for (const needs of dependencies.keys()) {
    const exports = await exportsOf(needs, neighbours);
    for (const [item, wanted] of imports) {
      const given = exports.get(item);
      if (wanted.kind !== "instance" || given?.kind !== "instance") continue;
      const functions = functionsOf(wanted.exports);
      checkTypes({ plugin: name, needs, name: item }, functions, given.exports);
      if (functions.size > 0) found.push({ name: item, plugin: needs, functions: [...functions.keys()] });
    }
  }
  return found;
}

/**
 * That a version of a plugin still exports what those that need it import.
 *
 * @throws manager/interface it lacks a function, or has one of another type
 */
export async function checkDependents(
  bundle: Bundle,
  file: string,
  dependents: Iterable<string>,
  neighbours: Neighbours,
): Promise<void> {
  let known: Exports | undefined;
  for (const dependent of dependents) {
    // Decoded only where somebody needs it.
    known ??= itemsOf(bundle.read(file), "exports");
    const exports = known;
    const { manifest, imports } = await importsOf(dependent, neighbours);
    const { name } = bundle.manifest;
    // One that was removed comes back: those that are disabled and need it say when they are enabled what is missing.
    const isThere = neighbours.entries.get(name)?.current !== undefined;
    const before = isThere ? await exportsOf(name, neighbours) : exports;
    for (const [item, wanted] of imports) {
      // Only what this plugin gives now: the rest comes from the host.
      if (wanted.kind !== "instance" || before.get(item)?.kind !== "instance") continue;
      const given = exports.get(item);
      const about = { plugin: manifest.name, needs: name, name: item };
      checkTypes(about, functionsOf(wanted.exports), given?.kind === "instance" ? given.exports : none);
    }
  }
}

/** Names as `checkImports` takes them. */
export function interfaceNames(interfaces: readonly PluginInterface[]): string[] {
  return interfaces.map(({ name }) => name);
}

/** The host objects of these interfaces, for one guest. */
export function linkInterfaces(
  interfaces: readonly PluginInterface[],
  guest: GuestAccess,
  pluginOf: (name: string) => ManagedPlugin,
): HostImports {
  return Object.fromEntries(
    interfaces.map(({ name, plugin, functions }) => {
      const target = pluginOf(plugin);
      const linked = functions.map((each) => [
        functionName(each),
        linkFunction([name, functionName(each)], target, guest),
      ]);
      return [name, Object.fromEntries(linked)];
    }),
  );
}

/** Where the other plugin answers by promises, as behind a wall, its caller waits for it. */
function linkFunction(path: readonly string[], target: ManagedPlugin, guest: GuestAccess) {
  if (target.serving?.answersAtOnce === false) {
    return asyncHostFunction(async (...args: unknown[]) => {
      try {
        return await inTimeOf(guest, target, (options) => target.call(path, args, options));
      } catch (error) {
        throw asCallers(error, path, target);
      }
    });
  }
  return slowHostFunction((...args: unknown[]) => {
    try {
      return target.callNow(path, args, budgetOf(guest, target));
    } catch (error) {
      throw asCallers(error, path, target);
    }
  });
}

/** The world's own `err` is the caller's to have; a failure of the other plugin is not the caller's fault. */
function asCallers(error: unknown, path: readonly string[], { name }: ManagedPlugin): unknown {
  if (error instanceof ComponentError || !isRemoraError(error)) return error;
  return managerErrors["call-failed"]({ plugin: name, path: path.join("."), code: error.code }, error);
}

function itemsOf(bytes: Uint8Array, side: "imports" | "exports"): Exports {
  return isComponent(bytes) ? prepareComponent(decodeComponent(bytes))[side] : none;
}

async function exportsOf(plugin: string, neighbours: Neighbours): Promise<Exports> {
  return (await itemsOfInstalled(plugin, "exports", neighbours)).items;
}

async function importsOf(
  plugin: string,
  neighbours: Neighbours,
): Promise<{ readonly manifest: Manifest; readonly imports: Exports }> {
  const { manifest, items } = await itemsOfInstalled(plugin, "imports", neighbours);
  return { manifest, imports: items };
}

/** Of all artifacts of the version that runs: which of them that is, is its host's choice. */
async function itemsOfInstalled(
  plugin: string,
  side: "imports" | "exports",
  { entries, store, vocabulary }: Neighbours,
): Promise<{ readonly manifest: Manifest; readonly items: Exports }> {
  const current = entries.get(plugin)?.current;
  if (current === undefined) throw managerErrors["no-such-plugin"]({ name: plugin, near: [], here: [] });
  const bundle = openBundle(await store.read(current.sha256), { vocabulary });
  const items = bundle.artifacts.flatMap(({ file }) => [...itemsOf(bundle.read(file), side)]);
  return { manifest: bundle.manifest, items: new Map(items) };
}

function functionsOf(items: Exports): ReadonlyMap<string, ExternType> {
  return new Map([...items].filter(([, item]) => item.kind === "func"));
}

/** Handles, streams and futures belong to one guest: of another one's memory they mean nothing. */
const unshared = /"kind":"(own|borrow|stream|future|error-context)"/;

function checkTypes(
  about: { readonly plugin: string; readonly needs: string; readonly name: string },
  wanted: ReadonlyMap<string, ExternType>,
  given: Exports,
): void {
  for (const [name, type] of wanted) {
    const text = JSON.stringify(type);
    const found = given.get(name);
    const problem =
      found === undefined
        ? "it is not there"
        : unshared.test(text)
          ? "a handle, a stream or a future cannot go from plugin to plugin"
          : JSON.stringify(found) !== text
            ? "it is of another type"
            : undefined;
    if (problem !== undefined) throw managerErrors.interface({ ...about, function: name, problem });
  }
}
