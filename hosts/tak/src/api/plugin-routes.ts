/** OmniTAK's plugin endpoints, `/api/v1/plugins`. */

import { isRemoraError } from "remora/base";
import type { Json } from "remora/bundle";
import type { Manager } from "remora/manager";
import { takErrors } from "../errors.ts";
import type { TakHost } from "../host.ts";
import { pluginName } from "../plugin/wrapped-plugin.ts";
import {
  described,
  flag,
  ifThere,
  object,
  oneOf,
  type Read,
  readAs,
  type Shape,
  schemaOf,
  text,
  wholeText,
} from "./body.ts";
import { listOf, objectWith, someCount } from "./json-schema.ts";
import { loadPlugin, loadSchema } from "./load-request.ts";
import { type ApiAnswer, type ApiRequest, type ApiRoute, look } from "./mounted.ts";
import type { Observations } from "./observations.ts";
import {
  detailsSchema,
  detailsView,
  healthSchema,
  healthView,
  infoSchema,
  infoView,
  type ListedPlugin,
  loadedSchema,
  metricsSchema,
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

const settingsShape = { config: object };
const toggleShape = { enabled: flag };

function lookRoutes({ host, seen, nowMs }: PluginRoutesOptions): ApiRoute[] {
  const { manager } = host;
  return [
    look({ path: base, summary: "All plugins", query: listQuery, answer: listSchema }, ({ query }) =>
      list(manager, readAs(listQuery, query)),
    ),
    look({ path: one, summary: "A plugin", answer: detailsSchema }, async ({ params }) => {
      const { id, name } = named(params, manager);
      const { info, ...details } = detailsView(await manager.details(name), manager, seen);
      return { info: { ...info, id }, ...details };
    }),
    look(
      { path: `${one}/metrics`, summary: "What a plugin did", answer: metricsSchema },
      async ({ params }) => {
        const { id, name } = named(params, manager);
        return { ...metricsView(name, manager, seen), pluginId: id };
      },
    ),
    look({ path: `${one}/health`, summary: "How a plugin is", answer: healthSchema }, async ({ params }) => {
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
    { body, ...route }: Pick<ApiRoute, "role" | "audit" | "summary"> & { readonly body?: Shape },
    act: (name: string, body: unknown) => Promise<void>,
    method: ApiRoute["method"] = "POST",
  ): ApiRoute => ({
    ...route,
    method,
    schema: { answers: { 200: {} }, ...(body !== undefined && { body: schemaOf(body) }) },
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
      schema: { body: loadSchema, answers: { 201: { description: "Loaded", schema: loadedSchema } } },
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
      schema: { answers: { 204: {} } },
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
        body: settingsShape,
      },
      (name, body) => configure(name, body, manager),
      "PUT",
    ),
    change(
      "toggle",
      { role: "operator", audit: "toggle", summary: "Enable or disable a plugin", body: toggleShape },
      async (name, body) => {
        const { enabled } = readAs(toggleShape, body);
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
      schema: { answers: { 200: {} } },
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
  const { config } = readAs(settingsShape, body);
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

const sortable = ["id", "name", "version", "author"] as const;

const word = ifThere(text({ min: 0, max: 1_000 }));
const perPageText = ifThere(described(wholeText({ min: 1, max: 100 }), "Default 20"));
/** In both spellings that its documents and its code have. */
const listQuery = {
  type: described(word, "filter or transformer"),
  pluginType: word,
  plugin_type: word,
  enabledOnly: described(word, "true for those alone that are enabled"),
  enabled_only: word,
  capabilities: described(word, "All that a plugin has to have, with commas between them"),
  sort: ifThere(oneOf(...sortable)),
  order: ifThere(oneOf("asc", "desc")),
  page: ifThere(described(wholeText({ min: 1, max: 1_000_000 }), "Without it there are no pages")),
  perPage: perPageText,
  per_page: perPageText,
};

const listSchema = objectWith(
  {
    plugins: listOf(infoSchema),
    total: someCount,
    page: someCount,
    perPage: someCount,
    totalPages: someCount,
  },
  ["page", "perPage", "totalPages"],
);

async function list(manager: Manager, query: Read<typeof listQuery>) {
  const { type = query.pluginType ?? query.plugin_type, page } = query;
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
  if (page === undefined) return { plugins: all, total: all.length };
  const perPage = query.perPage ?? query.per_page ?? 20;
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

function orderOf({ sort: by = "name", order = "asc" }: Read<typeof listQuery>) {
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
