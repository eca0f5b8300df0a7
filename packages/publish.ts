/**
 * Lays out what npm publishes of a package: `node packages/publish.ts remora` compiles it and writes the folder
 * `.cache/publish/remora`, ready for `npm publish` or `npm install FOLDER`. In the workspace the entries are the
 * TypeScript sources themselves; published, they are the compiled files beside their declarations.
 */

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Manifest {
  exports?: Record<string, string | { types: string; default: string }>;
  main?: string;
  bin?: Record<string, string>;
  files?: string[];
  [field: string]: unknown;
}

/**
 * Compiles a package of the workspace and lays it out.
 *
 * @param folder The package's folder below the root: `packages/remora`.
 * @param target Where to; what is there goes.
 * @returns      The folder that npm can publish.
 */
export function layOut(
  folder: string,
  target = join(root, ".cache/publish", folder.replace(/^\w+\//, "")),
): string {
  const source = join(root, folder);
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", source], {
    stdio: ["ignore", "inherit", "inherit"],
  });

  const manifest = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as Manifest;
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  cpSync(join(source, "dist"), join(target, "dist"), {
    recursive: true,
    // What tests alone use is of no use to whoever installs it: hostile guests, fakes, killed programs.
    filter: (path) => !/\.(tsbuildinfo|map)$|[/\\]testing$/.test(path),
  });
  // What it shares with the rest of the repository, and whoever installs it has not.
  for (const shared of (manifest.files ?? []).filter((path) => path !== "dist")) {
    cpSync(join(root, shared), join(target, shared), {
      recursive: true,
      filter: (path) => !/[/\\](node_modules|build)$/.test(path),
    });
  }
  cpSync(join(root, "LICENSE"), join(target, "LICENSE"));
  // A package with readers of its own has its own.
  const readme = [source, root].map((at) => join(at, "README.md")).find((path) => existsSync(path));
  if (readme !== undefined) cpSync(readme, join(target, "README.md"));
  writeFileSync(join(target, "package.json"), `${JSON.stringify(published(manifest), undefined, 2)}\n`);
  return target;
}

/** The manifest with every entry moved from its source to its compiled file. */
function published(manifest: Manifest): Manifest {
  const compiled = (path: string) => path.replace(/^\.\/src\/(.*)\.ts$/, "./dist/$1.js");
  const exports = Object.entries(manifest.exports ?? {}).map(([entry, path]) => {
    if (typeof path !== "string") throw new Error(`The entry "${entry}" is not a path`);
    return [entry, { types: compiled(path).replace(/\.js$/, ".d.ts"), default: compiled(path) }];
  });
  const bin = Object.entries(manifest.bin ?? {}).map(([name, path]) => [name, compiled(path)]);
  return {
    ...manifest,
    ...(exports.length > 0 && { exports: Object.fromEntries(exports) }),
    ...(manifest.main !== undefined && { main: compiled(manifest.main) }),
    ...(bin.length > 0 && { bin: Object.fromEntries(bin) }),
    files: manifest.files ?? ["dist"],
  };
}

if (import.meta.main) {
  const [name = "remora"] = process.argv.slice(2);
  console.log(relative(process.cwd(), layOut(name.includes("/") ? name : `packages/${name}`)));
}
