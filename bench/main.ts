/**
 * Runs one benchmark: `node bench/main.ts NAME [--json]`. Each file is one claim and prints its figures as a
 * table, then, as the last line, one JSON object. Every variant runs in this one process, interleaved, after
 * their outputs were compared; trust ratios and minima, the machines are noisy.
 */

import { parseArgs } from "node:util";

/** What a benchmark gives back: the object of its last line. */
export type Figures = Record<string, unknown>;

interface Benchmark {
  readonly claim: string;
  readonly load: () => Promise<{ run(): Promise<Figures> }>;
}

const benchmarks: Record<string, Benchmark> = {
  component: {
    claim: "what a component costs to load, to keep and to call, beside its peers",
    load: () => import("./component.ts"),
  },
  manager: {
    claim: "what the manager costs: loading, replacing under load, a hundred plugins, the start, a call",
    load: () => import("./manager.ts"),
  },
  meter: {
    claim: "what fuel and deadlines cost, against unmetered modules and against wasmtime",
    load: () => import("./meter.ts"),
  },
  sandbox: {
    claim: "what the effects of a guest cost, and what its isolation costs",
    load: () => import("./sandbox.ts"),
  },
  signalk: {
    claim: "deltas through a plugin and out of one, beside signalk-server's own loader",
    load: () => import("./signalk.ts"),
  },
  tak: {
    claim: "a filter call, and the stream from framed bytes to decision",
    load: () => import("./tak.ts"),
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});

const [name = ""] = positionals;
const benchmark = benchmarks[name];
if (benchmark === undefined) {
  console.error("Usage: node bench/main.ts NAME [--json]\n");
  for (const [known, { claim }] of Object.entries(benchmarks))
    console.error(`  ${known.padEnd(12)} ${claim}`);
  process.exit(2);
}

const { run } = await benchmark.load();
const figures = await run();
if (!values.json) console.table(figures);
console.log(JSON.stringify(figures));
