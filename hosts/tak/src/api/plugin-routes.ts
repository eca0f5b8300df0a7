/** OmniTAK's plugin endpoints, `/api/v1/plugins`. */

import { isRemoraError } from "remora/base";
import type { Json } from "remora/bundle";
import type { Manager } from "remora/manager";
import { takErrors } from "../errors.ts";
import type { TakHost } from "../host.ts";
import { refused, wholeOf } from "./body.ts";
import { loadPlugin } from "./load-request.ts";
import { type ApiAnswer, type ApiRequest, type ApiRoute, look } from "./mounted.ts";
import type { Observations } from "./observations.ts";
import {
  detailsView,
  healthView,
  infoView,
  type ListedPlugin,
  metricsView,
  placeless,
  typeOf,
  withoutFolder,
} from "./plugin-views.ts";

export interface PluginRoutesOptions {
  readonly host: TakHost;
  /** Where paths of requests begin, and what they do not leave. */
  readonly pluginFolder: string;
  readonly seen: Observations;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

export function pluginRoutes(options: PluginRoutesOptions): ApiRoute[] {
  return [...lookRoutes(options), ...changeRoutes(options)];
}

const base = "/api/v1/plugins";
const one = `${base}/:id`;
const done: ApiAnswer = { status: 200 };

function lookRoutes({ host, seen, nowMs }: PluginRoutesOptions): ApiRoute[] {
  const { manager } = host;
  return [
    look(base, "All plugins", ({ query }) => list(manager, query)),
    look(one, "A plugin", async ({ params }) => {
      const details = await manager.details(idOf(params));
      return detailsView(details, manager, seen);
    }),
    look(`${one}/metrics`, "What a plugin did", async ({ params }) => {
      const id = idOf(params);
      manager.info(id);
      return metricsView(id, manager, seen);
    }),
    look(`${one}/health`, "How a plugin is", async ({ params }) => {
      const info = manager.info(idOf(params));
      // Details read bundles, and this is asked for again and again: only while a version waits.
      const details = info.held === undefined ? undefined : await manager.details(info.name);
      const { failure } = info;
      const shown = failure && { ...failure, message: withoutFolder(failure.message, manager.folder) };
      return healthView({ ...info, failure: shown }, seen, nowMs(), {
        heldPublisher: details?.heldPublisher,
        hasPlace: hasPlace(info.name, host),
      });
    }),
  ];
}

function changeRoutes(options: PluginRoutesOptions): ApiRoute[] {
  const { host } = options;
  const { manager } = host;
  /** Of a plugin that is there, which answers with nothing but that it was done. */
  const change = (
    path: string,
    route: Pick<ApiRoute, "role" | "audit" | "summary">,
    act: (id: string, body: unknown) => Promise<void>,
    method: ApiRoute["method"] = "POST",
  ): ApiRoute => ({
    ...route,
    method,
    path: `${one}/${path}`,
    async handle({ params, body }) {
      const id = idOf(params);
      manager.info(id);
      await act(id, body);
      return done;
    },
  });
  return [
    {
      method: "POST",
      path: base,
      role: "admin",
      audit: "install",
      summary: "Load a plugin from the plugin folder",
      handle: async ({ body }) => {
        const id = await loadPlugin(body, options);
        const info = infoView(await manager.details(id));
        return { status: 201, body: { ...info, warnings: hasPlace(id, host) ? [] : [placeless] } };
      },
    },
    {
      method: "DELETE",
      path: one,
      role: "admin",
      audit: "remove",
      summary: "Unload a plugin",
      handle: async ({ params }) => {
        await manager.remove(idOf(params));
        return { status: 204 };
      },
    },
    change(
      "config",
      {
        role: "operator",
        audit: "change settings",
        summary: "Change the settings of a plugin, while it runs",
      },
      // Parsed from JSON by whoever mounts this.
      (id, body) => manager.changeSettings(id, field(body, "config") as Json),
      "PUT",
    ),
    change(
      "toggle",
      { role: "operator", audit: "toggle", summary: "Enable or disable a plugin" },
      async (id, body) => {
        const enabled = field(body, "enabled");
        if (typeof enabled !== "boolean") throw refused('"enabled" must be true or false');
        await (enabled ? manager.enable(id) : manager.disable(id));
      },
    ),
    change(
      "reload",
      { role: "admin", audit: "reload", summary: "Make a plugin anew; no message waits" },
      (id) => manager.reload(id),
    ),
    {
      method: "POST",
      path: `${base}/reload-all`,
      role: "admin",
      audit: "reload all",
      summary: "Make all enabled plugins anew",
      handle: async () => {
        await reloadAll(manager);
        return done;
      },
    },
  ];
}

function hasPlace(name: string, { places }: TakHost): boolean {
  return places.some((place) => place.name === name);
}

/** One that cannot be made anew goes on as it is, and so do those behind it. @throws tak/not-reloaded which, and why */
async function reloadAll(manager: Manager): Promise<void> {
  const wanted = manager.list().filter(({ isEnabled, version }) => isEnabled && version !== undefined);
  const failed: { readonly plugin: string; readonly reason: string }[] = [];
  for (const { name } of wanted) {
    try {
      await manager.reload(name);
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      // It was removed meanwhile.
      if (manager.has(name)) failed.push({ plugin: name, reason: error.message });
    }
  }
  if (failed.length > 0) throw takErrors["not-reloaded"]({ failed, count: wanted.length });
}

/** In both spellings that its documents and its code have. */
async function list(manager: Manager, query: ApiRequest["query"]) {
  const { type = query.pluginType ?? query.plugin_type } = query;
  const enabledOnly = (query.enabledOnly ?? query.enabled_only) === "true";
  const capabilities = query.capabilities?.split(",");
  const found: ListedPlugin[] = [];
  for (const { name, isEnabled } of manager.list()) {
    if (enabledOnly && !isEnabled) continue;
    const plugin = await listed(name, manager);
    if (plugin !== undefined && (type === undefined || typeOf(plugin) === type)) found.push(plugin);
  }
  const all = found
    .map(infoView)
    .filter((info) => capabilities?.every((one) => info.capabilities.includes(one)) ?? true)
    .toSorted(orderOf(query));
  if (query.page === undefined) return { plugins: all, total: all.length };
  const perPage = wholeOf(query.perPage ?? query.per_page ?? "20", "perPage", { max: 100 });
  const page = wholeOf(query.page, "page", { max: 1_000_000 });
  const plugins = all.slice((page - 1) * perPage, page * perPage);
  return { plugins, total: all.length, page, perPage, totalPages: Math.ceil(all.length / perPage) };
}

/** A bundle that is damaged takes nobody else from the list; undefined for one that was removed meanwhile. */
async function listed(name: string, manager: Manager): Promise<ListedPlugin | undefined> {
  try {
    return await manager.details(name);
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    if (!manager.has(name)) return undefined;
    const manifest = manager.get(name).serving?.inspected.manifest;
    const { current } = manager.versions(name);
    return { name, manifest, current, grants: manager.grants(name), problem: error.code };
  }
}

const sortable = ["id", "name", "version", "author"] as const;

function orderOf({ sort = "name", order = "asc" }: ApiRequest["query"]) {
  const by = sortable.find((one) => one === sort);
  if (by === undefined) throw refused(`"sort" must be one of ${sortable.join(", ")}`);
  if (order !== "asc" && order !== "desc") throw refused('"order" must be "asc" or "desc"');
  const sign = order === "asc" ? 1 : -1;
  // Whole numbers in it count as such, so that 1.10.0 comes behind 1.9.0.
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  return (one: ReturnType<typeof infoView>, other: ReturnType<typeof infoView>) =>
    sign * compare(one[by], other[by]);
}

function idOf({ id = "" }: ApiRequest["params"]): string {
  // What is no name is not there: nobody learns more.
  return id.slice(0, 100);
}

function field(body: unknown, name: string): unknown {
  const found = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
  if (found === undefined) throw refused(`"${name}" is missing`);
  return found;
}
