/**
 * The one table of layers: what each is for, what it may import and what it may touch. The layer tests hold the
 * code and the TypeScript projects to it, and ARCHITECTURE.md and README.md print it.
 */

export interface Layer {
  readonly name: string;
  /** Where its files are. A folder that lies in another one's belongs to the innermost. */
  readonly folder: string;
  /** What others import it by; relative paths do it within one package. */
  readonly entry: string;
  /** The layers that it may import, from the bottom up. */
  readonly below: readonly string[];
  /** Node's own modules that it may import, or "all". */
  readonly node: readonly string[] | "all";
  readonly what: string;
  readonly mayTouch: string;
}

export const layers: readonly Layer[] = [
  {
    name: "base",
    folder: "packages/remora/src/base",
    entry: "remora/base",
    below: [],
    node: [],
    what: "coded errors, invariants, brands: small ideas that everything may use",
    mayTouch: "nothing outside: plain data in, plain data out",
  },
  {
    name: "wasm",
    folder: "packages/remora/src/wasm",
    entry: "remora/wasm",
    below: ["base"],
    node: [],
    what: "reads, checks, rewrites and writes core modules",
    mayTouch: "nothing outside",
  },
  {
    name: "policy",
    folder: "packages/remora/src/policy",
    entry: "remora/policy",
    below: ["base"],
    node: [],
    what: "capabilities, grants, and the one function that decides",
    mayTouch: "nothing outside",
  },
  {
    name: "component",
    folder: "packages/remora/src/component",
    entry: "remora/component",
    below: ["base", "wasm", "policy"],
    node: [],
    what: "the Component Model: decodes, types, links, lifts and lowers; makes a component of a module",
    mayTouch: "nothing outside; memory is a buffer that the engine hands in",
  },
  {
    name: "bundle",
    folder: "packages/remora/src/bundle",
    entry: "remora/bundle",
    below: ["base", "wasm", "policy", "component"],
    node: ["node:crypto", "node:zlib"],
    what: "the plugin's file: manifest, artifacts, digest, signature, trust",
    mayTouch: "nothing outside: bytes in, bytes out; executes nothing that it inspects",
  },
  {
    name: "engine",
    folder: "packages/remora/src/engine",
    entry: "remora/engine",
    below: ["base", "wasm", "policy", "component"],
    node: [
      "node:buffer",
      "node:child_process",
      "node:crypto",
      "node:fs",
      "node:module",
      "node:perf_hooks",
      "node:process",
      "node:url",
      "node:v8",
      "node:vm",
      "node:worker_threads",
    ],
    what: "compiles on V8, meters, limits, instantiates, pools, calls, traps",
    mayTouch:
      "`WebAssembly`, which no other layer names; threads, child processes, its own code as files, the monotonic clock",
  },
  {
    name: "abi",
    folder: "packages/remora/src/abi",
    entry: "remora/abi",
    below: ["base", "wasm", "policy", "component", "engine"],
    node: ["node:buffer"],
    what: "conventions of core modules: texts in, texts out, and guests that wait in the middle of a call",
    mayTouch: "linear memory, through the engine's view of it",
  },
  {
    name: "sandbox",
    folder: "packages/remora/src/sandbox",
    entry: "remora/sandbox",
    below: ["base", "wasm", "policy", "component", "engine", "abi"],
    node: "all",
    what: "the gate: what a guest's imports really do, and the audit line of each",
    mayTouch: "files, network, clock, random: for a guest, through the gate",
  },
  {
    name: "manager",
    folder: "packages/remora/src/manager",
    entry: "remora/manager",
    below: ["base", "wasm", "policy", "component", "bundle", "engine", "abi", "sandbox"],
    node: "all",
    what: "a plugin's life: install, start, supervise, hand over, roll back; its settings, account, events and audit",
    mayTouch: "its own data folder",
  },
  {
    name: "remora",
    folder: "packages/remora/src",
    entry: "remora",
    below: ["base", "wasm", "policy", "component", "bundle", "engine", "abi", "sandbox", "manager"],
    node: [],
    what: "the library's front door: what an embedding needs, and nothing else",
    mayTouch: "nothing but the layers",
  },
  {
    name: "telemetry",
    folder: "packages/telemetry/src",
    entry: "@remora/telemetry",
    below: ["base", "wasm", "policy", "component", "bundle", "engine", "sandbox", "manager", "remora"],
    node: "all",
    what: "what plugins do, for Prometheus and OpenTelemetry",
    mayTouch: "nothing outside: it reads accounts and events",
  },
  {
    name: "admin",
    folder: "packages/admin/src",
    entry: "@remora/admin",
    below: [
      "base",
      "wasm",
      "policy",
      "component",
      "bundle",
      "engine",
      "sandbox",
      "manager",
      "remora",
      "telemetry",
    ],
    node: "all",
    what: "the manager over HTTP: operations, tokens, events, OpenAPI",
    mayTouch: "HTTP, and its own files in the manager's folder",
  },
  {
    name: "tak",
    folder: "hosts/tak/src",
    entry: "@remora/tak",
    below: ["base", "wasm", "policy", "component", "bundle", "engine", "abi", "sandbox", "manager", "remora"],
    node: "all",
    what: "the host for Cursor-on-Target streams and OmniTAK plugins",
    mayTouch: "what its domain needs; of the layers only their entries; no other host",
  },
  {
    name: "signalk",
    folder: "hosts/signalk/src",
    entry: "@remora/signalk",
    below: ["base", "wasm", "policy", "component", "bundle", "engine", "abi", "sandbox", "manager", "remora"],
    node: "all",
    what: "the host for Signal K plugins: a small server of its own, and a plugin of signalk-server",
    mayTouch: "what its domain needs; of the layers only their entries; no other host",
  },
  {
    name: "cli",
    folder: "packages/cli/src",
    entry: "@remora/cli",
    below: [
      "base",
      "wasm",
      "policy",
      "component",
      "bundle",
      "engine",
      "abi",
      "sandbox",
      "manager",
      "remora",
      "telemetry",
      "admin",
      "tak",
      "signalk",
    ],
    node: "all",
    what: "the program `remora`, a command a file",
    mayTouch: "arguments, environment, standard streams, exit code",
  },
];

/** The innermost layer whose folder holds this file. */
export function layerOf(path: string, table: readonly Layer[] = layers): Layer | undefined {
  let found: Layer | undefined;
  for (const layer of table) {
    if (!path.startsWith(`${layer.folder}/`)) continue;
    if (found === undefined || layer.folder.length > found.folder.length) found = layer;
  }
  return found;
}

/** The folder of the npm package that a layer belongs to. */
export function packageOf(layer: Layer): string {
  return layer.folder.split("/").slice(0, 2).join("/");
}

/** The table as Markdown, between these two marks in the documents that print it. */
export const tableMarks = {
  begin: "<!-- layers: printed by tidy/update.ts -->",
  end: "<!-- /layers -->",
} as const;

export function printLayers(table: readonly Layer[] = layers): string {
  const rows = table.map((layer) => {
    const below = layer.below.length === 0 ? "none" : layer.below.map((name) => `\`${name}\``).join(" ");
    return `| \`${layer.name}\` | \`${layer.folder}\` | ${layer.what} | ${below} | ${layer.mayTouch} |`;
  });
  return [
    "| layer | folder | what it does | may import | may touch |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

export function printLayersBriefly(table: readonly Layer[] = layers): string {
  const rows = table.map((layer) => `| \`${layer.name}\` | ${layer.what} | ${layer.mayTouch} |`);
  return ["| layer | what it does | may touch |", "| --- | --- | --- |", ...rows].join("\n");
}
