/** What npm puts on disk for the Signal K host without the server: the package, Remora, and what they need. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { layOut } from "../../packages/publish.ts";

const root = dirname(dirname(import.meta.dirname));

export function installedMb(): number {
  const packages = ["hosts/signalk", "packages/remora"].map((folder) => layOut(folder));
  const found = new Set<string>();
  for (const folder of ["hosts/signalk", "packages/remora"]) collect(join(root, folder), found);
  const bytes = [...packages, ...found].reduce((sum, folder) => sum + sizeOf(folder), 0);
  return bytes / 1_000_000;
}

/** The folders of a package's dependencies and theirs, but those of the workspace. */
function collect(folder: string, found: Set<string>): void {
  const manifest: { dependencies?: Record<string, string> } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  const { resolve } = createRequire(join(folder, "package.json"));
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    if (name === "remora") continue;
    const path = resolve(name);
    const at = join(path.slice(0, path.lastIndexOf(`node_modules/${name}`)), "node_modules", name);
    if (found.has(at)) continue;
    found.add(at);
    collect(at, found);
  }
}

function sizeOf(path: string): number {
  const about = statSync(path);
  if (!about.isDirectory()) return about.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
