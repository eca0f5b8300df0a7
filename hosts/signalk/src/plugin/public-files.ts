/** The pages of a plugin: the folder `public` of its package, served below the plugin's own path while it runs. */

import { join } from "node:path";
import type { Session } from "../guest/session.ts";
import { type StaticFiles, StaticFolder } from "../http/static-folder.ts";
import type { EndpointRequest, EndpointResponse } from "./endpoints.ts";
import type { PluginManifest } from "./manifest.ts";

/** Undefined where there is none, or none to be served. */
export async function publicFolder({
  folder,
  capabilities,
}: PluginManifest): Promise<StaticFolder | undefined> {
  return capabilities.staticFiles ? StaticFolder.open(join(folder, "public")) : undefined;
}

/** Its files, where it may serve them; a refusal is in the audit. */
export function servedFiles(
  plugin: string,
  { sandbox }: Pick<Session, "sandbox">,
  files: StaticFiles,
): StaticFiles | undefined {
  return sandbox.gate.act(
    "http.serve",
    `/plugins/${plugin}/index.html`,
    () => files,
    () => undefined,
  );
}

/** Undefined when it is no file that is asked for. */
export async function fileAnswer(
  files: StaticFiles,
  { method, path, headers }: Pick<EndpointRequest, "method" | "path" | "headers">,
): Promise<EndpointResponse | undefined> {
  if (method !== "GET" && method !== "HEAD") return undefined;
  const found = await files.find(path.slice(1), headers["if-none-match"]);
  return found && { statusCode: found.status, headers: found.headers, body: found.text };
}
