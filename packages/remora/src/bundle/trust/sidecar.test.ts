import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import { isRemoraError } from "../../base/index.ts";
import { emptyModule } from "../testing/plugin-files.ts";
import { generateKeyPair } from "./keys.ts";
import { parseSidecar, sidecarPath, sidecarState, signSidecar } from "./sidecar.ts";
import { emptyTrustStore, trustKey } from "./store.ts";
import { trustOf } from "./trust.ts";

const NOW_MS = Date.parse("2026-11-21T12:00:00Z");
const key = generateKeyPair();
const text = signSidecar(emptyModule, { name: "Ada", email: "ada@example.org", key, signedAtMs: NOW_MS });
const utf8 = (value: string) => new TextEncoder().encode(value);
const stateOf = (sidecar: string, plugin = emptyModule) =>
  sidecarState(plugin, parseSidecar(utf8(sidecar), "s"));

test("a sidecar has Conductor's fields in Conductor's order, and signs the 32 bytes of the digest", () => {
  const sidecar = JSON.parse(text);
  assert.deepEqual(Object.keys(sidecar), [
    "version",
    "algorithm",
    "plugin_hash",
    "plugin_size",
    "public_key",
    "signature",
    "signed_at",
    "developer",
  ]);
  assert.equal(text, JSON.stringify(sidecar, undefined, 2));
  const hash = createHash("sha256").update(emptyModule).digest();
  assert.equal(sidecar.plugin_hash, hash.toString("hex"));
  const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(sidecar.public_key, "hex").toString("base64url") };
  const publicKey = createPublicKey({ key: jwk, format: "jwk" });
  assert.ok(verify(null, hash, publicKey, Buffer.from(sidecar.signature, "hex")));
});

test("a sidecar gives the same levels as a signature in a bundle", () => {
  const store = trustKey(emptyTrustStore, {
    name: "Ada",
    email: "",
    publicKey: key.publicKey,
    addedAt: "2026-01-01",
  });
  const level = (state: Parameters<typeof trustOf>[0], trusted = emptyTrustStore) =>
    trustOf(state, trusted, NOW_MS).text;
  assert.equal(level(stateOf(text), store), "verified by Ada");
  assert.equal(level(stateOf(text)), "self-signed");
  assert.equal(level(sidecarState(emptyModule, undefined)), "unsigned");
  assert.equal(level(stateOf(text, Uint8Array.of(...emptyModule, 0)), store), "modified");
});

test("the sidecar that another program wrote is read: digits in upper case, nanoseconds, fields that are new", () => {
  const sidecar = JSON.parse(text);
  const foreign = {
    ...sidecar,
    public_key: sidecar.public_key.toUpperCase(),
    signed_at: "2026-11-21T12:00:00.123456789+00:00",
    later: true,
  };
  const state = stateOf(JSON.stringify(foreign));
  assert.equal(state.kind, "signed");
  assert.ok(state.kind === "signed" && state.publicKey === key.publicKey);
});

test("any changed byte of the plugin, and any changed digit that is signed, is modified", () => {
  for (let at = 0; at < emptyModule.length; at++) {
    const changed = emptyModule.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(stateOf(text, changed).kind, "modified");
  }
  const sidecar = JSON.parse(text);
  const other = (digits: string) => (digits.startsWith("0") ? `1${digits.slice(1)}` : `0${digits.slice(1)}`);
  for (const field of ["plugin_hash", "public_key", "signature"]) {
    assert.equal(
      stateOf(JSON.stringify({ ...sidecar, [field]: other(sidecar[field]) })).kind,
      "modified",
      field,
    );
  }
  assert.equal(stateOf(JSON.stringify({ ...sidecar, plugin_size: 9 })).kind, "modified");
});

test("what is no sidecar is refused, whatever is missing or of another type", () => {
  const sidecar = JSON.parse(text);
  const broken: string[] = ["", "7", "[]", "{}", text.slice(0, -1), " ".repeat(70_000)];
  for (const field of Object.keys(sidecar)) {
    for (const value of [undefined, null, 7.5, "zz", [], {}]) {
      broken.push(JSON.stringify({ ...sidecar, [field]: value }));
    }
  }
  broken.push(JSON.stringify({ ...sidecar, version: 2 }), JSON.stringify({ ...sidecar, algorithm: "RSA" }));
  for (const one of broken) {
    assert.throws(
      () => parseSidecar(utf8(one), "s"),
      (error) => isRemoraError(error, "bundle/sidecar"),
      one.slice(0, 300),
    );
  }
});

test("a sidecar is where Conductor looks for it", () => {
  for (const [path, sidecar] of [
    ["plugin.wasm", "plugin.wasm.sig"],
    ["a.b/plugin.wasm", "a.b/plugin.wasm.sig"],
    ["a.b/plugin", "a.b/plugin.wasm.sig"],
    ["plugin.v1.wasm", "plugin.v1.wasm.sig"],
    [".hidden", ".hidden.wasm.sig"],
  ] as const) {
    assert.equal(sidecarPath(path), sidecar);
  }
});
