/** What can go wrong in this host, one table for the package, in alphabetical order. */

import { defineErrors } from "remora/base";

/** One thing that is wrong in a configuration file, and where. */
export interface ConfigProblem {
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Where in the settings: `plugins.filters[0].id`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export const takErrors = defineErrors("tak", {
  config: {
    fault: "operator",
    message: (d: { file: string; problems: readonly ConfigProblem[] }) =>
      [
        `Cannot use "${d.file}": ${d.problems.length === 1 ? "1 problem" : `${d.problems.length} problems`}`,
        ...d.problems.map(
          ({ line, column, path, message }) =>
            `${d.file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}`,
        ),
      ].join("\n"),
  },
  "filter-pattern": {
    fault: "operator",
    message: (d: { pattern: string; found: string; allowed: string }) =>
      `Cannot use the pattern "${d.pattern}": ${d.found}; allowed are ${d.allowed}`,
  },
  "filter-range": {
    fault: "operator",
    message: (d: { field: string; found: number; allowed: string }) =>
      `Cannot use ${d.found} as "${d.field}" of a filter: it must be ${d.allowed}`,
  },
  "group-name-too-long": {
    fault: "guest",
    message: (d: { uid: string; length: number; lengthMax: number }) =>
      `Cannot match the group name of "${d.uid}": it has ${d.length} characters, ${d.lengthMax} are allowed`,
  },
});
