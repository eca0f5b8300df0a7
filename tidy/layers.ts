/** Imports point down, through entries, to what the package declares. The rules behind `layers.test.ts`. */

import { builtinModules } from "node:module";
import { posix } from "node:path";
import type { Finding } from "./finding.ts";
import { type Layer, layerOf, layers, packageOf } from "./layer-table.ts";
import type { Import } from "./scan.ts";
import { isSource, jsonOf, type SourceFile, type Tree, testFiles } from "./tree.ts";

/** Every import of every layer's files against the table. */
export function importFindings(tree: Tree, table: readonly Layer[] = layers): Finding[] {
  const findings: Finding[] = [];
  const tests = testFiles(tree);
  for (const file of tree.values()) {
    const layer = isSource(file.path) ? layerOf(file.path, table) : undefined;
    if (layer === undefined) continue;
    const isTest = tests.has(file.path);
    for (const one of file.imports) {
      const found = one.specifier.startsWith(".")
        ? relativeFinding(file, layer, one, table, isTest)
        : one.kind === "url"
          ? undefined
          : bareFinding(tree, layer, one, table, isTest);
      if (found !== undefined) findings.push({ file: file.path, line: one.line, ...found });
      if (one.isStar) {
        findings.push({
          file: file.path,
          line: one.line,
          what: `re-exports all of "${one.specifier}"`,
          why: "but public names change on purpose and one by one",
          instead: "name what you export",
        });
      }
    }
  }
  return findings;
}

type Found = Pick<Finding, "what" | "why" | "instead"> | undefined;

function relativeFinding(
  file: SourceFile,
  layer: Layer,
  one: Import,
  table: readonly Layer[],
  isTest: boolean,
): Found {
  const target = posix.join(posix.dirname(file.path), one.specifier);
  const what = `imports "${one.specifier}"`;
  if (one.kind !== "url" && !/\.(ts|json)$/.test(one.specifier)) {
    return { what, why: "but sources run as they are", instead: "name the file with its ending, `.ts`" };
  }
  const other = layerOf(target, table);
  // Data beside the code is no layer.
  if (other === layer || (one.kind === "url" && !target.endsWith(".ts"))) return undefined;
  if (other === undefined || packageOf(other) !== packageOf(layer)) {
    // A test may use what lies beside the packages: recordings, worlds, example plugins.
    if (other === undefined && isTest) return undefined;
    const entry = other === undefined ? "a package" : `"${other.entry}"`;
    return { what, why: "which reaches into another package", instead: `import ${entry} by its public name` };
  }
  // Tests of one package may look up: a rewriter's test runs what it rewrote.
  if (isTest || layer.below.includes(other.name)) return undefined;
  return {
    what,
    why: `but ${other.name} does not stand below ${layer.name}`,
    instead: "take what you need as a parameter, or move it down",
  };
}

function bareFinding(tree: Tree, layer: Layer, one: Import, table: readonly Layer[], isTest: boolean): Found {
  const { specifier } = one;
  const what = `imports "${specifier}"`;
  const builtin = specifier.replace(/^node:/, "");
  if (specifier.startsWith("node:") || builtinModules.includes(specifier)) {
    if (!specifier.startsWith("node:")) {
      return { what, why: "which reads like a package of that name", instead: `write "node:${builtin}"` };
    }
    if (isTest || layer.node === "all" || layer.node.includes(specifier)) return undefined;
    const allowed = layer.node.length === 0 ? "nothing of Node" : layer.node.join(", ");
    return {
      what,
      why: `but ${layer.name} may touch ${allowed}`,
      instead: "take what you need as a parameter, or move it to the layer that may",
    };
  }
  const owner = table.find((other) => other.entry === specifier);
  const nameOf = (entry: string) =>
    entry
      .split("/")
      .slice(0, entry.startsWith("@") ? 2 : 1)
      .join("/");
  if (nameOf(specifier) === nameOf(layer.entry)) {
    return { what, why: "which is the package itself", instead: "import the file by its relative path" };
  }
  if (owner !== undefined) {
    if (layer.below.includes(owner.name)) return undefined;
    const isSibling = owner.folder.startsWith("hosts/") && layer.folder.startsWith("hosts/");
    return {
      what,
      why: isSibling
        ? "but a host never imports another"
        : `but ${owner.name} does not stand below ${layer.name}`,
      instead: isSibling ? "move what both need into a layer" : "take what you need as a parameter",
    };
  }
  if (table.some((other) => nameOf(other.entry) === nameOf(specifier))) {
    const entries = table.map((other) => other.entry).filter((entry) => nameOf(entry) === nameOf(specifier));
    return { what, why: "which is no public entry", instead: `import one of ${entries.join(", ")}` };
  }
  return undeclaredFinding(tree, layer, specifier, nameOf(specifier), isTest);
}

/** An npm package has to stand in the package.json of whoever imports it. */
function undeclaredFinding(
  tree: Tree,
  layer: Layer,
  specifier: string,
  name: string,
  isTest: boolean,
): Found {
  // The cast is safe enough: npm itself reads this file, and a missing key reads as undefined.
  const own = jsonOf(tree, `${packageOf(layer)}/package.json`) as Manifest | undefined;
  const whole = jsonOf(tree, "package.json") as Manifest | undefined;
  if (own?.dependencies?.[name] !== undefined) return undefined;
  if (isTest && (own?.devDependencies?.[name] ?? whole?.devDependencies?.[name]) !== undefined) {
    return undefined;
  }
  return {
    what: `imports "${specifier}"`,
    why: `but ${packageOf(layer)}/package.json does not declare it`,
    instead: "declare it with an exact version, or do without",
  };
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
}

/**
 * Folders that import one another in a ring, types left out: then neither can be read, or run, before the other.
 * Within one folder a ring may be a grammar that contains itself.
 */
export function cycleFindings(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  const state = new Map<string, "open" | "done">();
  const path: string[] = [];
  const visit = (file: SourceFile) => {
    state.set(file.path, "open");
    path.push(file.path);
    for (const one of file.imports) {
      if (!one.isValue || one.kind === "url" || !one.specifier.startsWith(".")) continue;
      const target = tree.get(posix.join(posix.dirname(file.path), one.specifier));
      if (target === undefined) continue;
      if (state.get(target.path) === "open") {
        const ring = path.slice(path.indexOf(target.path));
        if (new Set(ring.map((each) => posix.dirname(each))).size < 2) continue;
        findings.push({
          file: file.path,
          line: one.line,
          what: `closes a ring of imports: ${[...ring, target.path].join(" → ")}`,
          why: "so none of these folders can be read alone",
          instead: "move what two of them share into a file of its own",
        });
      } else if (state.get(target.path) === undefined) visit(target);
    }
    path.pop();
    state.set(file.path, "done");
  };
  for (const file of tree.values()) if (isSource(file.path) && !state.has(file.path)) visit(file);
  return findings;
}

/** Folders, TypeScript projects and package entries against the table: nothing more and nothing less. */
export function projectFindings(tree: Tree, table: readonly Layer[] = layers): Finding[] {
  const findings: Finding[] = [];
  const add = (file: string, what: string, why: string, instead: string) =>
    findings.push({ file, line: 1, what, why, instead });

  for (const layer of table) {
    if (!tree.has(`${layer.folder}/${entryFileOf(layer)}`)) {
      add(
        "tidy/layer-table.ts",
        `names ${layer.folder}`,
        `but it has no ${entryFileOf(layer)}`,
        "take the row out, or write the entry",
      );
    }
    const config = configOf(layer);
    const json = jsonOf(tree, config) as TsConfig | undefined;
    if (json === undefined) {
      add(config, "is missing", `and ${layer.name} is a TypeScript project of its own`, "write it");
      continue;
    }
    const references = (json.references ?? []).map((one) => posix.join(posix.dirname(config), one.path));
    const expected = referencesOf(layer, table);
    for (const one of expected.filter((path) => !references.includes(path))) {
      add(
        config,
        `has no reference to ${one}`,
        "but the layer table lets it import that",
        `add ${one} to "references"`,
      );
    }
    for (const one of references.filter((path) => !expected.includes(path))) {
      add(
        config,
        `refers to ${one}`,
        `but the layer table does not let ${layer.name} import that`,
        "take the reference out",
      );
    }
    if (
      layer.node !== "all" &&
      layer.node.length === 0 &&
      layer.name !== "remora" &&
      json.compilerOptions?.types?.length !== 0
    ) {
      add(
        config,
        "has types of the platform",
        `but ${layer.name} is plain data in, plain data out`,
        'write "types": []',
      );
    }
  }

  const folders = new Set<string>();
  for (const path of tree.keys()) {
    const match = /^(packages\/remora\/src\/[^/]+|hosts\/[^/]+\/src|packages\/(?!remora\/)[^/]+\/src)\//.exec(
      path,
    );
    if (match?.[1] !== undefined) folders.add(match[1]);
  }
  for (const folder of folders) {
    if (!table.some((layer) => layer.folder === folder)) {
      add(
        folder,
        "is a folder of code",
        "but the layer table does not name it",
        "add its row to tidy/layer-table.ts",
      );
    }
  }
  return findings.concat(entryFindings(tree, table));
}

interface TsConfig {
  readonly compilerOptions?: { readonly types?: readonly string[] };
  readonly references?: readonly { readonly path: string }[];
}

function entryFileOf(layer: Layer): string {
  return layer.name === "cli" ? "main.ts" : "index.ts";
}

/** A layer inside `remora` has its project beside its code; a package has it at its root. */
function configOf(layer: Layer): string {
  const isInside = layer.folder.split("/").length > 3;
  return `${isInside ? layer.folder : packageOf(layer)}/tsconfig.json`;
}

function referencesOf(layer: Layer, table: readonly Layer[]): string[] {
  const found = new Set<string>();
  for (const name of layer.below) {
    const other = table.find((one) => one.name === name);
    if (other === undefined) continue;
    found.add(packageOf(other) === packageOf(layer) ? other.folder : packageOf(other));
  }
  return [...found];
}

/** What package.json offers to importers is what the table calls an entry. */
function entryFindings(tree: Tree, table: readonly Layer[]): Finding[] {
  const findings: Finding[] = [];
  for (const folder of new Set(table.map(packageOf))) {
    if (folder === "packages/cli") continue;
    const file = `${folder}/package.json`;
    const offered = (jsonOf(tree, file) as Manifest | undefined)?.exports ?? {};
    const expected = new Map<string, string>();
    for (const layer of table.filter((one) => packageOf(one) === folder)) {
      const shape = layer.entry.startsWith("@")
        ? layer.entry.split("/").slice(2)
        : layer.entry.split("/").slice(1);
      expected.set([".", ...shape].join("/"), `.${layer.folder.slice(folder.length)}/index.ts`);
    }
    for (const [name, path] of expected) {
      if (offered[name] === path) continue;
      findings.push({
        file,
        line: 1,
        what: `does not export "${name}"`,
        why: "but the layer table calls it an entry",
        instead: `write "${name}": "${path}"`,
      });
    }
    for (const name of Object.keys(offered)) {
      if (expected.has(name)) continue;
      findings.push({
        file,
        line: 1,
        what: `exports "${name}"`,
        why: "but the layer table knows no such entry",
        instead: "take it out, or add its row to tidy/layer-table.ts",
      });
    }
  }
  return findings;
}
