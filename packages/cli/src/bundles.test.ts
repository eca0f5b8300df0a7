import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { type Hosts, runProgram } from "./program.ts";
import { fakeHouse } from "./testing/fake-house.ts";
import { type FakeOptions, type FakeSystem, fakeSystem } from "./testing/fake-system.ts";
import { componentWith, moduleWith } from "./testing/modules.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const unused = () => Promise.reject(new Error("no host is started here"));
const hosts: Hosts = { ...fakeHouse().hosts, startTak: unused, startDemo: unused };

const manifest = `name = "geofence"
version = "1.2.0"
description = "Blocks positions outside of an area"
authors = ["Ada Example <ada@example.org>"]
licence = "Apache-2.0"
readme = "README.md"

[host]
name = "tak"
version = "^0.1.0"

[[artifacts]]
file = "geofence.wasm"
world = "omnitak:plugin/filter-plugin@0.1.0"

[[capabilities]]
capability = "tak.log"
why = "Says what it blocks"

[limits]
fuel = 100_000

[settings]
type = "object"
[settings.properties.north]
type = "number"
title = "Northern edge"

[dependencies]
maps = "^1.2"
`;

const pluginFiles: Readonly<Record<string, Uint8Array>> = {
  [join("geofence", "remora.toml")]: utf8(manifest),
  [join("geofence", "geofence.wasm")]: componentWith(["omnitak:plugin/filter@0.1.0"]),
  [join("geofence", "README.md")]: utf8("# Geofence\n"),
  [join("geofence", "notes.private")]: utf8("not to be packed"),
};

/** One machine on which commands follow one another. */
class Session {
  readonly #options: FakeOptions;
  files: ReadonlyMap<string, Uint8Array>;
  secrets: ReadonlySet<string> = new Set();
  nowMs = Date.parse("2026-11-21T12:00:00Z");

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.files = new Map(Object.entries(options.files ?? pluginFiles));
  }

  async run(...args: readonly string[]) {
    const files = Object.fromEntries(this.files);
    const system: FakeSystem = fakeSystem({ ...this.#options, nowMs: this.nowMs, files });
    const exitCode = await runProgram(args, system, hosts);
    this.files = system.files;
    this.secrets = new Set([...this.secrets, ...system.secrets]);
    return { exitCode, out: system.out.text, err: system.err.text };
  }

  /** Runs what has to succeed, and gives its one object. */
  async json(...args: readonly string[]) {
    const { exitCode, out, err } = await this.run(...args, "--json");
    assert.equal(exitCode, 0, err);
    assert.equal(err, "");
    return JSON.parse(out);
  }

  async fails(code: string, ...args: readonly string[]): Promise<string> {
    const { exitCode, err } = await this.run(...args);
    assert.equal(exitCode, 1, err);
    assert.ok(err.startsWith(`${code}: `), err);
    return err;
  }

  text(file: string): string {
    return new TextDecoder().decode(this.files.get(file));
  }

  flip(file: string, at: number): void {
    const bytes = this.files.get(file)?.slice() ?? assert.fail(file);
    const place = at < 0 ? bytes.length + at : at;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    this.files = new Map(this.files).set(file, bytes);
  }
}

/** A session with a signed bundle of a key that nobody trusts yet. */
async function signedSession(): Promise<Session> {
  const session = new Session();
  await session.json("keys", "generate", "ada");
  await session.json("pack", "geofence", "-o", "g.bundle");
  await session.json("sign", "g.bundle", "--key", "ada", "--name", "Ada", "--email", "ada@example.org");
  return session;
}

test("a folder is packed into one file, of what its manifest names and nothing else", async () => {
  const session = new Session();
  const packed = await session.json("pack", "geofence");
  assert.equal(packed.file, "geofence-1.2.0.bundle");
  assert.deepEqual([packed.name, packed.version], ["geofence", "1.2.0"]);
  assert.deepEqual(
    packed.files.map((one: { name: string }) => one.name),
    ["README.md", "geofence.wasm", "remora.toml"],
  );
  assert.equal(packed.sizeBytes, session.files.get(packed.file)?.length);
  const again = await session.json("pack", "geofence", "-o", "again.bundle");
  assert.equal(again.digest, packed.digest);
  assert.deepEqual(session.files.get("again.bundle"), session.files.get(packed.file));
  const { out } = await session.run("pack", "geofence");
  assert.match(out, /^packed +geofence 1\.2\.0\nfile +geofence-1\.2\.0\.bundle$/m);
});

test("what cannot be packed says why, and writes nothing", async () => {
  const edited = (text: string) => ({
    files: { ...pluginFiles, [join("geofence", "remora.toml")]: utf8(text) },
  });
  const withWasm = (bytes: Uint8Array) => ({
    files: { ...pluginFiles, [join("geofence", "geofence.wasm")]: bytes },
  });
  const noFilter =
    /"geofence\.wasm" is for the world omnitak:plugin\/filter-plugin@0\.1\.0 and does not export "omnitak:plugin\/filter@0\.1\.0"/;
  const table = [
    ["bundle/exports", withWasm(componentWith(["omnitak:plugin/transformer@0.1.0"])), noFilter],
    ["bundle/exports", withWasm(componentWith(["omnitak:plugin/filter@0.2.0"])), noFilter],
    ["bundle/exports", withWasm(moduleWith({ exports: ["evaluate"] })), noFilter],
    ["bundle/manifest", edited(manifest.replace("tak.log", "tak.lgo")), /did you mean "tak\.log"/],
    ["bundle/manifest", edited(manifest.replace("licence", "license")), /remora\.toml:5:1: license/],
    ["cli/cannot-read", edited(manifest.replace("geofence.wasm", "other.wasm")), /other\.wasm/],
    [
      "bundle/capabilities",
      withWasm(moduleWith({ imports: [["wasi_snapshot_preview1", "fd_write"]] })),
      /"wasi_snapshot_preview1\.fd_write".*"wasi\.base"/,
    ],
    ["cli/cannot-write", { writeErrors: { "geofence-1.2.0.bundle": "ENOSPC" } }, /the disk is full/],
  ] as const;
  for (const [code, options, why] of table) {
    const session = new Session(options);
    const before = session.files.size;
    assert.match(await session.fails(code, "pack", "geofence"), why);
    assert.equal(session.files.size, before);
  }
  assert.match(await new Session().fails("cli/cannot-read", "pack", "nowhere"), /remora\.toml/);
});

test("a key pair is two files, one for its owner alone, and takes the place of none", async () => {
  const session = new Session();
  const made = await session.json("keys", "generate", "ada");
  assert.match(made.publicKey, /^[0-9a-f]{64}$/);
  assert.equal(session.files.get("ada.private")?.length, 32);
  assert.equal(session.text("ada.public"), made.publicKey);
  assert.deepEqual([...session.secrets], ["ada.private"]);
  await session.fails("cli/cannot-write", "keys", "generate", "ada");
  assert.equal(session.text("ada.public"), made.publicKey);
  session.files = new Map(session.files).set("bob.public", utf8("another one"));
  await session.fails("cli/cannot-write", "keys", "generate", "bob");
  assert.equal(session.files.get("bob.private"), undefined);
});

test("trust goes from unsigned over self-signed to verified, and ends with the key", async () => {
  const session = new Session();
  const level = async (...more: readonly string[]) => {
    const { exitCode, out } = await session.run("verify", "g.bundle", "--json", ...more);
    const { trust, isAccepted } = JSON.parse(out);
    assert.equal(exitCode, isAccepted ? 0 : 1);
    return `${trust}${isAccepted ? "" : ", refused"}`;
  };
  await session.json("keys", "generate", "ada");
  const { digest } = await session.json("pack", "geofence", "-o", "g.bundle");
  assert.equal(await level(), "unsigned, refused");
  assert.equal(await level("--require", "self-signed"), "unsigned, refused");
  assert.equal(await level("--require", "unsigned"), "unsigned");

  await session.json("sign", "g.bundle", "--key", "ada", "--name", "Somebody");
  assert.equal(await level(), "self-signed, refused");
  assert.equal(await level("--require", "self-signed"), "self-signed");

  await session.json("keys", "trust", "ada.public", "Ada", "--until", "2027-12-31");
  assert.equal(await level(), "verified by Ada");
  assert.equal((await session.json("verify", "g.bundle")).digest, digest);
  session.nowMs = Date.parse("2027-12-31T23:59:59Z");
  assert.equal(await level(), "verified by Ada");
  session.nowMs = Date.parse("2028-01-01T00:00:00Z");
  assert.equal(await level(), "self-signed, refused");

  session.nowMs = Date.parse("2027-01-01T00:00:00Z");
  await session.json("keys", "revoke", "ada.public", "--why", "lost");
  assert.equal(await level("--require", "unsigned"), "self-signed, refused");
  assert.match(await session.fails("cli/not-trusted", "verify", "g.bundle"), /revoked on 2027-01-01: lost/);
});

test("what was modified is shown as that, and never accepted", async () => {
  const session = await signedSession();
  await session.json("keys", "trust", "ada.public", "Ada");
  session.flip("g.bundle", -1);
  const { exitCode, out, err } = await session.run("verify", "g.bundle", "--require", "unsigned");
  assert.equal(exitCode, 1);
  assert.match(out, /^trust +modified$/m);
  assert.ok(err.startsWith("cli/not-trusted: "));
});

test("a damaged head is an error with a code, and so is what is no bundle", async () => {
  const session = await signedSession();
  session.flip("g.bundle", 8);
  const { exitCode, err } = await session.run("verify", "g.bundle");
  assert.equal(exitCode, 1);
  assert.match(err, /^bundle\/[a-z-]+: /);
  await session.fails("cli/unsignable", "verify", join("geofence", "README.md"));
  await session.fails("cli/unsignable", "sign", "ada.public", "--key", "ada", "--name", "Ada");
});

test("a .wasm is signed for Conductor, with a sidecar and its own trust store", async () => {
  const session = new Session({ files: { "p.wasm": moduleWith({ exports: ["init"] }) } });
  const { publicKey } = await session.json("keys", "generate", "ada");
  const signed = await session.json("sign", "p.wasm", "--key", "ada.private", "--name", "Ada");
  assert.equal(signed.written, "p.wasm.sig");
  const sidecar = JSON.parse(session.text("p.wasm.sig"));
  assert.equal(sidecar.public_key, publicKey);
  assert.equal(sidecar.signed_at, "2026-11-21T12:00:00.000Z");
  await session.json("keys", "trust", publicKey, "Ada", "--store", "trusted_keys.toml");
  assert.match(session.text("trusted_keys.toml"), /^\[\[keys\]\]\nname = "Ada"\nemail = ""\npublic_key = /m);
  const verified = await session.json("verify", "p.wasm", "--store", "trusted_keys.toml");
  assert.deepEqual([verified.trust, verified.digest], ["verified by Ada", null]);
  assert.equal((await session.run("verify", "p.wasm")).exitCode, 1);
  session.flip("p.wasm", -1);
  const { out } = await session.run("verify", "p.wasm", "--store", "trusted_keys.toml", "--json");
  assert.equal(JSON.parse(out).trust, "modified");
});

test("keys are listed with what they are worth now", async () => {
  const session = new Session();
  assert.match((await session.run("keys", "list")).out, /no keys are trusted/);
  const keys = await Promise.all(
    ["1", "2", "3", "4"].map(async (name) => await session.json("keys", "generate", name)),
  );
  const [plain, later, past, gone] = keys.map((key) => key.publicKey);
  await session.json("keys", "trust", plain, "A\u001b[2J");
  await session.json("keys", "trust", later, "Later", "--from", "2027-01-01");
  await session.json("keys", "trust", past, "Past", "--until", "2026-11-20T12:00:00Z");
  await session.json("keys", "revoke", gone);
  const { keys: listed } = await session.json("keys", "list");
  assert.deepEqual(
    listed.map((key: { publicKey: string; state: string }) => [key.publicKey, key.state]),
    [
      [plain, "trusted"],
      [later, "not valid yet"],
      [past, "expired"],
      [gone, "revoked"],
    ],
  );
  assert.ok(!(await session.run("keys", "list")).out.includes("\u001b"));
  await session.fails("bundle/key-known", "keys", "trust", gone, "Again");
  await session.fails("bundle/key-known", "keys", "trust", plain, "Again");
  await session.fails("bundle/key-revoked", "keys", "revoke", gone);
});

test("a trust store that was named has to be there, and one with a mistake is not overwritten", async () => {
  const session = await signedSession();
  await session.fails("cli/cannot-read", "verify", "g.bundle", "--store", "none.toml");
  session.files = new Map(session.files).set("bad.toml", utf8('[[keys]]\nnmae = "Ada"\n'));
  for (const args of [
    ["verify", "g.bundle"],
    ["keys", "list"],
    ["keys", "trust", "ada.public", "Ada"],
    ["keys", "revoke", "ada.public"],
  ]) {
    assert.match(await session.fails("bundle/trust-store", ...args, "--store", "bad.toml"), /bad\.toml:2:1/);
  }
  assert.match(session.text("bad.toml"), /nmae/);
});

test("what no command would read any more is not written into a trust store", async () => {
  const session = await signedSession();
  await session.json("keys", "trust", "ada.public", "Ada", "--store", "s.toml");
  const before = session.text("s.toml");
  const { publicKey } = await session.json("keys", "generate", "bob");
  const long = "x".repeat(1_001);
  for (const args of [
    ["trust", publicKey, long],
    ["trust", publicKey, "Bob", "--email", long],
    ["revoke", publicKey, "--why", long],
  ]) {
    assert.match(
      await session.fails("bundle/trust-store", "keys", ...args, "--store", "s.toml"),
      /allowed is a text of 1 to 1000 characters/,
    );
    assert.equal(session.text("s.toml"), before);
  }
  await session.json("keys", "revoke", publicKey, "--why", "x".repeat(1_000), "--store", "s.toml");
  await session.json("keys", "list", "--store", "s.toml");
});

test("a private key that is given for a public one is not shown", async () => {
  const secret = "abcdefghijklmnopqrstuvwxyz012345";
  const session = new Session({ files: { "ada.private": utf8(secret) } });
  for (const args of [
    ["trust", "ada.private", "Ada"],
    ["revoke", "ada.private"],
  ]) {
    const err = await session.fails("bundle/bad-key", "keys", ...args);
    assert.match(err, /"ada\.private".*found 32 characters/);
    assert.ok(!err.includes(secret.slice(0, 8)));
  }
});

test("a key whose validity ends before it begins is not trusted", async () => {
  const session = await signedSession();
  const dates = ["--from", "2028-01-01", "--until", "2027-12-31"];
  await session.fails("cli/bad-value", "keys", "trust", "ada.public", "Ada", ...dates);
  assert.deepEqual((await session.json("keys", "list")).keys, []);
  await session.json("keys", "trust", "ada.public", "Ada", "--from", "2028-01-01", "--until", "2028-01-01");
});

test("nothing is written over what it is made of", async () => {
  const session = await signedSession();
  session.files = new Map(session.files).set("p.wasm", moduleWith({ exports: ["init"] }));
  const by = ["--key", "ada", "--name", "Ada"];
  const before = new Map(session.files);
  for (const args of [
    ["sign", "p.wasm", ...by, "-o", "./p.wasm"],
    ["sign", "p.wasm", ...by, "-o", "ada.private"],
    ["sign", "g.bundle", ...by, "-o", "ada.private"],
    ["pack", "geofence", "-o", join("geofence", "README.md")],
    ["pack", "geofence", "-o", join("geofence", "remora.toml")],
  ]) {
    await session.fails("cli/cannot-write", ...args);
    assert.deepEqual(session.files, before, args.join(" "));
  }
});

test("what is no key, no signer and no date is refused", async () => {
  const session = await signedSession();
  await session.fails("bundle/bad-key", "keys", "trust", join("geofence", "README.md"), "Ada");
  await session.fails(
    "bundle/bad-key",
    "sign",
    "g.bundle",
    "--key",
    join("geofence", "notes"),
    "--name",
    "Ada",
  );
  await session.fails("cli/cannot-read", "sign", "g.bundle", "--key", "nobody", "--name", "Ada");
  await session.fails("bundle/bad-signer", "sign", "g.bundle", "--key", "ada", "--name", " ");
  for (const date of ["tomorrow", "2027-02-31", "2027-02-30T00:00:00Z", "2027", "2027-13-01", "1"]) {
    const { exitCode, err } = await session.run("keys", "trust", "ada.public", "Ada", "--until", date);
    assert.equal(exitCode, 2, date);
    assert.match(err, /Allowed is a day/);
  }
  const usage = [
    ["sign", "g.bundle"],
    ["keys"],
    ["keys", "lst"],
    ["verify", "g.bundle", "--require", "modified"],
    ["pack"],
  ];
  for (const args of usage) assert.equal((await session.run(...args)).exitCode, 2, args.join(" "));
});

test("inspecting a bundle shows what it is, how far it is trusted, what it wants and what is in it", async () => {
  const session = await signedSession();
  await session.json("keys", "trust", "ada.public", "Ada");
  const { out } = await session.run("inspect", "g.bundle");
  for (const line of [
    /^kind +bundle$/m,
    /^trust +verified by Ada: /m,
    /^plugin +geofence 1\.2\.0$/m,
    /^for host +tak \^0\.1\.0$/m,
    /^asks for +fuelMax 100,000$/m,
    /^settings +north: number, Northern edge$/m,
    /^needs +maps \^1\.2$/m,
    /^wants +tak\.log\n {2}because Says what it blocks$/m,
    /^artifact 1 of 1$/m,
    /^ {2}kind +component$/m,
  ]) {
    assert.match(out, line);
  }
  const found = await session.json("inspect", "g.bundle");
  assert.equal(found.kind, "bundle");
  assert.equal(found.trust, "verified by Ada");
  assert.deepEqual(found.manifest.dependencies, { maps: "^1.2" });
  assert.deepEqual(found.capabilityProblems, []);
  assert.equal(found.artifacts[0].world, "omnitak:plugin/filter-plugin@0.1.0");
  assert.deepEqual(
    found.artifacts[0].inspection.exports.map((one: { name: string }) => one.name),
    ["omnitak:plugin/filter@0.1.0"],
  );
  assert.equal(found.files.length, 3);
});

test("no flipped byte of a bundle makes inspecting or verifying anything but an answer or a coded error", async () => {
  const session = await signedSession();
  await session.json("keys", "trust", "ada.public", "Ada");
  const whole = session.files.get("g.bundle") ?? assert.fail();
  for (let at = 0; at < whole.length; at += 7) {
    session.files = new Map(session.files).set("g.bundle", whole);
    session.flip("g.bundle", at);
    const verified = await session.run("verify", "g.bundle");
    assert.equal(verified.exitCode, 1, `byte ${at}`);
    assert.match(verified.err, /^(cli|bundle)\/[a-z-]+: /, `byte ${at}`);
    const inspected = await session.run("inspect", "g.bundle");
    if (inspected.exitCode === 0) assert.match(inspected.out, /^trust +modified: /m);
    else assert.match(inspected.err, /^(cli|bundle)\/[a-z-]+: /, `byte ${at}`);
  }
});
