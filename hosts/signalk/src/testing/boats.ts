/** A folder with installed packages, and a host on it, for tests. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { FakeClock } from "../clock.fixture.ts";
import { processorClock } from "../plugin/guest-clock.ts";
import { type RunningSignalk, type RunSignalkOptions, runSignalk } from "../run.ts";
import { type GuestText, guestBytes } from "./guest-text.ts";

export interface PluginPackage {
  readonly name: string;
  readonly guest: GuestText | Uint8Array;
  readonly capabilities?: Readonly<Record<string, unknown>>;
  /** Written over package.json. */
  readonly manifest?: Readonly<Record<string, unknown>>;
}

export interface Boat extends RunningSignalk {
  readonly folder: string;
  readonly clock: FakeClock;
  readonly lines: string[];
  fetch(
    path: string,
    init?: { readonly method?: string; readonly body?: unknown },
  ): Promise<{
    readonly status: number;
    // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever JSON came back
    readonly json: any;
    readonly text: string;
  }>;
  replace(name: string, guest: GuestText): Promise<void>;
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "remora-signalk-"));
  // What the test opens later is closed later, and may still write here.
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

export async function writePackage(modules: string, { name, guest, capabilities, manifest }: PluginPackage) {
  const folder = join(modules, name);
  await mkdir(folder, { recursive: true });
  const data = {
    name,
    version: "1.2.3",
    description: "For a test",
    keywords: ["signalk-wasm-plugin"],
    wasmManifest: "plugin.wasm",
    ...(capabilities !== undefined && { wasmCapabilities: capabilities }),
    ...manifest,
  };
  await writeFile(join(folder, "package.json"), JSON.stringify(data));
  await writeFile(join(folder, "plugin.wasm"), guest instanceof Uint8Array ? guest : await guestBytes(guest));
}

/** A host with these plugins, all enabled, on a free port; closed when the test is over. */
export async function boatWith(
  t: TestContext,
  packages: readonly PluginPackage[],
  options: Partial<RunSignalkOptions> = {},
): Promise<Boat> {
  let running: RunningSignalk | undefined;
  // Before the folder goes, since it may still be writing there.
  t.after(() => running?.close());
  const folder = await temporaryFolder(t);
  const modules = join(folder, "node_modules");
  for (const each of packages) await writePackage(modules, each);
  const clock = new FakeClock();
  const lines: string[] = [];
  running = await runSignalk({
    dataFolder: folder,
    modulesFolders: [modules],
    port: 0,
    clock,
    log: (line) => lines.push(line),
    settingsDefault: { enabled: true, enableDebug: true, configuration: {} },
    ...options,
    // Other tests on the machine are not the plugins' fault.
    plugins: { guestClock: processorClock(() => process.threadCpuUsage()), ...options.plugins },
  });
  const base = `http://127.0.0.1:${running.http.port}`;
  return {
    ...running,
    folder,
    clock,
    lines,
    async fetch(path, { method = "GET", body } = {}) {
      const response = await fetch(base + path, {
        method,
        ...(body !== undefined && {
          body: JSON.stringify(body),
          headers: { "Content-Type": "application/json" },
        }),
      });
      const text = await response.text();
      return { status: response.status, text, json: parsed(text) };
    },
    replace: async (name, guest) =>
      writeFile(join(dirname(join(modules, name, "x")), "plugin.wasm"), await guestBytes(guest)),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
