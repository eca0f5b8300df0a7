/** OmniTAK's plugin endpoints, `/api/v1/plugins`. */

import { isRemoraError } from "remora/base";
import type { Json } from "remora/bundle";
import type { Manager } from "remora/manager";
import { takErrors } from "../errors.ts";
import type { TakHost } from "../host.ts";
import { pluginName } from "../plugin/wrapped-plugin.ts";
import { fieldsOf, objectOf, refused, wholeOf } from "./body.ts";
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
  const plugin = (params: ApiRequest["params"]) => named(params, options.host.manager).name;
  return [...lookRoutes(options), ...changeRoutes(options)].map((route) =>
    route.path.startsWith(one) ? { ...route, plugin } : route,
  );
}

const base = "/api/v1/plugins";
const one = `${base}/:id`;
const done: ApiAnswer = { status: 200 };

function lookRoutes({ host, seen, nowMs }: PluginRoutesOptions): ApiRoute[] {
  const { manager } = host;
  return [
    look(base, "All plugins", ({ query }) => list(manager, query)),
    look(one, "A plugin", async ({ params }) => {
      const { id, name } = named(params, manager);
      const { info, ...details } = detailsView(await manager.details(name), manager, seen);
      return { info: { ...info, id }, ...details };
    }),
    look(`${one}/metrics`, "What a plugin did", async ({ params }) => {
      const { id, name } = named(params, manager);
      return { ...metricsView(name, manager, seen), pluginId: id };
    }),
    look(`${one}/health`, "How a plugin is", async ({ params }) => {
      const { id, name } = named(params, manager);
      const info = manager.info(name);
      // Details read bundles, and this is asked for again and again: only while a version waits.
      const details = info.held === undefined ? undefined : await manager.details(name);
      const { failure } = info;
      const shown = failure && { ...failure, message: withoutFolder(failure.message, manager.folder) };
      const view = healthView({ ...info, failure: shown }, seen, nowMs(), {
        heldPublisher: details?.heldPublisher,
        hasPlace: hasPlace(name, host),
      });
      return { ...view, pluginId: id };
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
    act: (name: string, body: unknown) => Promise<void>,
    method: ApiRoute["method"] = "POST",
  ): ApiRoute => ({
    ...route,
    method,
    path: `${one}/${path}`,
    async handle({ params, body }) {
      const { name } = named(params, manager);
      manager.info(name);
      await act(name, body);
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
        const { id, name } = await loadPlugin(body, options);
        const info = infoView(await manager.details(name));
        return { status: 201, body: { ...info, id, warnings: hasPlace(name, host) ? [] : [placeless] } };
      },
    },
    {
      method: "DELETE",
      path: one,
      role: "admin",
      audit: "remove",
      summary: "Unload a plugin",
      handle: async ({ params }) => {
        await manager.remove(named(params, manager).name);
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
      (name, body) => configure(name, body, manager),
      "PUT",
    ),
    change(
      "toggle",
      { role: "operator", audit: "toggle", summary: "Enable or disable a plugin" },
      async (name, body) => {
        const { enabled } = fieldsOf(body);
        if (typeof enabled !== "boolean") throw refused('"enabled" must be true or false');
        // One that is off is switched on for when it was accepted.
        if (enabled && manager.info(name).isEnabled) checkThere(name, "enable", manager);
        await (enabled ? manager.enable(name) : manager.disable(name));
      },
    ),
    change(
      "reload",
      { role: "admin", audit: "reload", summary: "Make a plugin anew; no message waits" },
      async (name) => {
        checkThere(name, "reload", manager);
        await manager.reload(name);
      },
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

async function configure(name: string, body: unknown, manager: Manager): Promise<void> {
  const config = objectOf(fieldsOf(body), "config");
  if (config === undefined) throw refused('"config" is missing');
  if (Object.keys(config).length === 0) {
    const bundle = await manager.bundle(name);
    // As when it is loaded: nothing is what a plugin without settings takes.
    if (bundle !== undefined && bundle.manifest.settings === undefined) return;
  }
  // Parsed from JSON by whoever mounts this.
  await manager.changeSettings(name, config as Json);
}

/** @throws tak/plugin-held nothing of it may run, so that nothing would be done */
function checkThere(plugin: string, doing: string, manager: Manager): void {
  if (manager.info(plugin).version === undefined) throw takErrors["plugin-held"]({ plugin, doing });
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

/** The plugin that an id stands for: of that name, or of the one that was made of it when it was loaded. */
function named({ id: given = "" }: ApiRequest["params"], manager: Manager) {
  // What is neither is not there: nobody learns more.
  const id = given.slice(0, 100);
  const name = pluginName(id);
  return { id, name: manager.has(name) ? name : id };
}
