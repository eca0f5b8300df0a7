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

/** What `boot` evaluates to where there is nothing yet: an expression in which `code` and `registerHooks` are bound. */
export function bootText(): string {
  return `(${boot.toString()})(code, registerHooks)`;
}

type RegisterHooks = typeof import("node:module").registerHooks;

/** Begins with the entry. Its text is what threads and processes evaluate, so that it names nothing around it. */
function boot({ files, entry }: IsolateCode, registerHooks: RegisterHooks): Promise<unknown> {
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
  return import(entry);
}
