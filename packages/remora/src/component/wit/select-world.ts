/** Which world is meant (WIT.md, "Specifying a World"). */

import { didYouMean } from "../../base/index.ts";
import { witErrors } from "./errors.ts";
import { packageId, type WitPackage, type WitPackages, type World } from "./model.ts";

/**
 * Finds a world.
 *
 * @param wanted A world of the root package by its name, any by its path (`wasi:cli/command@0.2.0`; the version may
 *               be left out where only one is there). Default: the only one of the root package.
 * @throws component/wit-no-such-world with the names that there are
 */
export function selectWorld(packages: WitPackages, wanted?: string): World {
  const { root } = packages;
  if (wanted === undefined) {
    const [only, ...others] = root.worlds.values();
    if (only !== undefined && others.length === 0) return only;
    throw witErrors["wit-no-such-world"]({ wanted, worlds: [...root.worlds.keys()], near: "" });
  }
  const [path = "", version] = wanted.split("@");
  const slash = path.indexOf("/");
  const owners = slash < 0 ? [root] : ownersOf(packages, path.slice(0, slash), version);
  const name = path.slice(slash + 1);
  const found = owners.flatMap((owner) => owner.worlds.get(name) ?? []);
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const ids = [...packages.packages.values()].flatMap((each) =>
    [...each.worlds.values()].map((world) => world.id),
  );
  const names = slash < 0 ? [...root.worlds.keys()] : ids;
  const near =
    others.length > 0
      ? `: say which, ${found.map((world) => world.id).join(" or ")}`
      : didYouMean(wanted, names);
  throw witErrors["wit-no-such-world"]({ wanted, worlds: names, near });
}

function ownersOf(packages: WitPackages, path: string, version: string | undefined): WitPackage[] {
  return [...packages.packages.values()].filter(({ name }) => {
    if (version === undefined) return `${name.namespace}:${name.name}` === path;
    return packageId(name) === `${path}@${version}`;
  });
}
