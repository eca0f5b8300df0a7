/**
 * The manifest, `remora.toml`: what a plugin is called, what it runs in, what it wants and why. It is read once into
 * a typed value; all that is wrong with it is told at once, each with file, line and column.
 */

import semver from "semver";
import { didYouMean, isRemoraError } from "../../base/index.ts";
import { coreVocabulary, type Grant, parseGrant, type Vocabulary } from "../../policy/index.ts";
import { nameProblem } from "../entry-name.ts";
import { bundleErrors } from "../errors.ts";
import { manifestBytesMax, nameLengthMax } from "../limits.ts";
import { DocumentReader, shown, type TableReader, type TextForm } from "./document-reader.ts";
import { type SettingsSchema, schemaProblems } from "./settings-schema.ts";

/** The name of the manifest's file, in a folder and in a bundle. */
export const MANIFEST_NAME = "remora.toml";

export const isolations = ["inline", "worker", "process"] as const;
export type Isolation = (typeof isolations)[number];

/** A capability that the plugin asks for, and the sentence that whoever consents will read. */
export interface CapabilityRequest {
  readonly grant: Grant;
  readonly why: string;
}

/** A `.wasm` of the plugin. With several, the host takes the first whose world it has. */
export interface ManifestArtifact {
  readonly file: string;
  /** `omnitak:plugin/filter-plugin@0.1.0` */
  readonly world: string;
}

/** What the plugin asks for; what it gets is the operator's decision. */
export interface ManifestLimits {
  readonly fuelMax?: number;
  readonly deadlineMs?: number;
  readonly memoryPagesMax?: number;
  readonly tableElementsMax?: number;
  readonly stackSlotsMax?: number;
}

export interface Manifest {
  readonly name: string;
  /** Semantic Versioning 2.0.0. */
  readonly version: string;
  readonly description: string | undefined;
  readonly authors: readonly string[];
  /** An SPDX expression. */
  readonly licence: string;
  readonly homepage: string | undefined;
  readonly category: string | undefined;
  readonly tags: readonly string[];
  /** The host's name and the range of its versions. */
  readonly host: { readonly name: string; readonly version: string };
  readonly isolation: Isolation;
  readonly artifacts: readonly ManifestArtifact[];
  readonly readme: string | undefined;
  readonly icon: string | undefined;
  /** Other files of the bundle: a licence, data. */
  readonly files: readonly string[];
  readonly capabilities: readonly CapabilityRequest[];
  readonly limits: ManifestLimits;
  readonly settings: SettingsSchema | undefined;
  /** Names of plugins and the ranges of their versions. */
  readonly dependencies: ReadonlyMap<string, string>;
}

export interface ManifestOptions {
  /** Its name in messages. Default: `remora.toml`. */
  readonly file?: string;
  /** The capabilities that there are. Default: those of the core. */
  readonly vocabulary?: Vocabulary;
  /** The files that there are; without it, nothing is said about files that are missing. */
  readonly files?: Iterable<string>;
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const nameOfPluginLengthMax = 64;

/** What the name of a plugin is made of, as messages say it. */
export const pluginNameForm =
  "lower-case letters, digits and single hyphens, a letter first, at most 64 characters";

/** Whether a manifest may have this name. */
export function isPluginName(text: string): boolean {
  return text.length <= nameOfPluginLengthMax && NAME.test(text);
}

const name: TextForm = { pattern: NAME, lengthMax: nameOfPluginLengthMax, expected: pluginNameForm };
const sentence: TextForm = { lengthMax: 500, expected: "a text of 1 to 500 characters" };
const file: TextForm = { lengthMax: nameLengthMax, expected: "a path in the bundle" };
const range: TextForm = { lengthMax: 100, expected: 'a range of versions, as "^1.2.0"' };
const listMax = 50;

/**
 * Reads a manifest.
 *
 * @param bytes TOML 1.1, UTF-8, at most 64 KiB; or its text.
 * @throws bundle/manifest with `details.problems`, all of them: line, column, path and message
 */
export function parseManifest(bytes: Uint8Array | string, options: ManifestOptions = {}): Manifest {
  const where = options.file ?? MANIFEST_NAME;
  const text = typeof bytes === "string" ? bytes : decode(bytes, where);
  if (text.length > manifestBytesMax) throw wholeProblem(where, `at most ${manifestBytesMax} bytes are read`);
  const reader = new DocumentReader(text, (problems) => bundleErrors.manifest({ file: where, problems }));
  const manifest = readManifest(reader.root, options);
  reader.root.end();
  reader.throwProblems();
  return manifest;
}

/** The files that a manifest names, without itself; without repetition, since reading it refused that. */
export function namedFiles(manifest: Manifest): string[] {
  const { artifacts, readme, icon, files } = manifest;
  return [...artifacts.map((one) => one.file), readme, icon, ...files].filter((one) => one !== undefined);
}

function decode(bytes: Uint8Array, where: string): string {
  if (bytes.length > manifestBytesMax)
    throw wholeProblem(where, `at most ${manifestBytesMax} bytes are read`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw bundleErrors.manifest(
      { file: where, problems: [{ line: 1, column: 1, path: "", message: "it is not UTF-8" }] },
      error,
    );
  }
}

function wholeProblem(where: string, message: string): Error {
  return bundleErrors.manifest({ file: where, problems: [{ line: 1, column: 1, path: "", message }] });
}

function readManifest(root: TableReader, options: ManifestOptions): Manifest {
  const files = new FileNames(options.files);
  const vocabulary = options.vocabulary ?? coreVocabulary;
  if (root.has("license")) root.problem("license", 'it is written "licence" here');
  root.take("license");
  return {
    name: root.text("name", name),
    version: readVersion(root),
    description: root.optionalText("description", sentence),
    authors: readAuthors(root),
    licence: root.text("licence", {
      pattern: /^[A-Za-z0-9.+() -]+$/,
      lengthMax: 200,
      expected: 'an SPDX expression, as "Apache-2.0" or "MIT OR Apache-2.0"',
    }),
    homepage: root.optionalText("homepage", {
      pattern: /^https:\/\/[^\s"<>]+$/,
      lengthMax: 500,
      expected: "an address that begins with https://",
    }),
    category: root.optionalText("category", name),
    tags: root.texts("tags", name, listMax),
    host: readHost(root),
    isolation: root.oneOf("isolation", isolations, "inline"),
    artifacts: readArtifacts(root, files),
    readme: files.read(root, "readme", /\.md$/i, "Markdown, with .md at the end of its name"),
    icon: files.read(root, "icon", /\.png$/i, "a PNG, with .png at the end of its name"),
    files: readFiles(root, files),
    capabilities: readCapabilities(root, vocabulary),
    limits: root.table("limits", readLimits) ?? {},
    settings: readSettings(root),
    dependencies: root.table("dependencies", readDependencies) ?? new Map(),
  };
}

function readVersion(table: TableReader): string {
  const version = table.text("version", { lengthMax: 100, expected: 'a version, as "1.2.0"' });
  // Semver 2.0.0 §2: no leading "v", no white space, which `valid` would take away.
  if (version !== "" && semver.valid(version) !== version.replace(/\+.*$/, "")) {
    table.problem("version", `found "${version}", allowed is a version as "1.2.0" or "1.2.0-beta.1"`);
  }
  return version;
}

function readAuthors(root: TableReader): string[] {
  const authors = root.texts("authors", { ...sentence, lengthMax: 200 }, listMax);
  if (!root.has("authors")) root.missing("authors", "a list of one or more");
  else if (Array.isArray(root.take("authors")) && authors.length === 0) {
    root.problem("authors", "allowed is a list of one or more");
  }
  return authors;
}

function readRange(table: TableReader, key: string): string {
  const text = table.text(key, range);
  if (text !== "" && semver.validRange(text) === null) {
    table.problem(key, `found "${text}", allowed is ${range.expected}`);
  }
  return text;
}

function readHost(root: TableReader): Manifest["host"] {
  if (!root.has("host")) root.missing("host", "a table");
  const host = root.table("host", (table) => ({
    name: table.text("name", name),
    version: readRange(table, "version"),
  }));
  return host ?? { name: "", version: "" };
}

/** Component Model, `plugname`: namespace, package, world and version. */
const WORLD = /^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*\/[a-z][a-z0-9-]*@([^@\s]+)$/;

function readArtifacts(root: TableReader, files: FileNames): ManifestArtifact[] {
  const worlds = new Set<string>();
  const artifacts = root.tables(
    "artifacts",
    (table) => {
      const world = table.text("world", {
        lengthMax: 200,
        expected: 'a world with its version, as "omnitak:plugin/filter-plugin@0.1.0"',
      });
      const version = WORLD.exec(world)?.[1];
      if (world !== "" && (version === undefined || semver.valid(version) === null)) {
        table.problem("world", `found "${world}", allowed is one as "omnitak:plugin/filter-plugin@0.1.0"`);
      } else if (worlds.has(world) && world !== "") {
        table.problem("world", `another artifact is for "${world}" already`);
      }
      worlds.add(world);
      return { file: files.read(table, "file", /\.wasm$/, "a .wasm") ?? missingText(table, "file"), world };
    },
    listMax,
  );
  if (!root.has("artifacts")) root.missing("artifacts", "one [[artifacts]] or more");
  return artifacts;
}

function missingText(table: TableReader, key: string): string {
  if (!table.has(key)) table.missing(key, "a text");
  return "";
}

function readFiles(root: TableReader, files: FileNames): string[] {
  const named = root.texts("files", file, listMax);
  named.forEach(
    (one, at) => void files.claim(one, (message) => root.document.problem(["files", at], message)),
  );
  return named;
}

/** Files that the manifest names: each once, under a name that stays in the bundle, and there. */
class FileNames {
  readonly #named = new Set<string>([MANIFEST_NAME]);
  readonly #there: ReadonlySet<string> | undefined;

  constructor(there: Iterable<string> | undefined) {
    this.#there = there === undefined ? undefined : new Set(there);
  }

  read(table: TableReader, key: string, ending: RegExp, expected: string): string | undefined {
    const named = table.optionalText(key, file);
    if (named === undefined || named === "") return named;
    if (!ending.test(named)) table.problem(key, `found "${named}", allowed is ${expected}`);
    this.claim(named, (message) => table.problem(key, message));
    return named;
  }

  claim(named: string, problem: (message: string) => void): void {
    if (named === "") return;
    const why = nameProblem(named);
    if (why !== undefined) {
      problem(`found "${named}": ${why}`);
      return;
    }
    if (this.#named.has(named)) problem(`"${named}" is named twice`);
    this.#named.add(named);
    if (this.#there?.has(named) === false) {
      problem(`there is no file "${named}"${didYouMean(named, this.#there)}`);
    }
  }
}

function readCapabilities(root: TableReader, vocabulary: Vocabulary): CapabilityRequest[] {
  const seen = new Set<string>();
  return root.tables(
    "capabilities",
    (table) => {
      const why = table.text("why", sentence);
      // The names are the publisher's: one that was assigned could be the prototype.
      const names = table.keys().filter((key) => key !== "why");
      const data = Object.fromEntries(names.map((key) => [key, table.take(key)]));
      const grant = readGrant(table, data, vocabulary);
      if (grant !== undefined && seen.has(grant.capability)) {
        table.problem(
          "capability",
          `"${grant.capability}" stands there twice: one list of targets is read at once`,
        );
      }
      seen.add(grant?.capability ?? "");
      return { grant: grant ?? { capability: "none.none" }, why };
    },
    100,
  );
}

/** The vocabulary's own reader says what is wrong; this adds where. */
function readGrant(
  table: TableReader,
  data: Record<string, unknown>,
  vocabulary: Vocabulary,
): Grant | undefined {
  const where = table.path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : `${text}${step}`),
    "",
  );
  try {
    return parseGrant(data, where, vocabulary);
  } catch (error) {
    if (!isRemoraError(error) || !error.code.startsWith("policy/")) throw error;
    const details = error.details as { where?: string }; // every error of that table says where
    const isName = error.code === "policy/unknown-capability";
    table.document.problemAt(isName ? `${where}.capability` : (details.where ?? where), error.message);
    return undefined;
  }
}

/** Numbers that are exact; infinity is the operator's to give. */
const integers = { min: 1, max: Number.MAX_SAFE_INTEGER };
const counts = { min: 0, max: 0xffff_ffff };

function readLimits(table: TableReader): ManifestLimits {
  const read: Record<keyof ManifestLimits, number | undefined> = {
    fuelMax: table.optionalInteger("fuel", integers),
    deadlineMs: table.optionalInteger("deadline_ms", { min: 1, max: 86_400_000 }),
    memoryPagesMax: table.optionalInteger("memory_pages", { min: 0, max: 65_536 }),
    tableElementsMax: table.optionalInteger("table_elements", counts),
    stackSlotsMax: table.optionalInteger("stack_slots", counts),
  };
  // What is left out is not there, rather than there and undefined.
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
}

function readSettings(root: TableReader): SettingsSchema | undefined {
  const data = root.take("settings");
  if (data === undefined) return undefined;
  for (const { path, message } of schemaProblems(data)) {
    root.document.problem(["settings", ...path], message);
  }
  // It was checked just now; with problems, nothing of the manifest is used.
  return data as SettingsSchema;
}

function readDependencies(table: TableReader): ReadonlyMap<string, string> {
  const ranges = new Map<string, string>();
  if (table.keys().length > 100) table.document.problem(table.path, "allowed are 100 dependencies");
  for (const key of table.keys()) {
    if (!NAME.test(key)) table.problem(key, `found ${shown(key)}, allowed is ${name.expected}`);
    ranges.set(key, readRange(table, key));
  }
  return ranges;
}

/** Whether a version lies in a range, as both stand in manifests. A pre-release lies in ranges that name one. */
export function versionFits(version: string, range: string): boolean {
  return semver.satisfies(version, range);
}
