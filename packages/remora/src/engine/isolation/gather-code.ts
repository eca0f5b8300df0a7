/** Runs in a thread: makes the script of a file of ours, and the code that V8 compiles of it. */

import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { guestScript } from "./guest-script.ts";
import type { IsolateCode } from "./isolate-code.ts";

// `isolateCode` gave it.
const { entry } = workerData as { readonly entry: string };
const script = guestScript(entry, (url) => {
  const text = readFileSync(fileURLToPath(url), "utf8");
  return url.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
});
const compiled = new Script(script, { filename: entry }).createCachedData();
parentPort?.postMessage({ entry, script, compiled } satisfies IsolateCode);
