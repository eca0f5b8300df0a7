/** A server that is like signalk-server where it matters, with this host as its plugin, for tests. */

import { EventEmitter } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Delta } from "../delta/delta.ts";
import { pluginIdOf } from "../plugin/manifest.ts";
import { type NodePlugin, signalkServerPlugin } from "../signalk-server/node-plugin.ts";
import type { ExpressHandler, ExpressLayer, ListedPlugin } from "../signalk-server/server-app.ts";
import { type PluginPackage, temporaryFolder, writePackage } from "./boats.ts";

/** @param packages Installed there, with entries as the server's own loader makes them when it is switched off. */
export async function likeSignalkServer(
  t: TestContext,
  packages: readonly PluginPackage[],
  interfaces: { wasm?: boolean } = { wasm: false },
) {
  let plugin: NodePlugin | undefined;
  // Before the folder goes, since it may still be writing there.
  t.after(() => plugin?.stop());
  const configPath = await temporaryFolder(t);
  for (const each of packages) await writePackage(join(configPath, "node_modules"), each);
  const messages: { source: string; delta: Delta; version: string | undefined }[] = [];
  const puts = new Map<string, (context: string, path: string, value: unknown) => Promise<unknown>>();
  // biome-ignore lint/suspicious/noExplicitAny: a provider as signalk-server gets it
  const resources = new Map<string, any>();
  const statuses = new Map<string, string>();
  const handlers: ExpressHandler[] = [];
  const disabled = packages.map(({ name }) => ({ id: pluginIdOf(name), name, state: "disabled" }));
  const app = Object.assign(new EventEmitter(), {
    selfId: "urn:mrn:signalk:uuid:1",
    config: { configPath, settings: { interfaces } },
    signalk: Object.assign(new EventEmitter(), {
      self: { navigation: { speedOverGround: { value: 3.5, $source: "gps" } } },
      retrieve: () => ({}),
    }),
    plugins: [{ id: "other", name: "Other" }, ...disabled] as ListedPlugin[],
    pluginsMap: Object.fromEntries(disabled.map((entry) => [entry.id, entry])) as Record<
      string,
      ListedPlugin
    >,
    webapps: [{ name: "chart" }] as readonly unknown[],
    setPluginStatus: (name: string, message: string) => void statuses.set(name, message),
    setPluginError: (name: string, message: string) => void statuses.set(name, `error: ${message}`),
    handleMessage: (source: string, delta: Delta, version?: string) =>
      void messages.push({ source, delta, version }),
    registerActionHandler(
      _context: string,
      path: string,
      _source: string,
      handle: (context: string, path: string, value: unknown) => Promise<unknown>,
    ) {
      puts.set(path, handle);
      return () => void puts.delete(path);
    },
    resourcesApi: {
      register: (plugin: string, provider: object) => void resources.set(plugin, provider),
      unRegister: (plugin: string) => void resources.delete(plugin),
    },
    _router: { stack: [{ route: { path: "/signalk/v1/api/*", methods: { put: true } } }] as ExpressLayer[] },
    use(_paths: string[], handler: ExpressHandler) {
      handlers.push(handler);
      app._router.stack.push({});
    },
  });
  const lines: string[] = [];
  plugin = signalkServerPlugin(app, { log: (line) => lines.push(line) });
  const request = (
    path: string,
    method = "GET",
    body: unknown = {},
    mounted: ExpressHandler | undefined = handlers[0],
  ) =>
    new Promise<{ status: number; text: string } | "passed on">((resolve, reject) => {
      let status = 0;
      const response = {
        status(code: number) {
          status = code;
          return response;
        },
        set: () => response,
        send: (text: string) => resolve({ status, text }),
      };
      mounted?.({ method, path, query: {}, headers: {}, body }, response, (error) =>
        error === undefined ? resolve("passed on") : reject(error),
      );
    });
  const enable = async (id = "_test_anchor") => {
    const answer = await request(`/plugins/${id}/config`, "POST", {
      enabled: true,
      enableDebug: true,
      configuration: {},
    });
    // It may still be starting then.
    do await new Promise((resolve) => setImmediate(resolve));
    while (app.pluginsMap[id]?.state === "starting");
    return answer;
  };
  /** Below the names of bundles that are webapps. */
  const page = (path: string) => request(path, "GET", {}, handlers[2]);
  return { app, page, statuses, plugin, messages, puts, resources, handlers, request, enable, lines };
}
