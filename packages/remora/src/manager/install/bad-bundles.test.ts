import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import {
  emptyTrustStore,
  generateKeyPair,
  packBundle,
  revokeKey,
  signBundle,
  trustKey,
} from "../../bundle/index.ts";
import {
  bundleOf,
  type Calls,
  expectRejected,
  guests,
  manifestOf,
  moduleOf,
  ref,
  rig,
  run,
  testHost,
} from "../testing/rig.test.ts";

const at = (bytes: Uint8Array) => ({ bytes, origin: "a stranger" });

/** Takes a bundle as it is written apart into its head's numbers, so that a test can lie in them. */
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

interface Row {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
  readonly packed: Uint8Array;
  readonly method: 0 | 1;
}

/** A bundle with these rows, right or wrong: the format is that of `bundle/container.ts`. */
function forged(rows: readonly Row[], count = rows.length): Uint8Array {
  const contents = Buffer.concat([
    u32(count),
    ...rows.flatMap(({ name, sizeBytes, sha256: digest }) => {
      const length = Buffer.alloc(2);
      length.writeUInt16LE(Buffer.byteLength(name));
      return [u32(sizeBytes), digest, length, Buffer.from(name)];
    }),
  ]);
  const packing = rows.flatMap(({ method, packed }) => [
    Uint8Array.of(method),
    u32(packed.length),
    sha256(packed),
  ]);
  const magic = Uint8Array.of(0x72, 0x65, 0x6d, 0x6f, 0x72, 0x61, 0, 1);
  return Buffer.concat([
    magic,
    u32(contents.length),
    u32(0),
    contents,
    ...packing,
    ...rows.map((row) => row.packed),
  ]);
}

const stored = (name: string, bytes: Uint8Array = new Uint8Array(1)): Row => ({
  name,
  sizeBytes: bytes.length,
  sha256: sha256(bytes),
  packed: bytes,
  method: 0,
});

test("a bundle that lies is stopped before anything of it is kept or run", async (t) => {
  const { manager } = await rig(t);
  const whole = await bundleOf(guests.adds(1));
  const flipped = whole.slice();
  flipped[whole.length - 1] = (whole.at(-1) ?? 0) ^ 1;
  const zeros = new Uint8Array(1_000_000);
  const bomb = { ...stored("a", zeros), packed: deflateRawSync(zeros), method: 1 as const, sizeBytes: 2_000 };
  const claimed = { ...bomb, sizeBytes: 0x7fff_ffff };
  const cases: readonly (readonly [what: string, bytes: Uint8Array, cause: string])[] = [
    ["a wrong digest", flipped, "bundle/wrong-digest"],
    ["a name twice", forged([stored("a"), stored("a")]), "bundle/duplicate-name"],
    [
      "names that one file system takes for the same",
      forged([stored("A"), stored("a")]),
      "bundle/duplicate-name",
    ],
    ["a path that leaves", forged([stored("../a")]), "bundle/bad-name"],
    ["an absolute path", forged([stored("/etc/passwd")]), "bundle/bad-name"],
    ["a path that leaves in the middle", forged([stored("a/../../b")]), "bundle/bad-name"],
    ["a bomb of compression", forged([bomb, stored("remora.toml")]), "bundle/malformed"],
    ["a bomb that says how large it is", forged([claimed]), "bundle/limit"],
    ["10,000 entries", forged(Array.from({ length: 10_000 }, (_, n) => stored(`f${n}`))), "bundle/limit"],
    ["more entries than there are", forged([stored("a")], 200), "bundle/unexpected-end"],
    ["nothing", new Uint8Array(), "bundle/not-a-bundle"],
    ["a program", await moduleOf(guests.adds(1)), "bundle/not-a-bundle"],
  ];
  for (const [what, bytes, cause] of cases) {
    const startedAt = process.threadCpuUsage();
    await expectRejected(manager.install(at(bytes)), "manager/verify", cause).catch((error: unknown) => {
      throw new Error(what, { cause: error });
    });
    const { user, system } = process.threadCpuUsage(startedAt);
    assert.ok(user + system < 1_000_000, what);
  }
  assert.deepEqual(manager.list(), []);
});

const manifests: Readonly<
  Record<string, readonly [edit: (text: string) => string, step: string, cause: string]>
> = {
  "an unknown key": [(text) => `colour = "red"\n${text}`, "verify", "bundle/manifest"],
  "a wrong type": [(text) => text.replace('"1.0.0"', "1"), "verify", "bundle/manifest"],
  "a version that is none": [(text) => text.replace('"1.0.0"', '"latest"'), "verify", "bundle/manifest"],
  "a capability that there is not": [
    (text) => `${text}\n[[capabilities]]\ncapability = "fs.everything"\nwhy = "x"`,
    "verify",
    "bundle/manifest",
  ],
  "a capability that it does not use": [
    (text) => `${text}\n[[capabilities]]\ncapability = "random.read"\nwhy = "x"`,
    "inspect",
    "bundle/capabilities",
  ],
  "a host that is not here": [
    (text) => text.replace('name = "test"', 'name = "tests"'),
    "inspect",
    "manager/no-host",
  ],
  "a host of another version": [(text) => text.replace("^1.0.0", "^2.0.0"), "inspect", "manager/no-host"],
  "a world that is not served": [
    (text) => text.replace("runner@0.1.0", "runner@0.2.0"),
    "inspect",
    "manager/no-world",
  ],
  "more than the ceiling": [(text) => `${text}\n[limits]\nmemory_pages = 65536`, "inspect", "manager/limits"],
};

test("a manifest that asks for what there is not, or says what is not so, is stopped at its step", async (t) => {
  const { manager } = await rig(t);
  const text = manifestOf({});
  const wasm = await moduleOf(guests.adds(1));
  for (const [what, [edit, step, cause]] of Object.entries(manifests)) {
    const files = new Map([
      ["plugin.wasm", stored("plugin.wasm", wasm)],
      ["remora.toml", stored("remora.toml", new TextEncoder().encode(edit(text)))],
    ]);
    const bytes = forged([...files.values()]);
    await expectRejected(manager.install(at(bytes)), `manager/${step}`, cause).catch((error: unknown) => {
      throw new Error(what, { cause: error });
    });
  }
});

test("a capability that it uses undeclared, and an import that nobody gives, are stopped at inspection", async (t) => {
  const { manager } = await rig(t);
  const imports = (module: string, name: string) =>
    `(import "${module}" "${name}" (func (param i32 i32) (result i32))) ${guests.adds(1)}`;
  const random = await bundleOf(imports("wasi_snapshot_preview1", "random_get"));
  await expectRejected(manager.install(at(random)), "manager/inspect", "bundle/capabilities");
  const system = await bundleOf(imports("env", "system"));
  await expectRejected(manager.install(at(system)), "manager/inspect", "policy/imports-refused");
});

test("only what the rule lets run is run, and nothing that a revoked key has signed", async (t) => {
  const key = generateKeyPair();
  const by = { key, name: "Ada", email: "", signedAtMs: Date.UTC(2026, 0, 1) };
  const unsigned = await bundleOf(guests.adds(1));
  const signed = signBundle(unsigned, by);
  const keys = trustKey(emptyTrustStore, {
    name: "Ada",
    email: "",
    publicKey: key.publicKey,
    addedAt: "2026-01-01T00:00:00Z",
  });
  const verified = await rig(t, { policy: { trust: "verified", keys } });
  await expectRejected(verified.manager.install(at(unsigned)), "manager/verify", "manager/untrusted");
  const plugin = await verified.manager.install<Calls>(at(signed));
  assert.equal(plugin.use(run, 1), 2);
  assert.equal((await verified.manager.details("adder")).trust?.text, "verified by Ada");
  const revoked = revokeKey(keys, { publicKey: key.publicKey, atMs: Date.UTC(2026, 5, 1), why: "stolen" });
  const after = await rig(t, { policy: { trust: "unsigned", keys: revoked } });
  await expectRejected(after.manager.install(at(signed)), "manager/verify", "manager/untrusted");
});

test("an artifact that is no WebAssembly is told as that", async (t) => {
  const { manager } = await rig(t);
  const files = new Map([
    ["remora.toml", new TextEncoder().encode("name")],
    ["plugin.wasm", new TextEncoder().encode("#!/bin/sh")],
  ]);
  assert.throws(() => packBundle(files), { code: "bundle/manifest" });
  const manifest = new TextEncoder().encode(
    'name = "a"\nversion = "1.0.0"\nauthors = ["A"]\nlicence = "MIT"\n[host]\nname = "test"\nversion = "1"\n' +
      '[[artifacts]]\nfile = "plugin.wasm"\nworld = "test:plugin/runner@0.1.0"\n',
  );
  const bytes = forged([
    stored("plugin.wasm", new TextEncoder().encode("#!/bin/sh")),
    stored("remora.toml", manifest),
  ]);
  await expectRejected(manager.install(at(bytes)), "manager/verify", "bundle/not-an-artifact");
});

test("an artifact that does not export what its world has to is refused before it runs, with what is missing", async (t) => {
  const hosts = [
    { ...testHost, worlds: testHost.worlds.map((world) => ({ ...world, exports: ["run", "memory"] })) },
  ];
  const { manager } = await rig(t, { hosts });
  const refused = await expectRejected(
    manager.install(await ref(`${guests.adds(1)} (func $start (unreachable)) (start $start)`)),
    "manager/inspect",
    "bundle/exports",
  );
  assert.match(
    refused.message,
    /the world test:plugin\/runner@0\.1\.0 and does not export "memory"; it exports "run"/,
  );
  await manager.install(await ref(`(memory (export "memory") 1) ${guests.adds(1)}`));
});
