/** A plugin on this host, as a plugin of a server that is only an event emitter. */

import { EventEmitter } from "node:events";
import { copyFile, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { processorClock, type ServerApp, signalkServerPlugin } from "@remora/signalk";
import type { Loaded } from "./loaded.ts";

const id = "bench";

export async function openOurs(wasm: string, folder: string): Promise<Loaded> {
  const configPath = await mkdtemp(join(folder, "ours-"));
  await writePackage(configPath, wasm);
  const signalk = Object.assign(new EventEmitter(), { self: {}, retrieve: () => ({}) });
  const counts = { emitted: 0 };
  const statuses: string[] = [];
  const app: ServerApp = Object.assign(new EventEmitter(), {
    selfId: "urn:mrn:signalk:uuid:c0d79334-4e25-4245-8892-54e8ccc8021d",
    config: { configPath, settings: { interfaces: { wasm: false } } },
    signalk,
    plugins: [],
    pluginsMap: {},
    setPluginStatus: (_plugin: string, message: string) => void statuses.push(message),
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
    statuses: () => statuses,
    close: () => host.stop(),
  };
}

/** As npm would have installed it, and enabled. */
async function writePackage(configPath: string, wasm: string): Promise<void> {
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
