/**
 * Builds the example plugins that have changed since they were last built: `npm run build:examples`, with
 * `-- --force` all of them. What a plugin was built from is kept as a digest beside it, so that a second run has
 * nothing to do and takes milliseconds.
 */

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { alone } from "./build-lock.ts";
import { digest, digestOf, isBuiltFrom, place } from "./built-file.ts";

const root = dirname(import.meta.dirname);
const takWit = join(root, "worlds/tak/0.1.0");

export interface ExamplePlugin {
  /** Its folder below `examples/`. */
  readonly folder: string;
  readonly world: string;
  /** The file that the compiler starts from. */
  readonly entry: string;
}

/** Every example plugin, and the world that it is for. */
export const examplePlugins: readonly ExamplePlugin[] = [
  {
    folder: "tak/geofence-filter",
    world: "omnitak:plugin/filter-plugin@0.1.0",
    entry: "assembly/index.ts",
  },
  { folder: "tak/geofence-lazy", world: "remora:tak/lazy-filter@0.1.0", entry: "assembly/index.ts" },
  { folder: "tak/geofence-batch", world: "remora:tak/batch-filter@0.1.0", entry: "assembly/index.ts" },
  { folder: "tak/geofence-columns", world: "remora:tak/column-filter@0.1.0", entry: "assembly/index.ts" },
  {
    folder: "tak/add-detail-transformer",
    world: "omnitak:plugin/transformer-plugin@0.1.0",
    entry: "assembly/index.ts",
  },
  { folder: "tak/geofence-c", world: "omnitak:plugin/filter-plugin@0.1.0", entry: "geofence.c" },
];

export interface BuildReport {
  /** What was built in this run; the others were as new as their sources. */
  readonly built: readonly string[];
  /** What could not be built here, and why. */
  readonly skipped: readonly { readonly folder: string; readonly reason: string }[];
}

/** Builds what is missing or older than its sources. Of several processes, one builds and the others wait for it. */
export async function buildExamples(options: { readonly force?: boolean } = {}): Promise<BuildReport> {
  const force = options.force ?? false;
  // Plugins may share files, as the geofences do their fence: one source that changes builds them all.
  const folders = [
    join(root, "sdk"),
    takWit,
    ...examplePlugins.map((each) => join(root, "examples", each.folder)),
  ];
  const shared = digest([await digestOf(folders), toolVersions()]);
  const { report, outdated } = await survey(shared, force);
  if (outdated.length === 0) return report;
  return alone(join(root, ".cache/examples.lock"), async () => {
    // Somebody else may have built them while we waited.
    const again = await survey(shared, force);
    for (const job of again.outdated) await job.build();
    return { ...again.report, built: again.outdated.map((job) => job.folder) };
  });
}

interface Job {
  readonly folder: string;
  readonly build: () => Promise<void>;
}

/** What there is to do, and what cannot be done here. */
async function survey(shared: string, force: boolean): Promise<{ report: BuildReport; outdated: Job[] }> {
  const outdated: Job[] = [];
  const skipped: { folder: string; reason: string }[] = [];
  for (const plugin of examplePlugins) {
    const { folder } = plugin;
    const inputs = digest([shared, plugin.world, plugin.entry]);
    const path = componentPath(folder);
    if (!force && (await isBuiltFrom(inputs, path))) continue;
    const reason = await whyNot(plugin);
    if (reason === undefined) outdated.push({ folder, build: () => buildAndPack(plugin, inputs) });
    else skipped.push({ folder, reason });
  }
  const hostile = join(root, "examples/tak/hostile");
  const inputs = digest([shared, await digestOf([hostile, join(root, "examples", looping)])]);
  if (force || !(await isBuiltFrom(inputs, join(hostile, "build/all")))) {
    outdated.push({ folder: "tak/hostile", build: () => buildHostileGuests(hostile, inputs) });
  }
  return { report: { built: [], skipped }, outdated };
}

/** A reason for leaving a plugin out, or nothing. */
async function whyNot(plugin: ExamplePlugin): Promise<string | undefined> {
  if (!plugin.entry.endsWith(".c")) return undefined;
  const { missingTools } = await import("../sdk/c/build.ts");
  const missing = missingTools();
  return missing.length === 0
    ? undefined
    : `${missing.join(" and ")} not found: npm does not carry a C compiler`;
}

async function build(plugin: ExamplePlugin): Promise<Uint8Array> {
  // Loaded only now: the compilers take most of a second, and mostly there is nothing to build.
  const { buildComponent } = plugin.entry.endsWith(".c")
    ? await import("../sdk/c/build.ts")
    : await import("../sdk/assemblyscript/build.ts");
  const entry = join(root, "examples", plugin.folder, plugin.entry);
  return buildComponent({ entry, world: plugin.world, witFolder: takWit });
}

/** The component, and the bundle that its manifest makes of it. */
async function buildAndPack(plugin: ExamplePlugin, inputs: string): Promise<void> {
  const { folder } = plugin;
  const component = await build(plugin);
  const file = `build/${basename(componentPath(folder))}`;
  await place(bundlePath(folder), await pack(folder, file, component), inputs);
  // The component last: a bundle is there whenever it is.
  await place(componentPath(folder), component, inputs);
}

async function pack(folder: string, file: string, component: Uint8Array): Promise<Uint8Array> {
  const { packBundle } = await import("remora/bundle");
  const { takCapabilities } = await import("@remora/tak");
  const { vocabularyWith } = await import("remora/policy");
  const manifest = await readFile(join(root, "examples", folder, "remora.toml"));
  const files = new Map<string, Uint8Array>([
    ["remora.toml", manifest],
    [file, component],
  ]);
  return packBundle(files, { vocabulary: vocabularyWith(takCapabilities) });
}

/** One digest for all of them: they come from one file. */
async function buildHostileGuests(folder: string, inputs: string): Promise<void> {
  const { buildHostile, hostileGuests } = await import("./tak/hostile/guests.ts");
  for (const [name, guest] of Object.entries(hostileGuests)) {
    await place(join(folder, "build", `${name}.wasm`), await buildHostile(guest, takWit), inputs);
  }
  const loops = await readFile(join(folder, "build/loops.wasm"));
  await place(bundlePath(looping), await pack(looping, "loops.wasm", loops), inputs);
  await place(join(folder, "build/all"), new Uint8Array(), inputs);
}

/** A version of the geofence to break a running host with. */
const looping = "tak/geofence-looping";

/** Where the component of `examples/<folder>` is, once it is built. */
export function componentPath(folder: string): string {
  const name = folder.slice(folder.lastIndexOf("/") + 1);
  return join(root, "examples", folder, "build", `${name}.wasm`);
}

/** Where its bundle is. */
export function bundlePath(folder: string): string {
  return componentPath(folder).replace(/\.wasm$/, ".bundle");
}

/** The compiler and the tool that wraps: what they give may differ from version to version. */
function toolVersions(): string {
  const manifest: { devDependencies: Record<string, string> } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const { assemblyscript, "@bytecodealliance/jco-transpile": wrapper } = manifest.devDependencies;
  return `${assemblyscript} ${wrapper}`;
}

if (import.meta.main) {
  const { buildSignalkExamples } = await import("./signalk/build.ts");
  const force = process.argv.includes("--force");
  const reports = [await buildExamples({ force }), await buildSignalkExamples({ force })];
  const built = reports.flatMap((report) => report.built);
  const skipped = reports.flatMap((report) => report.skipped);
  console.log(built.length === 0 ? "Nothing to build" : `Built ${built.join(", ")}`);
  for (const { folder, reason } of skipped) console.log(`Left out ${folder}: ${reason}`);
}
