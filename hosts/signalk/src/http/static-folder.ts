/**
 * Files of a folder, for whoever asks for them by HTTP. The folder is listed once, without links and hidden files, and a
 * path is looked up in that list: what is not in it is not there, however the path is written.
 */

import { createHash } from "node:crypto";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { lookup } from "mrmime";
import type { ApiResponse } from "./exchange.ts";

export type FileResponse = Extract<ApiResponse, { readonly text: unknown }>;

/** Files by path, wherever they are. */
export interface StaticFiles {
  /**
   * The file at a path, decoded and without a slash before it; that of a folder is its `index.html`.
   *
   * @param known What the client has, as it says by `If-None-Match`.
   * @returns     undefined when there is none
   */
  find(path: string, known?: unknown): Promise<FileResponse | undefined>;
}

/** A package's publisher chooses how many there are, and how large. */
export const filesMax = 10_000;
export const fileBytesMax = 32 * 1024 * 1024;
const depthMax = 32;

export class StaticFolder implements StaticFiles {
  readonly #root: string;
  readonly #names: ReadonlySet<string>;

  private constructor(root: string, names: ReadonlySet<string>) {
    this.#root = root;
    this.#names = names;
  }

  /** Undefined when there is no such folder. */
  static async open(folder: string): Promise<StaticFolder | undefined> {
    const root = await realpath(folder).catch(() => undefined);
    if (root === undefined) return undefined;
    const names = new Set<string>();
    await list(root, root, names, 0);
    return names.size === 0 ? undefined : new StaticFolder(root, names);
  }

  async find(path: string, known?: unknown): Promise<FileResponse | undefined> {
    const name = nameIn(this.#names, path);
    const bytes = name === undefined ? undefined : await readOwn(join(this.#root, name));
    return name === undefined || bytes === undefined ? undefined : fileResponse(name, bytes, known);
  }
}

/** What a path names of these. */
export function nameIn(names: { has(name: string): boolean }, path: string): string | undefined {
  return [path, path === "" ? "index.html" : `${path}/index.html`].find((each) => names.has(each));
}

/** @param known As in `find`. */
export function fileResponse(name: string, bytes: Uint8Array, known: unknown): FileResponse {
  const etag = `"${createHash("sha256").update(bytes).digest("base64url")}"`;
  const headers = { ETag: etag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff" };
  if (known === etag) return { status: 304, text: "", headers };
  return { status: 200, text: bytes, headers: { ...headers, "Content-Type": typeOf(name) } };
}

async function list(root: string, folder: string, names: Set<string>, depth: number): Promise<void> {
  if (depth > depthMax) return;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (names.size >= filesMax) return;
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const path = join(folder, entry.name);
    // A link is neither, whatever it leads to.
    if (entry.isDirectory()) await list(root, path, names, depth + 1);
    else if (entry.isFile()) names.add(relative(root, path).replaceAll(sep, "/"));
  }
}

/** Undefined for what is no file any more, or is too large. */
async function readOwn(file: string): Promise<Uint8Array | undefined> {
  try {
    // What was a file when the folder was listed may have become a link.
    if ((await realpath(file)) !== file || (await stat(file)).size > fileBytesMax) return undefined;
    return await readFile(file);
  } catch {
    // It is gone, or cannot be read: to whoever asks, there is none.
    return undefined;
  }
}

function typeOf(name: string): string {
  const type = lookup(name) ?? "application/octet-stream";
  return /^text\/|^application\/(?:javascript|json|xml)$/.test(type) ? `${type}; charset=utf-8` : type;
}
