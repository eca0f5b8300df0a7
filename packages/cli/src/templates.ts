/**
 * What `remora new` writes. The files themselves stand in `templates/`, and what they share with others where that is
 * kept: guest libraries in `sdk/`, contracts in `worlds/`. A published program has copies of the three beside its code.
 */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const templateNames = ["signalk/assemblyscript", "tak/assemblyscript"] as const;
export type TemplateName = (typeof templateNames)[number];

export interface NewFile {
  /** In the plugin's folder, with "/". */
  readonly path: string;
  readonly text: string;
}

/** The files of a new plugin, which has its name wherever the template has its own. */
export function filesOf(template: TemplateName, plugin: string): readonly NewFile[] {
  return partsOf(template).flatMap(({ source, target, rename = [] }) =>
    readPart(source, target).map(({ path, text }) => {
      const renames = [["my-plugin", plugin] as const, ...rename];
      return { path, text: renames.reduce((so, [from, to]) => so.replaceAll(from, to), text) };
    }),
  );
}

interface Part {
  /** A file or folder, below the folder of `templates/`. */
  readonly source: string;
  /** Where it goes in the plugin's folder; "" for the folder itself. */
  readonly target: string;
  readonly rename?: readonly (readonly [from: string, to: string])[];
}

function partsOf(template: TemplateName): readonly Part[] {
  return [{ source: `templates/${template}`, target: "" }, ...shared[template]];
}

const shared: Readonly<Record<TemplateName, readonly Part[]>> = {
  "signalk/assemblyscript": [],
  "tak/assemblyscript": [
    { source: "sdk/assemblyscript/assembly", target: "library" },
    {
      source: "sdk/assemblyscript/worlds/omnitak-plugin/filter-plugin.ts",
      target: "assembly/world.ts",
      rename: [['from "plugin"', 'from "./index"']],
    },
    { source: "worlds/tak/0.1.0/deps/omnitak-plugin/plugin.wit", target: "wit/plugin.wit" },
  ],
};

function readPart(source: string, target: string): NewFile[] {
  const at = join(base(), source);
  if (statSync(at).isFile()) return [{ path: target, text: readFileSync(at, "utf8") }];
  // A folder that somebody builds in has more in it than the template.
  const made = /^(node_modules|build)$/;
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
