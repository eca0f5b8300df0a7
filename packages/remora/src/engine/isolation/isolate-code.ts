/**
 * The code of the guest's side as text: threads and processes get it from the host's memory. A process that may read
 * nothing can be given it no other way; and both start several times faster than by finding and stripping files.
 */

import { Worker } from "node:worker_threads";

export interface IsolateCode {
  /** URL of the entry. */
  readonly entry: string;
  /** Text of each file, by its URL. */
  readonly files: Readonly<Record<string, string>>;
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

/** In a thread: reading and stripping takes longer than the host's loop may stand still. */
function gather(entry: URL): Promise<IsolateCode> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(built(new URL("./gather-code.ts", import.meta.url)), {
      workerData: { entry: entry.href },
      // Stripping types by a call is marked experimental, and warns.
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    worker.on("message", (files: IsolateCode["files"]) => resolve({ entry: entry.href, files }));
    worker.on("error", reject);
  });
}

/** The URL of a file of ours as it is called here: after a build, `.js`. */
export function built(url: URL): URL {
  return import.meta.url.endsWith(".js") ? new URL(url.href.replace(/\.ts$/, ".js")) : url;
}

/**
 * A script that begins with the entry: for a new thread or process, in which `code` and `registerHooks` are bound. The
 * last import is in the text, since a compiler would put something of its own in its place.
 */
export function bootText(): string {
  return `(${serveFiles.toString()})(code.files, registerHooks);\nimport(code.entry);`;
}

type RegisterHooks = typeof import("node:module").registerHooks;

/** Makes imports find the files. Its text is what is evaluated, so that it names nothing around it. */
function serveFiles(files: IsolateCode["files"], registerHooks: RegisterHooks): void {
  registerHooks({
    resolve(specifier, context, next) {
      const url = specifier.startsWith(".") ? new URL(specifier, context.parentURL).href : specifier;
      if (Object.hasOwn(files, url)) return { url, format: "module", shortCircuit: true };
      return next(specifier, { ...context, parentURL: undefined });
    },
    load(url, context, next) {
      const source = Object.hasOwn(files, url) ? files[url] : undefined;
      return source === undefined ? next(url, context) : { format: "module", source, shortCircuit: true };
    },
  });
}
