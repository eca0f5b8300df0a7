/**
 * The plugins of a configuration, through their manager. What the file names is installed when it is not there yet; what
 * an operator made of it since (an update, a rollback) stays, for as long as the file's own bundle is a version that
 * is kept.
 */

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { isRemoraError } from "remora/base";
import { type Bundle, isBundle, openBundle, parseTrustStore, type TrustRule } from "remora/bundle";
import {
  type Asker,
  askNobody,
  type ManagedPlugin,
  type Manager,
  type ManagerPolicy,
  openManager,
  type PluginPolicy,
  packFolder,
} from "remora/manager";
import { takVocabulary } from "../config/plugins.ts";
import type { PluginSettings, TakConfig } from "../config/settings.ts";
import { reasonOf, takErrors } from "../errors.ts";
import type { OpenTakHostOptions } from "../host.ts";
import { ChainPlugin } from "./chain-plugin.ts";
import { takPluginHost } from "./plugin-host.ts";
import { pluginName, wrapPlugin } from "./wrapped-plugin.ts";

export interface OpenedPlugins {
  readonly manager: Manager;
  readonly plugins: readonly ChainPlugin[];
}

/**
 * @throws tak/plugin-file tak/plugin-twice tak/plugin-shape
 * @throws manager/…       nothing is left open
 */
export async function openPlugins(config: TakConfig, options: OpenTakHostOptions): Promise<OpenedPlugins> {
  const { host, who = "a TAK host", asker = askNobody, onEvent } = options;
  const named = await readPlugins(config);
  const manager = await openManager({
    folder: resolve(dirname(config.file), config.managerFolder),
    hosts: [
      takPluginHost(host, new Map(named.map(({ bundle, settings }) => [bundle.manifest.name, settings]))),
    ],
    policy: await policyOf(config, named),
    bundles: named.map(({ bundle }) => bundle),
    ...(host.audit !== undefined && { audit: host.audit }),
    who,
    asker,
    onEvent: (event) => {
      if (event.kind === "log") {
        host.log(event.plugin, event.level === "critical" ? "error" : event.level, event.text);
      }
      onEvent?.(event);
    },
  });
  try {
    const plugins: ChainPlugin[] = [];
    for (const one of named) {
      const { settings, path } = one;
      plugins.push(new ChainPlugin(settings.id, await install(one, manager, asker), manager));
      const refOf = async () => ({ bytes: await readAgain(one), origin: path });
      if (config.hotReload) manager.watch(path, refOf, { trust: vouched });
    }
    return { manager, plugins };
  } catch (error) {
    await manager.close();
    throw error;
  }
}

/** A plugin that the file names. */
interface Named {
  readonly settings: PluginSettings;
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly bundle: Bundle;
}

async function readPlugins(config: TakConfig): Promise<Named[]> {
  const wanted = config.chain.flatMap((entry) => (entry.kind === "plugin" ? [entry.plugin] : []));
  // All at once, since the disk is what takes the time.
  const files = await Promise.all(
    wanted.map(async (settings) => {
      const path = resolve(dirname(config.file), config.pluginDir, settings.path);
      return { settings, path, bytes: await readPlugin(settings, path) };
    }),
  );
  const named: Named[] = [];
  for (const { settings, path, bytes } of files) {
    const bundle = openBundle(bytes, { vocabulary: takVocabulary });
    const { name } = bundle.manifest;
    const twin = named.find((other) => other.bundle.manifest.name === name);
    if (twin !== undefined) {
      throw takErrors["plugin-twice"]({ plugin: name, ids: [twin.settings.id, settings.id] });
    }
    named.push({ settings, path, bytes, bundle });
  }
  return named;
}

/** A bundle, a folder that is packed, or a component that comes without a manifest. */
async function readPlugin({ id, config }: PluginSettings, path: string): Promise<Uint8Array> {
  try {
    const bytes = await readUnlessFolder(path);
    if (bytes === undefined) return await packFolder(path, takVocabulary);
    return isBundle(bytes) ? bytes : wrapPlugin(pluginName(id), bytes, config !== undefined);
  } catch (cause) {
    if (!(cause instanceof Error && "errno" in cause)) throw cause;
    throw takErrors["plugin-file"]({ plugin: id, path, reason: reasonOf(cause) }, cause);
  }
}

/** What the file has now. Its place in the chain, and what it is vouched for, is that of the plugin that it had. */
async function readAgain({ settings, path, bundle: before }: Named): Promise<Uint8Array> {
  const bytes = await readPlugin(settings, path);
  const { name: plugin } = before.manifest;
  const found = nameOf(bytes);
  if (found !== undefined && found !== plugin) throw takErrors["plugin-renamed"]({ plugin, path, found });
  return bytes;
}

/** None of one that cannot be read, of which the install says what is wrong. */
function nameOf(bytes: Uint8Array): string | undefined {
  try {
    return openBundle(bytes, { vocabulary: takVocabulary }).manifest.name;
  } catch (error) {
    if (isRemoraError(error)) return undefined;
    throw error;
  }
}

/** None of a folder; without a look before, which a file of each plugin would cost at a start. */
async function readUnlessFolder(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EISDIR") return undefined;
    throw error;
  }
}

/** Whoever wrote the file vouches for what it names, whoever has signed that. */
const vouched: TrustRule = "unsigned";

/** What comes otherwise has to be trusted, also where it is a version of a plugin that the file names. */
async function policyOf(config: TakConfig, named: readonly Named[]): Promise<ManagerPolicy> {
  const plugins: Record<string, PluginPolicy> = {};
  for (const { bundle, settings } of named) {
    const { grants, limits, isolation } = settings;
    plugins[bundle.manifest.name] = { grants, limits, isolation };
  }
  const { trust, trustedKeys, grantable } = config;
  const keysFile = trustedKeys && resolve(dirname(config.file), trustedKeys);
  return {
    trust,
    plugins,
    // What this host cannot give nobody gives, in the file or by hand.
    denials: [...takVocabulary.values()]
      .filter(({ name }) => !grantable.has(name))
      .map(({ name }) => ({ capability: name })),
    ...(keysFile && { keys: parseTrustStore(await readKeys(keysFile), keysFile) }),
  };
}

async function readKeys(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw takErrors["config-file"]({ path, reason: reasonOf(cause) }, cause);
  }
}

async function install(
  { settings: { config }, path, bytes, bundle }: Named,
  manager: Manager,
  asker: Asker,
): Promise<ManagedPlugin> {
  const { name } = bundle.manifest;
  const settings = config === undefined ? {} : { settings: config };
  if (!isKept(name, bundle.digest, manager)) {
    const options = { ...settings, isEnabled: true, trust: vouched, asker: vouching(asker) };
    return manager.install({ bytes, origin: path }, options);
  }
  if (config !== undefined && !isDeepStrictEqual(config, await manager.settings(name))) {
    await manager.changeSettings(name, config);
  }
  return manager.get(name);
}

/** Whoever wrote the file vouches for who published what it names; what that asks for beyond the file is asked for. */
function vouching(asker: Asker): Asker {
  return async (request) => {
    if (request.items.length === 0) return { kind: "given", items: [], acceptsPublisher: true };
    const consent = await asker(request);
    return consent.kind === "given" ? { ...consent, acceptsPublisher: true } : consent;
  };
}

function isKept(name: string, digest: string, manager: Manager): boolean {
  if (!manager.has(name)) return false;
  const { current, previous } = manager.versions(name);
  return [current, ...previous].some((version) => version?.digest === digest);
}
