/**
 * This host as a plugin of signalk-server: it runs the WebAssembly plugins that are installed there, in place of the
 * server's own loader, and bundles beside them. `settings.interfaces.wasm` is to be false, so that no plugin runs twice.
 */

import { join } from "node:path";
import { isRemoraError } from "remora/base";
import { auditLines } from "remora/sandbox";
import { type PluginSource, pluginRoutes } from "../admin/plugin-routes.ts";
import { systemClock } from "../clock.ts";
import { signalkErrors } from "../errors.ts";
import { Pace } from "../plugin/pace.ts";
import { openPlugins, type Plugins } from "../plugin/plugins.ts";
import { bundleWebapps, webappRoutes } from "../webapps/webapps.ts";
import { bundleSchema, readBundleSettings } from "./bundle-form.ts";
import { expressHandler } from "./express-routes.ts";
import { isolationSchema, readIsolation } from "./isolation-settings.ts";
import { PluginList } from "./plugin-list.ts";
import { takePackageNames } from "./put-sources.ts";
import type { ExpressHandler, ServerApp } from "./server-app.ts";
import { openServerBundles, type ServerBundles } from "./server-bundles.ts";
import { serverPort } from "./server-port.ts";
import { WebappList } from "./webapp-list.ts";

/** As signalk-server sees a plugin. */
export interface NodePlugin {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly schema: () => object;
  /** The packages that run, while it is started. */
  plugins(): Plugins | undefined;
  /** And the bundles, unless their folder cannot be had. */
  bundles(): ServerBundles | undefined;
  /** @param settings As the administration's form keeps them. */
  start(settings?: unknown): Promise<void>;
  stop(): Promise<void>;
}

const id = "remora";
const pluginName = "WebAssembly plugins, by Remora";
const auditLinesPerSecondMax = 20;

export interface NodePluginOptions {
  /** Gets one line at a time, already harmless. */
  readonly log: (line: string) => void;
  /** As in `PluginDeps`. */
  readonly guestClock?: () => number;
}

export function signalkServerPlugin(app: ServerApp, { log, guestClock }: NodePluginOptions): NodePlugin {
  const server = serverPort(app);
  const list = new PluginList(app);
  const webapps = new WebappList(app);
  let plugins: Plugins | undefined;
  let bundles: ServerBundles | undefined;
  let isMounted = false;
  const source: PluginSource = {
    get: (plugin) => plugins?.get(plugin) ?? bundles?.get(plugin),
    all: () => [...(plugins?.all() ?? []), ...(bundles?.all() ?? [])],
  };
  const mount = () => {
    if (isMounted) return;
    isMounted = true;
    // Express cannot unmount; a stopped host has no plugins, and its routes pass everything on.
    app.use(["/skServer", "/"], pluginHandler(source));
    takePackageNames(app, (plugin) => source.get(plugin) !== undefined);
    app.use(
      ["/"],
      webappHandler(webapps, () => bundles),
    );
  };
  return {
    id,
    name: pluginName,
    description: "Runs WebAssembly plugins within limits that hold",
    schema: () => ({
      ...isolationSchema,
      properties: { ...isolationSchema.properties, bundles: bundleSchema(bundles?.held() ?? []) },
    }),
    plugins: () => plugins,
    bundles: () => bundles,
    async start(settings) {
      if (app.config.settings?.interfaces?.wasm !== false) throw signalkErrors["two-loaders"]({});
      const { configPath } = app.config;
      const isolation = readIsolation(settings);
      const shared = {
        server,
        dataFolder: configPath,
        clock: systemClock,
        pace: new Pace(),
        ...(guestClock !== undefined && { guestClock }),
        log: (plugin: string, level: string, text: string) => log(`${plugin}: ${level}: ${text}`),
      };
      const opened = await openPlugins({
        ...shared,
        modulesFolders: modulesFolders(app),
        isolation: isolation.of,
        audit: auditLines(log, { linesPerSecondMax: auditLinesPerSecondMax }),
      });
      for (const error of opened.refused) log(error.message);
      const { plugins: running } = opened;
      plugins = running;
      for (const plugin of running.all()) {
        list.add({ plugin, folder: plugin.manifest.folder, stop: () => plugin.stop() });
      }
      mount();
      try {
        const bundleSettings = readBundleSettings(settings);
        bundles = await openServerBundles(
          { settings: bundleSettings, isolation, list, webapps, log },
          shared,
        );
        // Each can be asked as soon as it runs.
        await bundles.takeIn();
      } catch (error) {
        // Packages run without: the server goes on, and its administration says why there are no bundles.
        if (!isRemoraError(error)) throw error;
        log(error.message);
        app.setPluginError(id, error.message);
        return;
      }
      for (const { plugin, version } of bundles.held()) {
        app.setPluginStatus(
          plugin,
          `Version ${version} waits for your answer in the settings of ${pluginName}`,
        );
      }
    },
    async stop() {
      for (const plugin of list.ids()) list.remove(plugin);
      await bundles?.close();
      await plugins?.close();
      bundles = undefined;
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
function pluginHandler(source: PluginSource): ExpressHandler {
  const isOurs = ([first, plugin]: readonly string[]) =>
    first === "plugins" && plugin !== undefined && source.get(plugin) !== undefined;
  const routes = pluginRoutes(source);
  return expressHandler(() => routes, isOurs);
}

/** Pages of bundles that are webapps, under their names. */
function webappHandler(webapps: WebappList, bundles: () => ServerBundles | undefined): ExpressHandler {
  const routes = () => webappRoutes(bundleWebapps(bundles()?.all() ?? []), (name) => bundles()?.get(name));
  return expressHandler(routes, ([name = ""]) => webapps.has(name));
}
