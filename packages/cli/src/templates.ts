/**
 * What `remora new` writes. The files themselves stand in `templates/`, and what they share with others where that is
 * kept: guest libraries in `sdk/`, contracts in `worlds/`. A published program has copies of the three beside its code.
 */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { invariant } from "remora/base";
import { generateTypes, parseWit, selectWorld } from "remora/component";

export interface Template {
  /** What the plugin is to begin with. */
  readonly what: string;
  /** What its author types in the folder to build it. */
  readonly build: string;
  /** What has to be there for that, beside `remora`. */
  readonly needs: string;
  /** Files; of two with one path the later one is it. */
  readonly parts: readonly Part[];
  /** What is written otherwise than in the parts. */
  readonly rename?: Renames;
  /** A world of `wit/`, whose types go into `world.d.ts`. */
  readonly types?: string;
}

interface Part {
  /** A file or folder, below the folder of `templates/`. */
  readonly source: string;
  /** Where it goes in the plugin's folder; "" for the folder itself. */
  readonly target: string;
}

type Renames = readonly (readonly [from: string, to: string])[];

export interface NewFile {
  /** In the plugin's folder, with "/". */
  readonly path: string;
  readonly text: string;
}

const byNpm = { build: "npm install && npm run build", needs: "npm" } as const;
const byMake = { build: "make", needs: "make, clang and lld" } as const;
const byGo = {
  build: 'GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags="-s -w" -o build/plugin.wasm',
  needs: "go 1.24 or later",
} as const;
const byCargo = (target: string) => ({
  build: "cargo build --release",
  needs: `cargo, with the target ${target}`,
});

const omnitakWit: Part = {
  source: "worlds/tak/0.1.0/deps/omnitak-plugin/plugin.wit",
  target: "wit/plugin.wit",
};
const takWit: Part = { source: "worlds/tak/0.1.0", target: "wit" };
const filterWorld = "omnitak:plugin/filter-plugin@0.1.0";

/** A plugin for TAK in AssemblyScript: the template of a filter, with the glue and the WIT of a world. */
function takAssemblyScript(glue: string, wit: Part): readonly Part[] {
  return [
    { source: "templates/tak/assemblyscript", target: "" },
    { source: "sdk/assemblyscript/assembly", target: "library" },
    { source: `sdk/assemblyscript/worlds/${glue}.ts`, target: "assembly/world.ts" },
    wit,
  ];
}

const besideIt = ['from "plugin"', 'from "./index"'] as const;

/** The same filter in another shape. */
function takShape(world: string, rename: Renames = []): Pick<Template, "parts" | "rename"> {
  return {
    parts: takAssemblyScript(`remora-tak/${world}`, takWit),
    rename: [
      besideIt,
      [filterWorld, `remora:tak/${world}@0.1.0`],
      ["omnitak:plugin/filter-plugin", `remora:tak/${world}`],
      ...rename,
    ],
  };
}

export const templates = {
  "signalk/assemblyscript": {
    what: "shows the depth as its status",
    ...byNpm,
    parts: [{ source: "templates/signalk/assemblyscript", target: "" }],
  },
  "signalk/c": {
    what: "shows the depth as its status",
    ...byMake,
    parts: [{ source: "templates/signalk/c", target: "" }],
  },
  "signalk/go": {
    what: "shows the depth as its status",
    ...byGo,
    parts: [{ source: "templates/signalk/go", target: "" }],
  },
  "signalk/rust": {
    what: "shows the depth as its status",
    ...byCargo("wasm32-wasip1"),
    parts: [{ source: "templates/signalk/rust", target: "" }],
  },
  "signalk/typescript": {
    what: "shows the depth as its status; a component",
    ...byNpm,
    parts: [
      { source: "templates/signalk/typescript", target: "" },
      { source: "worlds/signalk/0.1.0", target: "wit" },
    ],
    types: "remora:signalk/subscribing-plugin@0.1.0",
  },
  "tak/assemblyscript": {
    what: "a filter: passes what is inside an area",
    ...byNpm,
    parts: takAssemblyScript("omnitak-plugin/filter-plugin", omnitakWit),
    rename: [besideIt],
  },
  "tak/assemblyscript-batch": {
    what: "the filter, of many messages at a time",
    ...byNpm,
    ...takShape("batch-filter"),
  },
  "tak/assemblyscript-columns": {
    what: "the filter, of many positions at a time",
    ...byNpm,
    ...takShape("column-filter", [
      ["CotMessage, FilterMetadata", "FilterMetadata"],
      ["message: CotMessage", "lat: f64, lon: f64, hae: f64"],
      ["message.lat, message.lon", "lat, lon"],
    ]),
  },
  "tak/assemblyscript-lazy": {
    what: "the filter, of messages that are lent",
    ...byNpm,
    ...takShape("lazy-filter", [
      ["CotMessage, FilterMetadata, FilterResult", "FilterMetadata, FilterResult, LazyMessage"],
      ["message: CotMessage", "message: LazyMessage"],
    ]),
  },
  "tak/assemblyscript-transformer": {
    what: "a transformer: adds a detail to each event",
    ...byNpm,
    parts: [
      ...takAssemblyScript("omnitak-plugin/transformer-plugin", omnitakWit),
      { source: "templates/tak/assemblyscript-transformer", target: "" },
    ],
    rename: [
      besideIt,
      ["omnitak:plugin/filter-plugin", "omnitak:plugin/transformer-plugin"],
      [
        "Passes messages from inside an area and blocks the others",
        "Adds an element to the detail of each event",
      ],
      ["Passes what is inside an area", "Adds an element to the detail of each event"],
    ],
  },
  "tak/c": {
    what: "a filter: passes what is inside an area",
    ...byMake,
    parts: [
      { source: "templates/tak/c", target: "" },
      { source: "sdk/c/include", target: "include" },
      omnitakWit,
    ],
  },
  "tak/rust": {
    what: "a filter: passes what is inside an area",
    ...byCargo("wasm32-wasip2"),
    parts: [{ source: "templates/tak/rust", target: "" }, omnitakWit],
  },
  "tak/typescript": {
    what: "a filter: passes what is inside an area",
    ...byNpm,
    parts: [{ source: "templates/tak/typescript", target: "" }, omnitakWit],
    types: filterWorld,
  },
} as const satisfies Readonly<Record<string, Template>>;

export type TemplateName = keyof typeof templates;
// The keys of the table above.
export const templateNames = Object.keys(templates) as TemplateName[];

/** The files of a new plugin, which has its name wherever the template has its own. */
export function filesOf(template: TemplateName, plugin: string): readonly NewFile[] {
  const { parts, rename = [], types }: Template = templates[template];
  const read = parts.flatMap(({ source, target }) => readPart(source, target));
  // As cargo calls what it makes of it, and not every template has it.
  const asCargo = read.map(({ path, text }) => ({
    path,
    text: text.replaceAll("my_plugin", plugin.replaceAll("-", "_")),
  }));
  const files = new Map<string, string>();
  for (const { path, text } of renamed(asCargo, [["my-plugin", plugin], ...rename])) files.set(path, text);
  if (types !== undefined) files.set("world.d.ts", worldTypes(files, types));
  return [...files].map(([path, text]) => ({ path, text }));
}

/** The files with each text in place of another. One that is in none of them was renamed or removed in a template. */
export function renamed(files: readonly NewFile[], renames: Renames): NewFile[] {
  return renames.reduce<NewFile[]>(
    (before, [from, to]) => {
      invariant(
        before.some(({ text }) => text.includes(from)),
        `a template has ${JSON.stringify(from)}, which is written otherwise`,
      );
      return before.map(({ path, text }) => ({ path, text: text.replaceAll(from, to) }));
    },
    [...files],
  );
}

function worldTypes(files: ReadonlyMap<string, string>, world: string): string {
  const wit = [...files].filter(([path]) => path.endsWith(".wit")).map(([path, text]) => ({ path, text }));
  return generateTypes(selectWorld(parseWit(wit), world));
}

function readPart(source: string, target: string): NewFile[] {
  const at = join(base(), source);
  if (statSync(at).isFile()) return [{ path: target, text: readFileSync(at, "utf8") }];
  // A folder that somebody builds in has more in it than the template.
  const made = /^(node_modules|build|target)$/;
  return readdirSync(at, { withFileTypes: true })
    .filter(({ name }) => !made.test(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name }) => readPart(`${source}/${name}`, target === "" ? name : `${target}/${name}`));
}

/** The package, where npm installed it; the repository, where this is a source in it. */
function base(): string {
  const [ofPackage, ofRepository] = ["..", "../../.."].map((up) =>
    fileURLToPath(new URL(up, new URL("./", import.meta.url))),
  );
  const found = [ofPackage, ofRepository].find(
    (folder) => folder !== undefined && existsSync(join(folder, "templates")),
  );
  if (found === undefined) throw new Error("Invariant broken: the program comes with its templates");
  return found;
}
