import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { layOut } from "../packages/publish.ts";
import { expectTidy, type Finding } from "./finding.ts";
import { lineAt } from "./scan.ts";
import { jsonOf, readTree, root, testFiles } from "./tree.ts";

const CORE = "packages/remora";
const DEPENDENCIES_MAX = 3;
const INSTALLED_BYTES_MAX = 5_000_000;
const FIELDS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] as const;

type Manifest = Partial<Record<(typeof FIELDS)[number], Readonly<Record<string, string>>>>;

interface Locked extends Manifest {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

const tree = readTree();
const manifests = [...tree.keys()].filter((path) => /(^|\/)package\.json$/.test(path));
// npm wrote it in its own format; what a test needs and does not find reads as undefined.
const lock = jsonOf(tree, "package-lock.json") as { packages: Readonly<Record<string, Locked>> };

test("every dependency has an exact version", () => {
  const findings: Finding[] = [];
  for (const file of manifests) {
    const manifest = jsonOf(tree, file) as Manifest;
    for (const [name, version] of FIELDS.flatMap((field) => Object.entries(manifest[field] ?? {}))) {
      if (/^(npm:[@\w./-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) continue;
      findings.push({
        file,
        line: lineAt(tree.get(file)?.text ?? "", tree.get(file)?.text.indexOf(`"${name}"`) ?? 0),
        what: `asks for "${name}" in version "${version}"`,
        why: "which is another program tomorrow",
        instead: "write the exact version",
      });
    }
  }
  expectTidy(findings);
});

test("every dependency of a package is imported by it", () => {
  const findings: Finding[] = [];
  const tests = testFiles(tree);
  for (const file of manifests.filter((path) => /^(packages|hosts)\//.test(path))) {
    const folder = file.slice(0, file.lastIndexOf("/"));
    const imported = new Set<string>();
    for (const source of tree.values()) {
      if (!source.path.startsWith(`${folder}/`) || tests.has(source.path)) continue;
      for (const { specifier } of source.imports) {
        imported.add(
          specifier
            .split("/")
            .slice(0, specifier.startsWith("@") ? 2 : 1)
            .join("/"),
        );
      }
    }
    const manifest = jsonOf(tree, file) as Manifest;
    for (const name of Object.keys(manifest.dependencies ?? {}).filter((one) => !imported.has(one))) {
      findings.push({
        file,
        line: lineAt(tree.get(file)?.text ?? "", tree.get(file)?.text.indexOf(`"${name}"`) ?? 0),
        what: `depends on "${name}"`,
        why: "but nothing in the package imports it",
        instead: "take it out, so that nobody installs it for nothing",
      });
    }
  }
  expectTidy(findings);
});

test("the lock file names no registry", () => {
  const findings: Finding[] = [];
  for (const [name, { resolved }] of Object.entries(lock.packages)) {
    if (resolved === undefined || !/^[a-z+]+:/.test(resolved)) continue;
    findings.push({
      file: "package-lock.json",
      line: lineAt(
        tree.get("package-lock.json")?.text ?? "",
        tree.get("package-lock.json")?.text.indexOf(resolved) ?? 0,
      ),
      what: `resolves "${name}" at ${new URL(resolved).host}`,
      why: "but every machine has its own registry",
      instead: "install with the repository's .npmrc, which leaves that out",
    });
  }
  expectTidy(findings);
});

/** Where npm put a dependency of the package at `from`: the nearest `node_modules` upwards. */
function lockedPath(from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) {
    const path = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (lock.packages[path] !== undefined) return path;
    if (at === "") return undefined;
  }
}

/** The package's dependencies and theirs, as paths of the lock file. */
function runtimeTree(from: string, found = new Set<string>()): Set<string> {
  const entry = lock.packages[from];
  for (const name of Object.keys({ ...entry?.dependencies, ...entry?.optionalDependencies })) {
    const path = lockedPath(from, name);
    if (path === undefined || found.has(path)) continue;
    found.add(path);
    runtimeTree(path, found);
  }
  return found;
}

test("the core package has at most three dependencies, and none runs a script when it is installed", () => {
  const manifest = jsonOf(tree, `${CORE}/package.json`) as Manifest;
  const direct = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  assert.ok(direct.length <= DEPENDENCIES_MAX, `${CORE}/package.json:1: depends on ${direct.join(", ")}`);
  for (const path of runtimeTree(CORE)) {
    assert.ok(lock.packages[path]?.hasInstallScript !== true, `${path} runs a script when it is installed`);
  }
});

test("no dependency of any package that we publish runs a script when it is installed", () => {
  for (const folder of Object.keys(lock.packages).filter((path) => /^(packages|hosts)\/[^/]+$/.test(path))) {
    for (const path of runtimeTree(folder)) {
      assert.ok(
        lock.packages[path]?.hasInstallScript !== true,
        `${path} of ${folder} runs an install script`,
      );
    }
  }
});

test("the core package installs in less than 5 MB, and what it publishes has every entry", (t) => {
  const folder = layOut(CORE);
  const bytes =
    sizeOf(folder) + [...runtimeTree(CORE)].reduce((sum, path) => sum + sizeOf(join(root, path)), 0);
  t.diagnostic(`remora installs in ${(bytes / 1_000).toFixed(0)} kB`);
  assert.ok(bytes < INSTALLED_BYTES_MAX, `remora installs in ${bytes} bytes`);

  const published: { exports: Readonly<Record<string, { types: string; default: string }>> } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  assert.ok(Object.keys(published.exports).length > 1);
  for (const { types, default: code } of Object.values(published.exports)) {
    for (const path of [types, code]) assert.ok(statSync(join(folder, path)).isFile(), path);
  }
});

function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}
