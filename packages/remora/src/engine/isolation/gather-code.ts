/** Runs in a thread: reads a file of ours and all that it imports, and takes the types out. */

import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { parentPort, workerData } from "node:worker_threads";

/** A specifier of ours: relative, in an import or export with values. */
const specifiers = /^(?:import|export)\b[^;"']*?["'](\.[^"']+)["']|\bimport\(\s*["'](\.[^"']+)["']/gm;

const files: Record<string, string> = {};
// `isolateCode` gave it.
const pending = [(workerData as { readonly entry: string }).entry];
for (let url = pending.pop(); url !== undefined; url = pending.pop()) {
  if (Object.hasOwn(files, url)) continue;
  const text = readFileSync(fileURLToPath(url), "utf8");
  const code = new URL(url).pathname.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
  files[url] = code;
  for (const [, specifier, dynamic] of code.matchAll(specifiers)) {
    pending.push(new URL(specifier ?? dynamic ?? "", url).href);
  }
}
parentPort?.postMessage(files);
