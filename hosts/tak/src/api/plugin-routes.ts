/**
 * OmniTAK's plugin endpoints, `/api/v1/plugins`, over this host's manager: its paths, its JSON as it is documented
 * (camel case, `"filter"`), its roles and its statuses; with figures that were measured and changes that happen.
 * https://github.com/engindearing-projects/omniTAK, docs/PLUGIN_API.md
 */

import type { Json } from "remora/bundle";
import type { Manager } from "remora/manager";
import { takErrors } from "../errors.ts";
import { loadPlugin } from "./load-request.ts";
import { Observations } from "./observations.ts";
import { detailsView, healthView, infoView, metricsView, typeOf } from "./plugin-views.ts";

/** As the admin interface mounts it. */
export interface PluginApiRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}

export interface PluginApiAnswer {
  readonly status: number;
  readonly body?: unknown;
}

export interface PluginApiRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly role: "reader" | "operator" | "admin";
  readonly audit?: string;
  readonly summary: string;
  handle(request: PluginApiRequest): Promise<PluginApiAnswer>;
}

export interface PluginApi {
  readonly name: string;
  readonly routes: readonly PluginApiRoute[];
  problem(status: number, error: { readonly code: string; readonly message: string }): PluginApiAnswer;
  /** Ends the watching of the manager. */
  close(): void;
}

export interface PluginApiOptions {
  readonly manager: Manager;
  /** Where paths of requests begin, and what they do not leave. */
  readonly pluginFolder: string;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

export function pluginApi(options: PluginApiOptions): PluginApi {
  const { manager, nowMs } = options;
  const seen = new Observations(manager, nowMs);
  return {
    name: "OmniTAK",
    routes: [...lookRoutes(manager, seen, nowMs), ...changeRoutes(options)],
    problem: (status, error) => problem(status, error, nowMs()),
    close: () => seen.close(),
  };
}

const base = "/api/v1/plugins";
const one = `${base}/:id`;
const done: PluginApiAnswer = { status: 200 };

function lookRoutes(manager: Manager, seen: Observations, nowMs: () => number): PluginApiRoute[] {
  const look = (
    path: string,
    summary: string,
    handle: (request: PluginApiRequest) => Promise<unknown>,
  ): PluginApiRoute => ({
    method: "GET",
    path,
    role: "reader",
    summary,
    handle: async (request) => ({ status: 200, body: await handle(request) }),
  });
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
    look(`${one}/health`, "How a plugin is", async ({ params }) =>
      healthView(manager.info(idOf(params)), seen, nowMs()),
    ),
  ];
}

function changeRoutes(options: PluginApiOptions): PluginApiRoute[] {
  const { manager } = options;
  /** Of a plugin that is there, which answers with nothing but that it was done. */
  const change = (
    path: string,
    route: Pick<PluginApiRoute, "role" | "audit" | "summary">,
    act: (id: string, body: unknown) => Promise<void>,
    method: PluginApiRoute["method"] = "POST",
  ): PluginApiRoute => ({
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
        return { status: 201, body: infoView(await manager.details(id)) };
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
        if (typeof enabled !== "boolean")
          throw takErrors["api-request"]({ problem: '"enabled" must be true or false' });
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
        for (const { name, isEnabled, version } of manager.list()) {
          if (isEnabled && version !== undefined) await manager.reload(name);
        }
        return done;
      },
    },
  ];
}

/** In both spellings that its documents and its code have. */
async function list(manager: Manager, query: PluginApiRequest["query"]) {
  const { type = query.pluginType ?? query.plugin_type } = query;
  const enabledOnly = (query.enabledOnly ?? query.enabled_only) === "true";
  const all = [];
  for (const { name, isEnabled } of manager.list()) {
    if (enabledOnly && !isEnabled) continue;
    const details = await manager.details(name);
    if (type === undefined || typeOf(details) === type) all.push(infoView(details));
  }
  if (query.page === undefined) return { plugins: all, total: all.length };
  const perPage = whole(query.perPage ?? query.per_page ?? "20", "perPage", 100);
  const page = whole(query.page, "page", 1_000_000);
  const plugins = all.slice((page - 1) * perPage, page * perPage);
  return { plugins, total: all.length, page, perPage, totalPages: Math.ceil(all.length / perPage) };
}

function whole(text: string, what: string, max: number): number {
  const value = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= max)) throw takErrors["api-request"]({ problem: `"${what}" must be 1 to ${max}` });
  return value;
}

function idOf({ id = "" }: PluginApiRequest["params"]): string {
  // What is no name is not there: nobody learns more.
  return id.slice(0, 100);
}

function field(body: unknown, name: string): unknown {
  const found = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
  if (found === undefined) throw takErrors["api-request"]({ problem: `"${name}" is missing` });
  return found;
}

/** By its documents: a request that is not right is 400, whatever is not right about it. */
function problem(
  status: number,
  { code, message }: { readonly code: string; readonly message: string },
  nowMs: number,
): PluginApiAnswer {
  const answered = status === 422 || status === 413 ? 400 : status;
  const isInvalid = code === "tak/api-request" || code === "manager/settings" || code === "admin/bad-request";
  const error = isInvalid
    ? "validation_error"
    : (codes[answered] ?? (answered >= 500 ? "internal_error" : "bad_request"));
  return {
    status: answered,
    body: { error, message, details: { code }, timestamp: new Date(nowMs).toISOString() },
  };
}

const codes: Readonly<Record<number, string>> = {
  401: "unauthorized",
  403: "insufficient_permissions",
  404: "not_found",
  409: "conflict",
  429: "rate_limited",
};
