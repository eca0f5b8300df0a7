import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { isRemoraError } from "../base/index.ts";
import type { ImportOffer } from "../policy/index.ts";
import { Bundle, openBundle, packBundle } from "./bundle.ts";
import {
  type ArtifactNames,
  type CapabilityUse,
  capabilityUses,
  type GatedInterface,
} from "./capability-use.ts";
import { writeContainer } from "./container.ts";
import { parseManifest } from "./manifest/manifest.ts";
import { emptyModule, manifestText, moduleImporting, pluginFiles } from "./testing/plugin-files.ts";
import { signatureOf, signBundle } from "./trust/bundle-signature.ts";
import { generateKeyPair } from "./trust/keys.ts";

const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00);
const withReadme = manifestText.replace("[host]", 'readme = "README.md"\nicon = "icon.png"\n\n[host]');

test("a bundle gives back its manifest, artifacts, README and icon", () => {
  const files = pluginFiles({ "remora.toml": withReadme, "README.md": "# Hello", "icon.png": png });
  const bundle = openBundle(packBundle(files));
  assert.ok(bundle instanceof Bundle);
  assert.equal(bundle.manifest.name, "geofence");
  assert.equal(bundle.readme, "# Hello");
  assert.deepEqual([...(bundle.icon ?? [])], [...png]);
  assert.deepEqual(bundle.artifacts, [
    {
      file: "geofence.wasm",
      world: "omnitak:plugin/filter-plugin@0.1.0",
      sizeBytes: 8,
      sha256: "93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476",
    },
  ]);
  assert.deepEqual([...bundle.read("geofence.wasm")], [...emptyModule]);
  assert.deepEqual(
    bundle.entries.map((entry) => entry.name),
    ["README.md", "geofence.wasm", "icon.png", "remora.toml"],
  );
});

test("what was unpacked is nobody else's, and what was stored is part of the bundle's own bytes", () => {
  const readme = "Hello. ".repeat(20_000);
  const bytes = packBundle(pluginFiles({ "remora.toml": withReadme, "README.md": readme, "icon.png": png }));
  const bundle = openBundle(bytes);
  assert.equal(bundle.digestOfOwn("README.md"), hash("sha256", readme));
  assert.notEqual(bundle.read("README.md").buffer, bytes.buffer);
  assert.equal(bundle.digestOfOwn("geofence.wasm"), undefined);
  assert.equal(bundle.read("geofence.wasm").buffer, bytes.buffer);
});

test("the same files give the same digest on every machine and in every run", () => {
  const digest = "366971128eb907bb3c4f33549c2c1ab3904867ac723f75c3d5f8cd47ae919656";
  assert.equal(openBundle(packBundle(pluginFiles())).digest, digest);
  const turned = new Map([...pluginFiles()].toReversed());
  assert.equal(openBundle(packBundle(turned)).digest, digest);
  assert.notEqual(openBundle(packBundle(pluginFiles({ "geofence.wasm": moduleImporting() }))).digest, digest);
});

test("what is no plugin is not packed", () => {
  const table: readonly (readonly [code: string, files: Map<string, Uint8Array>])[] = [
    ["bundle/no-such-entry", new Map([["remora.tml", emptyModule]])],
    ["bundle/manifest", pluginFiles({ "remora.toml": "name = 7" })],
    ["bundle/manifest", pluginFiles({ "remora.toml": withReadme })],
    ["bundle/unnamed-entry", pluginFiles({ "secret.private": "x" })],
    ["bundle/not-an-artifact", pluginFiles({ "geofence.wasm": "(module)" })],
    ["bundle/not-an-artifact", pluginFiles({ "geofence.wasm": "" })],
    ["wasm/unknown-section", pluginFiles({ "geofence.wasm": Uint8Array.of(...emptyModule, 0xff, 0) })],
    ["bundle/bad-name", pluginFiles({ "../out": "x" })],
    ["bundle/duplicate-name", pluginFiles({ "GEOFENCE.wasm": emptyModule })],
    ["bundle/not-an-icon", pluginFiles({ "remora.toml": withReadme, "README.md": "", "icon.png": "GIF89a" })],
    [
      "bundle/limit",
      pluginFiles({ "remora.toml": withReadme, "README.md": "", "icon.png": new Uint8Array(300_000) }),
    ],
    ["bundle/limit", pluginFiles({ "remora.toml": `#${" ".repeat(70_000)}` })],
  ];
  for (const [code, files] of table) {
    assert.throws(
      () => packBundle(files),
      (error) => isRemoraError(error, code),
      code,
    );
  }
});

test("a file that was packed without being named is refused when the manifest is read", () => {
  const bundle = openBundle(writeContainer(pluginFiles({ "hidden.wasm": emptyModule })));
  assert.throws(
    () => bundle.manifest,
    (error) => isRemoraError(error, "bundle/unnamed-entry"),
  );
});

test("asking for a file that is not there names a near one", () => {
  const bundle = openBundle(packBundle(pluginFiles()));
  assert.throws(
    () => bundle.read("geofense.wasm"),
    (error) => isRemoraError(error, "bundle/no-such-entry") && error.message.includes('"geofence.wasm"'),
  );
});

const offers: readonly ImportOffer[] = [
  { import: "wasi:http/types@0.2.0", capability: "net.http" },
  { import: "wasi_snapshot_preview1.fd_write", capability: "wasi.base" },
  { import: "wasi_snapshot_preview1.clock_time_get", capability: "clock.read" },
];

const declaring = (...capabilities: readonly string[]) =>
  capabilities.reduce(
    (text, capability) => `${text}\n[[capabilities]]\ncapability = "${capability}"\nwhy = "It is needed"\n`,
    manifestText,
  );

test("a capability that is imported and not declared, and one declared and not imported, are told", () => {
  const preview1 = "wasi_snapshot_preview1";
  const table: readonly (readonly [text: string, uses: readonly CapabilityUse[]])[] = [
    [declaring("wasi.base", "clock.read"), []],
    [
      declaring("clock.read"),
      [{ kind: "undeclared", capability: "wasi.base", imports: [`${preview1}.fd_write`] }],
    ],
    // Which folders are its own is decided by calls, not by imports.
    [declaring("wasi.base", "clock.read", "fs.private"), []],
    [
      declaring("wasi.base", "clock.read").replace(
        "[[capabilities]]",
        '[[capabilities]]\ncapability = "net.http"\norigins = ["https://a.example"]\nwhy = "x"\n\n[[capabilities]]',
      ),
      [{ kind: "unused", capability: "net.http", imports: [] }],
    ],
  ];
  const needed = [
    { from: "env", item: "host_log" },
    { from: preview1, item: "fd_write" },
    { from: preview1, item: "clock_time_get" },
  ];
  for (const [text, uses] of table)
    assert.deepEqual(
      capabilityUses(parseManifest(text), { imports: needed, exports: [] }, { offers, gated: [] }),
      uses,
    );
});

test("an interface that any plugin may have takes one of its capabilities, imported or exported", () => {
  const gated: readonly GatedInterface[] = [
    { name: "a:b/state@0.1.0", side: "imports", capabilities: ["clock.read", "random.read"] },
    { name: "a:b/hears@0.1.0", side: "exports", capabilities: ["wasi.base"] },
  ];
  const uses = (names: ArtifactNames, ...declared: readonly string[]) =>
    capabilityUses(parseManifest(declaring(...declared)), names, { offers: [], gated }).map(
      ({ kind, capability, imports }) => [kind, capability, ...imports],
    );
  const both = { imports: [{ from: "a:b/state@0.1.3" }], exports: ["a:b/hears@0.1.0"] };
  assert.deepEqual(uses(both, "random.read", "wasi.base"), []);
  assert.deepEqual(uses(both), [
    ["undeclared", "clock.read", "a:b/state@0.1.3"],
    ["undeclared", "wasi.base", "a:b/hears@0.1.0"],
  ]);
  assert.deepEqual(uses({ imports: [], exports: [] }, "random.read"), [["unused", "random.read"]]);
  // What is imported is not exported.
  assert.deepEqual(uses({ imports: [{ from: "a:b/hears@0.1.0" }], exports: [] }, "wasi.base"), [
    ["unused", "wasi.base"],
  ]);
});

test("a plugin that declares otherwise than it imports is not packed", () => {
  const artifact = moduleImporting(["wasi_snapshot_preview1", "fd_write"]);
  const files = (text: string) => pluginFiles({ "remora.toml": text, "geofence.wasm": artifact });
  for (const text of [manifestText, declaring("wasi.base", "clock.read")]) {
    assert.throws(
      () => packBundle(files(text), { uses: { offers, gated: [] } }),
      (error) => isRemoraError(error, "bundle/capabilities"),
    );
  }
  assert.ok(packBundle(files(declaring("wasi.base")), { uses: { offers, gated: [] } }).length > 0);
});

/** What becomes of a bundle that was cut or changed: a code, or the kind that its signature is then of. */
function outcome(bytes: Uint8Array): string {
  try {
    const bundle = openBundle(bytes);
    const state = signatureOf(bundle);
    if (state.kind === "modified") return "modified";
    bundle.checkContents();
    return state.kind;
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    return error.code;
  }
}

const signed = signBundle(packBundle(pluginFiles({ "geofence.wasm": moduleImporting(["env", "log"]) })), {
  name: "Ada",
  email: "ada@example.org",
  key: generateKeyPair(),
  signedAtMs: 1_795_219_200_000,
});

test("a signed bundle that was cut anywhere is an error with a code", () => {
  assert.equal(outcome(signed), "signed");
  for (let length = 0; length < signed.length; length++) {
    assert.match(outcome(signed.subarray(0, length)), /^bundle\//, `cut at ${length}`);
  }
});

test("a signed bundle in which any bit was flipped is modified, or an error with a code", () => {
  for (let bit = 0; bit < signed.length * 8; bit++) {
    const flipped = signed.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.match(outcome(flipped), /^(modified|bundle\/[a-z-]+)$/, `bit ${bit}`);
  }
});

test("an unsigned bundle in which any bit was flipped is modified, or an error with a code", () => {
  const unsigned = packBundle(pluginFiles());
  for (let bit = 0; bit < unsigned.length * 8; bit++) {
    const flipped = unsigned.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.match(outcome(flipped), /^(modified|bundle\/[a-z-]+)$/, `bit ${bit}`);
  }
});
