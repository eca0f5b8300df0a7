/** Which of a component's imports a host has to give something for. */

import type { ExternType } from "./link/describe.ts";
import type { PreparedComponent } from "./prepare.ts";

/** Names of all imports but of interfaces that have types alone, in the order of the binary. */
export function neededImports(component: PreparedComponent): string[] {
  return [...component.imports].filter(([, item]) => isGiven(item)).map(([name]) => name);
}

function isGiven(item: ExternType): boolean {
  if (item.kind === "instance") return [...item.exports.values()].some(isGiven);
  return item.kind !== "type";
}
