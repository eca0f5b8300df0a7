import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { openBundle } from "remora/bundle";
import { takVocabulary } from "../config/plugins.ts";
import { pluginName, wrapPlugin } from "./wrapped-plugin.ts";

const filterImporting = (...imports: string[]) =>
  parse(`(component
    ${imports.map((name) => `(import "${name}" (instance (export "f" (func))))`).join(" ")}
    (instance $none)
    (export "omnitak:plugin/filter@0.1.0" (instance $none)))`);

async function capabilitiesOf(...imports: string[]): Promise<string[]> {
  const wrapped = wrapPlugin("bare", await filterImporting(...imports), false);
  const { manifest } = openBundle(wrapped, { vocabulary: takVocabulary });
  return manifest.capabilities.map(({ grant }) => grant.capability).sort();
}

test("a component without a manifest declares what its imports need, so that the settings can grant it", async () => {
  assert.deepEqual(await capabilitiesOf("omnitak:plugin/host@0.1.0"), []);
  assert.deepEqual(
    await capabilitiesOf("wasi:cli/environment@0.2.6", "wasi:io/poll@0.2.6", "wasi:clocks/wall-clock@0.2.6"),
    ["clock.read", "wasi.base"],
  );
});

test("what has targets is declared by nobody: no import says which", async () => {
  assert.deepEqual(await capabilitiesOf("wasi:http/outgoing-handler@0.2.6"), []);
});

test("a stage's id is a plugin's name, or made one", () => {
  assert.equal(pluginName("geofence-2"), "geofence-2");
  assert.match(pluginName("Geo Fence!"), /^plugin-geo-fence-[0-9a-f]{8}$/);
});
