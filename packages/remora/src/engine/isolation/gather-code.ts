/** Runs in a thread: makes the script of a file of ours, and the code that V8 compiles of it. */

import { readFileSync } from "node:fs";
import { createRequire, stripTypeScriptTypes } from "node:module";
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
const made = new Script(script, { filename: entry });
// V8 compiles a function when it is first called, and what it has compiled is what it gives.
made.runInThisContext()(createRequire(import.meta.url), true);
const compiled = made.createCachedData();
parentPort?.postMessage({ entry, script, compiled } satisfies IsolateCode);
