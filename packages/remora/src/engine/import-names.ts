/** The names under which a host gives something: what `checkImports` compares an artifact's imports with. */

import type { HostImports } from "../component/index.ts";

/** Every interface, module and plain import, and each item of one: `env`, `env.sk_debug`. */
export function importNames(imports: HostImports): string[] {
  return Object.entries(imports).flatMap(([from, given]) => {
    const items = typeof given === "object" && given !== null ? Object.keys(given) : [];
    return [from, ...items.map((item) => `${from}.${item}`)];
  });
}
