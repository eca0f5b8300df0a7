/**
 * The code of the guest's side as one script: threads and processes get it from the host's memory, compiled. A process
 * that may read nothing can be given it no other way; and both start several times faster than by finding files.
 */

import { Worker } from "node:worker_threads";
import { engineErrors } from "../errors.ts";

export interface IsolateCode {
  /** URL of the entry. */
  readonly entry: string;
  /** See `guest-script.ts`. */
  readonly script: string;
  /** What V8 made of it. Where its flags are others, it finds out and compiles anew. */
  readonly compiled: Uint8Array;
}

const gathered = new Map<string, Promise<IsolateCode>>();

/** The code that begins with this file of ours; gathered once for the program. */
export function isolateCode(entry: URL): Promise<IsolateCode> {
  let code = gathered.get(entry.href);
  if (code === undefined) {
    code = gather(entry);
    gathered.set(entry.href, code);
    // A failure is not kept: the next one tries again.
    code.catch(() => gathered.delete(entry.href));
  }
  return code;
}

/** In a thread: reading, stripping and compiling takes longer than the host's loop may stand still. */
function gather(entry: URL): Promise<IsolateCode> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(built(new URL("./gather-code.ts", import.meta.url)), {
      workerData: { entry: entry.href },
      // Stripping types by a call is marked experimental, and warns.
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    worker.on("message", (code: IsolateCode) => resolve(code));
    worker.on("error", reject);
    worker.on("exit", () => reject(engineErrors["isolate-failed"]({ reason: "its code could not be read" })));
  });
}

/** The URL of a file of ours as it is called here: after a build, `.js`. */
export function built(url: URL): URL {
  return import.meta.url.endsWith(".js") ? new URL(url.href.replace(/\.ts$/, ".js")) : url;
}

/** The beginning of a new thread or process, in which `code` is bound: runs the script. */
export const bootText = `const { Script } = require("node:vm");
const { script, entry: filename, compiled: cachedData } = code;
new Script(script, { filename, cachedData }).runInThisContext()(require);`;
