/** Steps 1 and 2 of an install: from what was asked for to bundles that it can mean, and the bytes of one. */

import { stat } from "node:fs/promises";
import { resolve as absolute, join } from "node:path";
import semver from "semver";
import { isRemoraError } from "../../base/index.ts";
import {
  type Bundle,
  defaultBundleLimits,
  MANIFEST_NAME,
  namedFiles,
  openBundle,
  packBundle,
  parseManifest,
} from "../../bundle/index.ts";
import type { Vocabulary } from "../../policy/index.ts";
import { managerErrors } from "../errors.ts";
import { codeOf } from "../store/file-system.ts";
import { namesIn, notRegular, readNamed, readWhole } from "./read-file.ts";
import { bestFirst, type Offered, type PluginSource } from "./source.ts";

/**
 * What is asked for: the path of a bundle or of a plugin's folder, a name with or without a range
 * (`geofence@^1.2.0`), or the bytes of a bundle with a word on where they come from.
 */
export type PluginRef = string | { readonly bytes: Uint8Array; readonly origin: string };

/** Exactly one thing to fetch. */
export type Resolved =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly origin: string }
  | { readonly kind: "file" | "folder"; readonly path: string; readonly origin: string }
  | ResolvedOffer;

export interface ResolvedOffer {
  readonly kind: "offered";
  readonly source: PluginSource;
  readonly offered: Offered;
  readonly origin: string;
}

const named = /^([a-z][a-z0-9-]{0,63})(?:@(.{1,100}))?$/;

/**
 * Step 1: what was asked for, or each version that a name with a range has, the best first.
 *
 * @throws manager/no-source    no source has that name in that range
 * @throws manager/not-a-plugin there is no such file, and it is no name; or it is a device or a pipe
 */
export async function resolve(
  ref: PluginRef,
  sources: readonly PluginSource[],
): Promise<readonly Resolved[]> {
  if (typeof ref !== "string") return [{ kind: "bytes", ...ref }];
  const found = await kindOf(ref);
  if (found !== undefined) return [{ kind: found, path: ref, origin: absolute(ref) }];
  const [, name, range = "*"] = named.exec(ref) ?? [];
  if (name === undefined || semver.validRange(range) === null) {
    throw managerErrors["not-a-plugin"]({ path: ref, found: "no such file" });
  }
  return resolveName(name, range, sources);
}

/** The first source that has the name in that range is the one. @throws manager/no-source */
export async function resolveName(
  name: string,
  range: string,
  sources: readonly PluginSource[],
): Promise<readonly ResolvedOffer[]> {
  const offers = await offersOf(name, range, sources);
  if (offers.length === 0) throw noSource(name, range, sources);
  return offers;
}

/** The same, and none where no source has one. */
export async function offersOf(
  name: string,
  range: string,
  sources: readonly PluginSource[],
): Promise<readonly ResolvedOffer[]> {
  for (const source of sources) {
    const offered = bestFirst(await source.versions(name), range);
    if (offered.length === 0) continue;
    return offered.map((one) => ({ kind: "offered", source, offered: one, origin: source.name }));
  }
  return [];
}

export function noSource(name: string, range: string, sources: readonly PluginSource[]): Error {
  return managerErrors["no-source"]({ name, range, asked: sources.map((source) => source.name) });
}

async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return "folder";
    if (!found.isFile()) throw notRegular(path);
    return "file";
  } catch (error) {
    if (isRemoraError(error)) throw error;
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw managerErrors.folder({ doing: "read", path, reason: code ?? "unknown" }, error);
  }
}

/**
 * Step 2: the bytes, bounded, and of what was resolved.
 *
 * @throws manager/too-large manager/wrong-bundle manager/not-a-plugin manager/folder
 * @throws bundle/…          a folder cannot be packed
 */
export async function fetchBytes(resolved: Resolved, vocabulary: Vocabulary): Promise<Uint8Array> {
  switch (resolved.kind) {
    case "bytes":
      return bounded(resolved.bytes);
    case "file":
      return readWhole(resolved.path, bytesMax);
    case "folder":
      return packFolder(resolved.path, vocabulary);
    case "offered":
      return fetchOffered(resolved.source, resolved.offered, vocabulary);
  }
}

const { bytesMax } = defaultBundleLimits;

function bounded(bytes: Uint8Array): Uint8Array {
  if (bytes.length > bytesMax) throw managerErrors["too-large"]({ bytesMax });
  return bytes;
}

/**
 * A plugin's folder as a bundle: its manifest and what that names, as `remora pack` packs it.
 *
 * @throws manager/not-a-plugin there is no manifest, or what it names is no file in the folder
 * @throws manager/folder bundle/… what it names cannot be read or packed
 */
export async function packFolder(path: string, vocabulary: Vocabulary): Promise<Uint8Array> {
  const names = await namesIn(path);
  if (!names.includes(MANIFEST_NAME)) {
    throw managerErrors["not-a-plugin"]({ path, found: `a folder without ${MANIFEST_NAME}` });
  }
  const bytes = await readNamed(path, MANIFEST_NAME, bytesMax);
  const manifest = parseManifest(bytes, { file: join(path, MANIFEST_NAME), vocabulary });
  const files = new Map([[MANIFEST_NAME, bytes]]);
  for (const name of namedFiles(manifest)) files.set(name, await readNamed(path, name, bytesMax));
  return packBundle(files, { vocabulary });
}

async function fetchOffered(
  source: PluginSource,
  offered: Offered,
  vocabulary: Vocabulary,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of source.fetch(offered)) {
    length += piece.length;
    // A source that never ends is left in the middle.
    if (length > bytesMax) throw managerErrors["too-large"]({ bytesMax });
    pieces.push(piece);
  }
  const bytes = plain(Buffer.concat(pieces));
  const bundle = openBundle(bytes, { vocabulary });
  checkOffered(bundle, offered);
  return bytes;
}

function checkOffered(bundle: Bundle, { name, version, digest }: Offered): void {
  const { manifest } = bundle;
  if (bundle.digest === digest && manifest.name === name && manifest.version === version) return;
  throw managerErrors["wrong-bundle"]({
    expected: `${name} ${version} (${digest})`,
    found: `${manifest.name} ${manifest.version} (${bundle.digest})`,
  });
}

function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
