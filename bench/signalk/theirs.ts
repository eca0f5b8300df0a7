/**
 * The same plugin on signalk-server's own loader: loaded by its `loadStandardPlugin`, and given deltas as its
 * lifecycle gives them. Without a registry there is nothing to compare with, and the benchmark says so.
 */

import { EventEmitter } from "node:events";
import { mkdtemp, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Loaded } from "./loaded.ts";
import { signalkServerFolder } from "./server-package.ts";

const loaderPath = "signalk-server/dist/wasm/loaders/standard-loader.js";

interface Loader {
  loadStandardPlugin(
    id: string,
    path: string,
    bytes: Buffer,
    root: string,
    capabilities: Readonly<Record<string, unknown>>,
    app: object,
  ): Promise<{
    readonly exports: {
      start(configuration: string): unknown;
      stop(): unknown;
      delta_handler?(delta: string): void;
      poll?(): unknown;
    };
  }>;
}

export async function openTheirs(wasm: string, root: string): Promise<Loaded> {
  const folder = await signalkServerFolder();
  // CommonJS without an entry for it: taken by its path.
  const { loadStandardPlugin } = createRequire(join(folder, "package.json"))(
    join(folder, "node_modules", loaderPath),
  ) as Loader;
  const files = await mkdtemp(join(root, "theirs-"));
  const counts = { emitted: 0, delivered: 0 };
  const statuses: string[] = [];
  const app = {
    handleMessage: () => void counts.emitted++,
    setPluginStatus: (_plugin: string, message: string) => void statuses.push(message),
  };
  const capabilities = { dataRead: true, dataWrite: true, storage: "vfs-only" };
  const { exports } = await loadStandardPlugin("bench", wasm, await readFile(wasm), files, capabilities, app);
  await exports.start("{}");
  const signalk = new EventEmitter();
  signalk.on("delta", (delta: unknown) => {
    counts.delivered++;
    exports.delta_handler?.(JSON.stringify(delta));
  });
  return {
    say: (delta) => void signalk.emit("delta", delta),
    isRunning: () => true,
    status: () => "",
    delivered: () => counts.delivered,
    poll: async () => exports.poll?.(),
    emitted: () => counts.emitted,
    statuses: () => statuses,
    close: async () => void (await exports.stop()),
  };
}
