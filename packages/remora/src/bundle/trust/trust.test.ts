import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError } from "../../base/index.ts";
import { openBundle, packBundle } from "../bundle.ts";
import { withSignature } from "../container.ts";
import { manifestText, pluginFiles } from "../testing/plugin-files.ts";
import { signatureOf, signBundle } from "./bundle-signature.ts";
import { generateKeyPair, isSignedBy, type KeyPair, parsePublicKey, readPrivateKey } from "./keys.ts";
import { emptyTrustStore, revokeKey, type TrustStore, trustKey } from "./store.ts";
import { mayRun, type Trust, type TrustRule, trustOf } from "./trust.ts";

const NOW_MS = Date.parse("2026-11-21T12:00:00Z");
const DAY_MS = 86_400_000;
const key = generateKeyPair();
const packed = packBundle(pluginFiles());

const signedBy = (by: KeyPair, bytes = packed, signedAtMs = NOW_MS) =>
  signBundle(bytes, { name: "Somebody", email: "", key: by, signedAtMs });

const trusting = (validity: { validFromMs?: number; validUntilMs?: number } = {}): TrustStore =>
  trustKey(emptyTrustStore, {
    name: "Ada",
    email: "",
    publicKey: key.publicKey,
    addedAt: "2026-01-01T00:00:00Z",
    ...validity,
  });

const trustIn = (bytes: Uint8Array, store: TrustStore = emptyTrustStore): Trust =>
  trustOf(signatureOf(openBundle(bytes)), store, NOW_MS);

test("there are four levels, in these words", () => {
  assert.equal(trustIn(signedBy(key), trusting()).text, "verified by Ada");
  assert.equal(trustIn(signedBy(key)).text, "self-signed");
  assert.equal(trustIn(packed).text, "unsigned");
  const modified = signedBy(key);
  modified[modified.length - 1] = (modified.at(-1) ?? 0) ^ 1;
  assert.equal(trustIn(modified, trusting()).text, "modified");
});

test("the name is the one that the operator gave the key, not the one that its owner signs with", () => {
  const trust = trustIn(signedBy(key), trusting());
  assert.equal(trust.publisher, "Ada");
  assert.ok(!trust.text.includes("Somebody"));
});

test("a signature that was moved to another bundle makes that one modified", () => {
  const { signature } = openBundle(signedBy(key));
  const other = packBundle(pluginFiles({ "remora.toml": manifestText.replace("1.2.0", "1.2.1") }));
  assert.equal(trustIn(withSignature(other, signature), trusting()).level, "modified");
  assert.equal(trustIn(withSignature(packed, signature), trusting()).level, "verified");
});

test("time, name and address in a signature cannot be changed", () => {
  const { signature } = openBundle(signedBy(key));
  if (signature === undefined) assert.fail("it was signed");
  for (const change of [{ signedAtMs: NOW_MS - 1 }, { name: "Ada" }, { email: "ada@example.org" }]) {
    assert.equal(trustIn(withSignature(packed, { ...signature, ...change }), trusting()).level, "modified");
  }
});

test("signing keeps the digest, and a bundle can be signed again", () => {
  const once = signedBy(key);
  const twice = signedBy(generateKeyPair(), once);
  assert.equal(openBundle(twice).digest, openBundle(packed).digest);
  assert.equal(trustIn(twice, trusting()).level, "self-signed");
  assert.deepEqual(withSignature(twice, undefined), packed);
});

test("a key counts within its validity, at the time of signing and now", () => {
  const table: readonly (readonly [from: number, until: number, signedAt: number, level: string])[] = [
    [-DAY_MS, DAY_MS, 0, "verified"],
    [-DAY_MS, -1, -2, "self-signed"],
    [-DAY_MS, 0, 0, "verified"],
    [1, DAY_MS, 2, "self-signed"],
    [0, DAY_MS, 0, "verified"],
    [-DAY_MS, DAY_MS, -2 * DAY_MS, "self-signed"],
    [-DAY_MS, DAY_MS, 2 * DAY_MS, "self-signed"],
  ];
  for (const [from, until, signedAt, level] of table) {
    const store = trusting({ validFromMs: NOW_MS + from, validUntilMs: NOW_MS + until });
    assert.equal(
      trustIn(signedBy(key, packed, NOW_MS + signedAt), store).level,
      level,
      `${from} ${until} ${signedAt}`,
    );
  }
});

test("what a revoked key signed never runs, whenever it was signed and whatever the rule", () => {
  const store = revokeKey(trusting(), { publicKey: key.publicKey, atMs: NOW_MS, why: "stolen" });
  const trust = trustIn(signedBy(key, packed, NOW_MS - 100 * DAY_MS), store);
  assert.deepEqual([trust.level, trust.isRevoked], ["self-signed", true]);
  assert.match(trust.reason, /stolen/);
  for (const rule of ["verified", "self-signed", "unsigned"] as const)
    assert.equal(mayRun(trust, rule), false);
});

test("the rule names the lowest level that runs, and nothing lets run what was modified", () => {
  const verified = trustIn(signedBy(key), trusting());
  const selfSigned = trustIn(signedBy(key));
  const unsigned = trustIn(packed);
  const modified = trustOf({ kind: "modified", reason: "" }, trusting(), NOW_MS);
  const table: readonly (readonly [rule: TrustRule, runs: readonly boolean[]])[] = [
    ["verified", [true, false, false, false]],
    ["self-signed", [true, true, false, false]],
    ["unsigned", [true, true, true, false]],
  ];
  for (const [rule, runs] of table) {
    assert.deepEqual(
      [verified, selfSigned, unsigned, modified].map((trust) => mayRun(trust, rule)),
      runs,
      rule,
    );
  }
});

test("a name in the store cannot move a cursor", () => {
  const [ada] = trusting().keys;
  const store = { keys: [{ ...(ada ?? assert.fail()), name: "A\u001b[2J" }], revoked: [] };
  assert.equal(trustIn(signedBy(key), store).text, "verified by A\\u{1b}[2J");
});

test("a broken bundle is not signed, nor one by nobody", () => {
  const broken = packed.slice();
  broken[broken.length - 1] = 0xff;
  assert.throws(
    () => signedBy(key, broken),
    (error) => isRemoraError(error, "bundle/wrong-digest") || isRemoraError(error, "bundle/malformed"),
  );
  for (const signer of [
    { name: " ", email: "" },
    { name: "a\nb", email: "" },
    { name: "n".repeat(201), email: "" },
    { name: "Ada", email: "\u202e" },
  ]) {
    assert.throws(
      () => signBundle(packed, { ...signer, key, signedAtMs: NOW_MS }),
      (error) => isRemoraError(error, "bundle/bad-signer"),
    );
  }
});

test("keys are those of RFC 8032", () => {
  // RFC 8032 §7.1, test 2.
  const pair = readPrivateKey(
    Buffer.from("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "hex"),
    "key.private",
  );
  assert.equal(pair.publicKey, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const signature = Buffer.from(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    "hex",
  );
  const publicKey = Buffer.from(pair.publicKey, "hex");
  assert.equal(isSignedBy(Uint8Array.of(0x72), publicKey, signature), true);
  assert.equal(isSignedBy(Uint8Array.of(0x73), publicKey, signature), false);
});

test("what is no key is refused, and so is a key under which anybody can sign", () => {
  for (const text of [
    "",
    "abc",
    "g".repeat(64),
    "0".repeat(64),
    `01${"0".repeat(62)}`,
    `01${"0".repeat(60)}80`,
  ]) {
    assert.throws(
      () => parsePublicKey(text),
      (error) => isRemoraError(error, "bundle/bad-key"),
      text,
    );
  }
  assert.throws(
    () => readPrivateKey(new Uint8Array(31), "short.private"),
    (error) => isRemoraError(error, "bundle/bad-key"),
  );
  assert.equal(parsePublicKey(` ${key.publicKey.toUpperCase()}\n`), key.publicKey);
  // S = 0 and R = A = the neutral element satisfy the equation for every message.
  const neutral = Uint8Array.of(1, ...new Uint8Array(31));
  const forged = Uint8Array.of(...neutral, ...new Uint8Array(32));
  assert.equal(isSignedBy(Uint8Array.of(1, 2, 3), neutral, forged), false);
});
