/** Everything that can be wrong with WIT text. Each error has its place, and shows the line with a caret. */

import { defineErrors } from "../../base/index.ts";
import type { Place } from "./source.ts";

export const witErrors = defineErrors("component", {
  "wit-syntax": {
    fault: "publisher",
    message: (d: Place & { what: string }) => at(d, d.what),
  },
  "wit-unknown-name": {
    fault: "publisher",
    message: (d: Place & { what: string }) => at(d, d.what),
  },
  "wit-duplicate-name": {
    fault: "publisher",
    message: (d: Place & { what: string; firstLine: number; firstPath: string }) =>
      at(d, `${d.what}, first at ${d.firstPath}:${d.firstLine}`),
  },
  "wit-cycle": {
    fault: "publisher",
    message: (d: Place & { what: string }) => at(d, d.what),
  },
  "wit-gate": {
    fault: "publisher",
    message: (d: Place & { what: string }) => at(d, d.what),
  },
  "wit-invalid": {
    fault: "publisher",
    message: (d: Place & { what: string }) => at(d, d.what),
  },
  "wit-limit": {
    fault: "publisher",
    message: (d: Place & { what: string; max: number }) => at(d, `more than ${d.max} ${d.what}`),
  },
  "wit-no-package": {
    fault: "publisher",
    message: (d: { paths: readonly string[] }) =>
      d.paths.length === 0
        ? "Cannot read WIT: there are no files"
        : `Cannot read WIT: none of ${d.paths.join(", ")} says which package it is; a file starts with "package namespace:name;"`,
  },
  "wit-no-such-world": {
    fault: "operator",
    message: (d: { wanted: string | undefined; worlds: readonly string[]; near: string }) => {
      const worlds = `the package has ${d.worlds.length === 0 ? "none" : d.worlds.join(", ")}`;
      if (d.wanted === undefined) return `Cannot choose a world: ${worlds}`;
      return `Cannot find world "${d.wanted}"${d.near === "" ? `: ${worlds}` : d.near}`;
    },
  },
});

function at(place: Place, what: string): string {
  return `${place.path}:${place.line}:${place.column}: ${what}\n${place.excerpt}`;
}
