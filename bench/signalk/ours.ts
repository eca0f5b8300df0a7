/** A plugin on this host, as a plugin of a server that is only an event emitter. */

import { EventEmitter } from "node:events";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { processorClock, type ServerApp, signalkServerPlugin } from "@remora/signalk";

/** A plugin that runs, and what it may be asked. */
export interface Loaded {
  /** Tells everybody a delta. */
  say(delta: object): void;
  isRunning(): boolean;
  /** Why it does not. */
  status(): string;
  /** Deltas that the plugin was called with. */
  delivered(): number;
  poll(): Promise<unknown>;
  /** Deltas that it emitted. */
  emitted(): number;
  close(): Promise<void>;
}

export async function openOurs(wasm: string, folder: string): Promise<Loaded> {
  const id = basename(wasm, ".wasm") === "emitter" ? "emitter" : "watcher";
  const configPath = join(folder, `ours-${id}`);
  await writePackage(configPath, id, wasm);
  const signalk = Object.assign(new EventEmitter(), { self: {}, retrieve: () => ({}) });
  const counts = { emitted: 0 };
  const app: ServerApp = Object.assign(new EventEmitter(), {
    selfId: "urn:mrn:signalk:uuid:c0d79334-4e25-4245-8892-54e8ccc8021d",
    config: { configPath, settings: { interfaces: { wasm: false } } },
    signalk,
    plugins: [],
    pluginsMap: {},
    setPluginStatus: () => {},
    setPluginError: () => {},
    handleMessage: () => void counts.emitted++,
    registerActionHandler: () => () => {},
    use: () => {},
  });
  const host = signalkServerPlugin(app, {
    log: () => {},
    guestClock: processorClock(() => process.threadCpuUsage()),
  });
  await host.start();
  const plugin = host.plugins()?.get(id);
  while (plugin?.state === "starting") await new Promise(setImmediate);
  if (plugin?.state !== "running") throw new Error(`${id} does not run: ${plugin?.statusMessage}`);
  return {
    say: (delta) => void signalk.emit("delta", delta),
    isRunning: () => plugin.state === "running",
    status: () => plugin.statusMessage,
    delivered: () => plugin.counts.deltas,
    poll: () => plugin.ask((guest) => guest.poll?.() ?? 0),
    emitted: () => counts.emitted,
    close: () => host.stop(),
  };
}

/** As npm would have installed it, and enabled. */
async function writePackage(configPath: string, id: string, wasm: string): Promise<void> {
  const folder = join(configPath, "node_modules", id);
  await mkdir(folder, { recursive: true });
  await mkdir(join(configPath, "plugin-config-data"));
  await copyFile(wasm, join(folder, "plugin.wasm"));
  const manifest = {
    name: id,
    version: "1.0.0",
    keywords: ["signalk-wasm-plugin"],
    wasmManifest: "plugin.wasm",
  };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await writeFile(
    join(configPath, "plugin-config-data", `${id}.json`),
    '{"enabled":true,"configuration":{}}',
  );
}
