/**
 * Webapps: packages whose keywords say that they are one, and bundles whose tags do, each served under its package's name, as signalk-server does.
 * One that is a plugin as well is served while the plugin runs, by the grant that its other paths have.
 */

import { join } from "node:path";
import { isRecord } from "../delta/delta.ts";
import { type ApiResponse, type Handler, movedTo, notFound, ok } from "../http/exchange.ts";
import { type Route, route } from "../http/router.ts";
import { StaticFolder } from "../http/static-folder.ts";
import { packageFolders, readPackage } from "../plugin/discover.ts";
import type { EndpointRequest, EndpointResponse } from "../plugin/endpoints.ts";
import { isPackageName, isPluginPackage } from "../plugin/manifest.ts";
import { fileAnswer } from "../plugin/public-files.ts";
import type { ServedPlugin } from "../plugin/served-plugin.ts";

export interface Webapp {
  /** As the administration lists it. */
  readonly listed: {
    readonly name: string;
    readonly version: unknown;
    readonly description: unknown;
    readonly keywords: readonly unknown[];
    /** `displayName`, `appIcon`. */
    readonly signalk: unknown;
  };
  /** Undefined of one that is a plugin: the plugin serves it. */
  readonly files: StaticFolder | undefined;
}

/** A plugin by its package's name, as far as it is looked at here. */
export type FindPlugin = (packageName: string) => PluginWithFiles | undefined;

export interface PluginWithFiles {
  readonly settings: { readonly enabled: boolean };
  file(request: EndpointRequest): Promise<EndpointResponse | undefined>;
}

/** A plugin that is a bundle. */
export interface PluginWithPages {
  readonly manifest: ServedPlugin["manifest"];
  readonly hasPages: boolean;
}

const keywords: readonly string[] = ["signalk-webapp", "signalk-embeddable-webapp"];

function isWebapp(words: readonly unknown[]): boolean {
  return keywords.some((keyword) => words.includes(keyword));
}

/** @param modulesFolders Each a `node_modules`; of two packages with one name the first counts. */
export async function discoverWebapps(modulesFolders: readonly string[]): Promise<readonly Webapp[]> {
  const found = new Map<string, Webapp>();
  for (const modules of modulesFolders) {
    for (const folder of await packageFolders(modules)) {
      const webapp = await readWebapp(await readPackage(folder), folder);
      if (webapp !== undefined && !found.has(webapp.listed.name)) found.set(webapp.listed.name, webapp);
    }
  }
  return [...found.values()];
}

async function readWebapp(data: unknown, folder: string): Promise<Webapp | undefined> {
  if (!isRecord(data) || !isPackageName(data.name) || !Array.isArray(data.keywords)) return undefined;
  if (!isWebapp(data.keywords)) return undefined;
  const { name, version, description = "", signalk = {} } = data;
  const files = isPluginPackage(data)
    ? undefined
    : ((await StaticFolder.open(join(folder, "public"))) ?? (await StaticFolder.open(folder)));
  return { listed: { name, version, description, keywords: data.keywords, signalk }, files };
}

/** Plugins that are webapps by the tags of their bundles, as they are now. */
export function bundleWebapps(bundles: readonly PluginWithPages[]): readonly Webapp[] {
  return bundles
    .filter(({ hasPages, manifest }) => hasPages && isWebapp(manifest.keywords))
    .map(({ manifest: { packageName: name, version, description, keywords } }) => ({
      listed: { name, version, description, keywords, signalk: {} },
      files: undefined,
    }));
}

/** @param webapps Those of now, whenever somebody asks. */
export function webappListRoutes(webapps: () => readonly Webapp[], findPlugin: FindPlugin): Route[] {
  const isShown = ({ listed }: Webapp) => findPlugin(listed.name)?.settings.enabled ?? true;
  return [
    route("GET", "/skServer/webapps", () =>
      ok(
        webapps()
          .filter(isShown)
          .map(({ listed }) => listed),
      ),
    ),
    route("GET", "/skServer/addons", () => ok([])),
  ];
}

export function webappRoutes(webapps: readonly Webapp[], findPlugin: FindPlugin): Route[] {
  return webapps.flatMap((webapp) => {
    const base = `/${webapp.listed.name}`;
    return [
      // Links in a page are relative to a folder, and the address has no slash at its end any more.
      route("GET", base, () => movedTo(`${base}/index.html`)),
      route("GET", `${base}/*`, fileOf(webapp, findPlugin)),
    ];
  });
}

function fileOf({ listed, files }: Webapp, findPlugin: FindPlugin): Handler {
  return async ({ method, params, query, headers }): Promise<ApiResponse> => {
    const request = { method, path: `/${params["*"] ?? ""}`, query, headers, body: null };
    const found =
      files === undefined ? await findPlugin(listed.name)?.file(request) : await fileAnswer(files, request);
    if (found === undefined) return notFound;
    return { status: found.statusCode, text: found.body, headers: found.headers };
  };
}
