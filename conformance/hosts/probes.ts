/** Plugins that two servers are compared with, each a package as npm would have installed it. */

import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { buildSignalkExamples } from "../../examples/signalk/build.ts";
import { guestBytes } from "../../hosts/signalk/src/testing/guest-text.ts";
import { probe } from "./probe.ts";

const examples = ["depth-alarm", "anchorages"];

/** The probe, one that may not write, and this repository's examples for both conventions. */
export async function packages(t: TestContext) {
  const { skipped } = await buildSignalkExamples();
  const folder = await mkdtemp(join(tmpdir(), "remora-signalk-probes-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const declared = { putHandlers: true, weatherProvider: true };
  const probes = [
    { name: "@test/probe", id: "_test_probe", capabilities: declared },
    { name: "silenced", id: "silenced", capabilities: { weatherProvider: true, dataWrite: false } },
  ];
  const folders: string[] = [];
  for (const { name, id, capabilities } of probes) {
    const at = join(folder, id);
    await mkdir(at);
    const manifest = { name, version: "1.0.0", description: "Tells", keywords: ["signalk-wasm-plugin"] };
    const wasm = { wasmManifest: "plugin.wasm", wasmCapabilities: capabilities };
    await writeFile(join(at, "package.json"), JSON.stringify({ ...manifest, ...wasm }));
    await writeFile(join(at, "plugin.wasm"), await guestBytes(probe(id)));
    folders.push(at);
  }
  for (const name of examples) {
    const at = join(folder, name);
    await cp(join(import.meta.dirname, "../../examples/signalk", name), at, { recursive: true });
    folders.push(at);
  }
  return { folders, skipped: skipped.filter(({ folder }) => examples.some((name) => folder.endsWith(name))) };
}
