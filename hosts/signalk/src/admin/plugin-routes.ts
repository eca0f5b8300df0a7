/**
 * What signalk-server's administration asks of plugins, with the same JSON, so that its pages and its clients work; and
 * a few verbs that it lacks. Each path stands below `/skServer` and, as there, without it.
 */

import { isRecord } from "../delta/delta.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import { failed, notFound, ok } from "../http/exchange.ts";
import { told } from "../http/provider-routes.ts";
import { type Route, route } from "../http/router.ts";
import { importNodeData } from "../plugin/import-node-data.ts";
import type { SignalkPlugin } from "../plugin/plugin.ts";
import type { Plugins } from "../plugin/plugins.ts";
import { settingsOf } from "../plugin/settings-file.ts";

/** Where plugins are found: all of a server's, or of one that may be stopped. */
export type PluginSource = Pick<Plugins, "get" | "all" | "deps">;

export function pluginRoutes(plugins: PluginSource): Route[] {
  return ["/skServer", ""].flatMap((prefix) => {
    const base = `${prefix}/plugins`;
    const of = (answer: (plugin: SignalkPlugin, request: ApiRequest) => ApiResponse | Promise<ApiResponse>) =>
      told((request) => {
        const plugin = plugins.get(request.params.id ?? "");
        return plugin === undefined ? notFound : answer(plugin, request);
      });
    return [
      route("GET", base, () => ok(plugins.all().map(pluginJson))),
      route(
        "GET",
        `${base}/:id`,
        of((plugin) => ok(briefJson(plugin))),
      ),
      route(
        "GET",
        `${base}/:id/config`,
        of((plugin) => ok(plugin.settings)),
      ),
      route("POST", `${base}/:id/config`, of(configure)),
      route(
        "GET",
        `${base}/:id/grants`,
        of((plugin) => ok(plugin.grants)),
      ),
      route("POST", `${base}/:id/reload`, of(reload)),
      route(
        "POST",
        `${base}/:id/import`,
        of((plugin, { body }) => importFrom(plugins, plugin, body)),
      ),
      route("*", `${base}/:id/*`, of(serve)),
    ];
  });
}

/** An entry of the list, from which the administration builds its forms. */
export function pluginJson(plugin: SignalkPlugin) {
  const { manifest, settings } = plugin;
  return {
    id: plugin.id,
    name: plugin.name,
    packageName: manifest.packageName,
    keywords: manifest.keywords,
    version: manifest.version,
    description: manifest.description,
    schema: plugin.schema,
    statusMessage: plugin.statusMessage,
    state: plugin.state,
    data: settings,
    type: "wasm",
    bundled: false,
  };
}

function briefJson(plugin: SignalkPlugin) {
  const { id, name, manifest, settings } = plugin;
  return { enabled: settings.enabled, enabledByDefault: false, id, name, version: manifest.version };
}

async function configure(plugin: SignalkPlugin, { body }: ApiRequest): Promise<ApiResponse> {
  if (!isRecord(body)) return failed(400, "Cannot save settings: expected an object");
  await plugin.configure(settingsOf({ ...plugin.settings, ...body }));
  return ok(`Saved configuration for plugin ${plugin.id}`);
}

async function reload(plugin: SignalkPlugin): Promise<ApiResponse> {
  await plugin.reload();
  return ok(`Reloaded plugin ${plugin.id}`);
}

async function importFrom(plugins: PluginSource, plugin: SignalkPlugin, body: unknown): Promise<ApiResponse> {
  if (!isRecord(body) || typeof body.from !== "string")
    return failed(400, 'Cannot import: expected {"from": id}');
  const imported = await importNodeData(plugins.deps.dataFolder, body.from, plugin.id);
  await plugin.readSettings();
  return ok(imported);
}

async function serve(plugin: SignalkPlugin, request: ApiRequest): Promise<ApiResponse> {
  const { method, query, headers, body = null } = request;
  const answer = await plugin.serve({ method, path: `/${request.params["*"] ?? ""}`, query, headers, body });
  return answer === undefined
    ? notFound
    : { status: answer.statusCode, text: answer.body, headers: answer.headers };
}
