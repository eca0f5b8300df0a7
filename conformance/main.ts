/**
 * `npm run conformance -- NAME [--json]`: runs a public suite against Remora. Each suite is fetched at a pinned
 * commit into `conformance/suites/`, which is not part of the repository; where it cannot be had, the run says so
 * and ends as skipped. The last line with `--json` is one JSON object.
 */

import { parseArgs } from "node:util";
import type { SuiteMissing } from "./suites.ts";

/** What a suite's run gives back: facts for the last line, and whether it is as it should be. */
export interface ConformanceReport {
  readonly facts: Record<string, unknown>;
  readonly isGood: boolean;
}

type Runner = (log: (line: string) => void) => Promise<ConformanceReport | SuiteMissing>;

const runners: Record<string, () => Promise<Runner>> = {
  component: async () => (await import("./component/run.ts")).runComponent,
  core: async () => (await import("./core/run.ts")).runCore,
  wasi: async () => (await import("./wasi/run.ts")).runWasi,
};

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false } },
  allowPositionals: true,
});
const [name = ""] = positionals;
const load = Object.hasOwn(runners, name) ? runners[name] : undefined;
if (load === undefined || positionals.length !== 1) {
  console.error(`usage: npm run conformance -- (${Object.keys(runners).join("|")}) [--json]`);
  process.exit(2);
}
const run = await load();
const outcome = await run((line) => {
  if (!values.json) console.log(line);
});
if ("missing" in outcome) {
  console.error(outcome.missing);
  if (values.json) console.log(JSON.stringify({ skipped: outcome.missing }));
} else {
  console.log(values.json ? JSON.stringify(outcome.facts) : outcome.facts);
  process.exitCode = outcome.isGood ? 0 : 1;
}
