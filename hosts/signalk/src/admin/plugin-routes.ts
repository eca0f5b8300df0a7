/**
 * What signalk-server's administration asks of plugins, with the same JSON, so that its pages and its clients work; and
 * a few verbs that it lacks. Each path stands below `/skServer` and, as there, without it.
 */

import { isRecord } from "../delta/delta.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import { failed, movedTo, notFound, ok } from "../http/exchange.ts";
import { told } from "../http/provider-routes.ts";
import { type Route, route } from "../http/router.ts";
import type { ServedPlugin } from "../plugin/served-plugin.ts";
import { settingsOf } from "../plugin/settings-file.ts";

/** Where plugins are found: all of a server's, or of one that may be stopped. */
export interface PluginSource {
  get(id: string): ServedPlugin | undefined;
  all(): readonly ServedPlugin[];
}

export function pluginRoutes(plugins: PluginSource): Route[] {
  return ["/skServer", ""].flatMap((prefix) => {
    const base = `${prefix}/plugins`;
    const of = (answer: (plugin: ServedPlugin, request: ApiRequest) => ApiResponse | Promise<ApiResponse>) =>
      told((request) => {
        const plugin = plugins.get(request.params.id ?? "");
        return plugin === undefined ? notFound : answer(plugin, request);
      });
    return [
      route("GET", base, () => ok(plugins.all().map(pluginJson))),
      route("GET", `${base}/:id`, of(brief)),
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
        of((plugin, { body }) => importFrom(plugin, body)),
      ),
      route("*", `${base}/:id/*`, of(serve)),
    ];
  });
}

/** An entry of the list, from which the administration builds its forms. */
export function pluginJson(plugin: ServedPlugin) {
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

/** A browser that goes there is shown the plugin's pages, where it has some. */
async function brief(plugin: ServedPlugin, { query, headers }: ApiRequest): Promise<ApiResponse> {
  const isBrowser = plugin.state === "running" && String(headers.accept ?? "").includes("text/html");
  const path = "/index.html";
  const page = isBrowser && (await plugin.serve({ method: "GET", path, query, headers, body: null }));
  return page ? movedTo(`/plugins/${plugin.id}${path}`) : ok(briefJson(plugin));
}

function briefJson(plugin: ServedPlugin) {
  const { id, name, manifest, settings } = plugin;
  return { enabled: settings.enabled, enabledByDefault: false, id, name, version: manifest.version };
}

async function configure(plugin: ServedPlugin, { body }: ApiRequest): Promise<ApiResponse> {
  if (!isRecord(body)) return failed(400, "Cannot save settings: expected an object");
  await plugin.configure(settingsOf({ ...plugin.settings, ...body }));
  return ok(`Saved configuration for plugin ${plugin.id}`);
}

async function reload(plugin: ServedPlugin): Promise<ApiResponse> {
  await plugin.reload();
  return ok(`Reloaded plugin ${plugin.id}`);
}

async function importFrom(plugin: ServedPlugin, body: unknown): Promise<ApiResponse> {
  if (plugin.importData === undefined) return notFound;
  if (!isRecord(body) || typeof body.from !== "string")
    return failed(400, 'Cannot import: expected {"from": id}');
  return ok(await plugin.importData(body.from));
}

async function serve(plugin: ServedPlugin, request: ApiRequest): Promise<ApiResponse> {
  const { method, query, headers, body = null } = request;
  const answer = await plugin.serve({ method, path: `/${request.params["*"] ?? ""}`, query, headers, body });
  return answer === undefined
    ? notFound
    : { status: answer.statusCode, text: answer.body, headers: answer.headers };
}
