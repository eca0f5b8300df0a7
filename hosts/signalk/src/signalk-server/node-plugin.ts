/**
 * This host as a plugin of signalk-server: it runs the WebAssembly plugins that are installed there, in place of the
 * server's own loader. `settings.interfaces.wasm` is to be false, so that no plugin runs twice.
 */

import { join } from "node:path";
import { auditLines } from "remora/sandbox";
import { type PluginSource, pluginJson, pluginRoutes } from "../admin/plugin-routes.ts";
import { systemClock } from "../clock.ts";
import { signalkErrors } from "../errors.ts";
import { Pace } from "../plugin/pace.ts";
import type { SignalkPlugin } from "../plugin/plugin.ts";
import { openPlugins, type Plugins } from "../plugin/plugins.ts";
import { expressHandler } from "./express-routes.ts";
import { isolationSchema, readIsolation } from "./isolation-settings.ts";
import { takePackageNames } from "./put-sources.ts";
import type { ExpressHandler, ServerApp } from "./server-app.ts";
import { serverPort } from "./server-port.ts";

/** As signalk-server sees a plugin. */
export interface NodePlugin {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly schema: () => object;
  /** What runs, while it is started. */
  plugins(): Plugins | undefined;
  /** @param settings As the administration's form keeps them. */
  start(settings?: unknown): Promise<void>;
  stop(): Promise<void>;
}

const auditLinesPerSecondMax = 20;

export interface NodePluginOptions {
  /** Gets one line at a time, already harmless. */
  readonly log: (line: string) => void;
  /** As in `PluginDeps`. */
  readonly guestClock?: () => number;
}

export function signalkServerPlugin(app: ServerApp, { log, guestClock }: NodePluginOptions): NodePlugin {
  const server = serverPort(app);
  let plugins: Plugins | undefined;
  let isMounted = false;
  return {
    id: "remora",
    name: "WebAssembly plugins, by Remora",
    description: "Runs WebAssembly plugins within limits that hold",
    schema: () => isolationSchema,
    plugins: () => plugins,
    async start(settings) {
      if (app.config.settings?.interfaces?.wasm !== false) throw signalkErrors["two-loaders"]({});
      const opened = await openPlugins({
        server,
        dataFolder: app.config.configPath,
        modulesFolders: modulesFolders(app),
        clock: systemClock,
        pace: new Pace(),
        isolation: readIsolation(settings),
        ...(guestClock !== undefined && { guestClock }),
        audit: auditLines(log, { linesPerSecondMax: auditLinesPerSecondMax }),
        log: (plugin, level, text) => log(`${plugin}: ${level}: ${text}`),
      });
      for (const error of opened.refused) log(error.message);
      const { plugins: running } = opened;
      plugins = running;
      for (const plugin of running.all()) list(app, plugin);
      if (isMounted) return;
      isMounted = true;
      // Express cannot unmount; a stopped host has no plugins, and its routes pass everything on.
      app.use(
        ["/skServer", "/"],
        pluginHandler(() => plugins),
      );
      takePackageNames(app, (id) => plugins?.get(id) !== undefined);
    },
    async stop() {
      for (const plugin of plugins?.all() ?? []) unlist(app, plugin.id);
      await plugins?.close();
      plugins = undefined;
    },
  };
}

/** Where npm puts what is installed for a server, and what came with it. */
function modulesFolders({ config }: ServerApp): string[] {
  const folders = [config.configPath, ...(config.appPath === undefined ? [] : [config.appPath])];
  return folders.map((folder) => join(folder, "node_modules"));
}

/** Answers for single plugins of ours; their list, and the paths of other plugins, are the server's own. */
function pluginHandler(running: () => Plugins | undefined): ExpressHandler {
  const source: PluginSource = {
    get: (id) => running()?.get(id),
    all: () => running()?.all() ?? [],
  };
  const isOurs = ([first, id]: readonly string[]) =>
    first === "plugins" && id !== undefined && source.get(id) !== undefined;
  return expressHandler(pluginRoutes(source), isOurs);
}

/** Into the server's list; in place of the entry that its loader makes when it is switched off. */
function list(app: ServerApp, plugin: SignalkPlugin): void {
  unlist(app, plugin.id);
  const entry = {
    ...pluginJson(plugin),
    packageLocation: plugin.manifest.folder,
    // Read each time: what they say changes while the plugin runs.
    get name() {
      return plugin.name;
    },
    get schema() {
      return plugin.schema;
    },
    get state() {
      return plugin.state;
    },
    get enabled() {
      return plugin.settings.enabled;
    },
    get started() {
      return plugin.state === "running";
    },
    stop: () => plugin.stop(),
  };
  app.plugins.push(entry);
  app.pluginsMap[plugin.id] = entry;
  // What it said before it had a name here.
  if (plugin.statusMessage !== "") app.setPluginStatus(plugin.name, plugin.statusMessage);
}

function unlist(app: ServerApp, id: string): void {
  const at = app.plugins.findIndex((each) => each.id === id);
  if (at >= 0) app.plugins.splice(at, 1);
  delete app.pluginsMap[id];
}
