/** Which files and braces make up which package (WIT.md, "Filesystem structure"). */

import type { PackagePart } from "./ast.ts";
import { witErrors } from "./errors.ts";
import { type PackageName, packageId } from "./model.ts";
import { parseFile } from "./parse-file.ts";
import { invalid } from "./scope.ts";
import type { WitFile } from "./source.ts";

/** One package as it is written, in one or more parts. */
export interface PackageTree {
  readonly name: PackageName;
  readonly parts: readonly PackagePart[];
}

export interface GatheredPackages {
  /** Id of the root package. */
  readonly root: string;
  readonly packages: ReadonlyMap<string, PackageTree>;
}

export function gatherPackages(files: readonly WitFile[]): GatheredPackages {
  const packages = new Map<string, PackageTree>();
  let root: string | undefined;
  for (const [folder, members] of byFolder(files)) {
    const parsed = members.map(parseFile);
    const parts = parsed.map((file) => file.own);
    const declared = parts.some((part) => part.package !== undefined);
    const hasItems = parts.some((part) => part.items.length > 0);
    if (declared || hasItems) {
      const tree = { name: agreedName(parts, members), parts };
      add(packages, tree);
      if (folder === "") root = packageId(tree.name);
    }
    for (const nested of parsed.flatMap((file) => file.nested)) {
      // Braces always stand behind a package's name.
      if (nested.package !== undefined) add(packages, { name: nested.package, parts: [nested] });
    }
  }
  if (root === undefined) throw witErrors["wit-no-package"]({ paths: files.map((file) => file.path) });
  return { root, packages };
}

/** Files of the root under "", files of a dependency under its entry in `deps/`. In the order of their paths. */
function byFolder(files: readonly WitFile[]): Map<string, WitFile[]> {
  const folders = new Map<string, WitFile[]>();
  const ordered = [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  for (const file of ordered) {
    const dependency = /(?:^|[\\/])deps[\\/]([^\\/]+)/.exec(file.path)?.[1] ?? "";
    const members = folders.get(dependency);
    if (members === undefined) folders.set(dependency, [file]);
    else members.push(file);
  }
  return folders;
}

/** "At least one of these files must specify a package name […] they must all agree". */
function agreedName(parts: readonly PackagePart[], members: readonly WitFile[]): PackageName {
  const [first, ...others] = parts.flatMap((part) => part.package ?? []);
  if (first === undefined) throw witErrors["wit-no-package"]({ paths: members.map((file) => file.path) });
  for (const other of others) {
    if (packageId(other) === packageId(first)) continue;
    throw invalid(
      other.span,
      `files of one folder are one package: "${packageId(first)}" in ${first.span.file.path}`,
    );
  }
  const documented = [first, ...others].filter((each) => each.docs !== undefined);
  if (documented[1] !== undefined) {
    throw invalid(
      documented[1].span,
      "only one file of a package documents it, so that nobody has to join texts",
    );
  }
  return { namespace: first.namespace, name: first.name, version: first.version };
}

/** "Any package which is duplicated across dependencies must have the same contents." */
function add(packages: Map<string, PackageTree>, tree: PackageTree): void {
  const id = packageId(tree.name);
  const first = packages.get(id);
  if (first === undefined) {
    packages.set(id, tree);
    return;
  }
  const textOf = (each: PackageTree) => each.parts.map((part) => part.text.trim()).join("\n");
  if (textOf(first) === textOf(tree)) return;
  const span = tree.parts.find((part) => part.package !== undefined)?.package?.span;
  if (span !== undefined) throw invalid(span, `package "${id}" is there twice, and not the same`);
}
