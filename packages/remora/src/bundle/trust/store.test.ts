import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "smol-toml";
import { isRemoraError } from "../../base/index.ts";
import type { Problem } from "../errors.ts";
import { generateKeyPair } from "./keys.ts";
import { emptyTrustStore, parseTrustStore, printTrustStore, revokeKey, trustKey } from "./store.ts";

const [a, b, c] = [generateKeyPair(), generateKeyPair(), generateKeyPair()].map((pair) => pair.publicKey) as [
  string,
  string,
  string,
]; // three were made
const AT_MS = Date.parse("2026-11-21T12:00:00Z");

/** As `toml` for Rust writes the structure of conductor-core's `add_trusted_key`, time by chrono. */
const conductors = `[[keys]]
name = "Amiable Team"
email = "dev@amiable.com"
public_key = "${a}"
added_at = "2025-11-19T10:00:00.123456789+00:00"

[[keys]]
name = "Other"
email = ""
public_key = "${b}"
added_at = "2025-11-20T10:00:00Z"
`;

const key = (publicKey: string) => ({
  name: "Ada",
  email: "a@b",
  publicKey,
  addedAt: "2026-01-01T00:00:00Z",
});

test("Conductor's store is read, and written again as it was", () => {
  const store = parseTrustStore(conductors, "trusted_keys.toml");
  assert.deepEqual(
    store.keys.map(({ name, email, publicKey }) => [name, email, publicKey]),
    [
      ["Amiable Team", "dev@amiable.com", a],
      ["Other", "", b],
    ],
  );
  assert.deepEqual(parse(printTrustStore(store)), parse(conductors));
});

test("an empty store has the key that Conductor refuses to be without", () => {
  assert.equal(printTrustStore(emptyTrustStore), "keys = []\n");
  assert.deepEqual(parseTrustStore("keys = []\n", "f"), emptyTrustStore);
  assert.deepEqual(parseTrustStore("", "f"), emptyTrustStore);
});

test("what Conductor would trust for ever is only what has no end and was not revoked", () => {
  let store = trustKey(emptyTrustStore, key(a));
  store = trustKey(store, { ...key(b), validUntilMs: AT_MS });
  store = trustKey(store, key(c));
  store = revokeKey(store, { publicKey: c, atMs: AT_MS, why: "lost" });
  const printed = printTrustStore(store);
  const { keys } = parse(printed) as { keys: { public_key: string }[] }; // written just now
  assert.deepEqual(
    keys.map((one) => one.public_key),
    [a],
  );
  assert.deepEqual(parseTrustStore(printed, "f"), store);
});

test("any store is read as it was written", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 20 }).filter((one) => one.isWellFormed());
  const time = fc.integer({ min: 0, max: 4e12 });
  const keys = fc.array(fc.record({ name: text, email: text, validFromMs: time, validUntilMs: time }), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(
      keys,
      fc.array(fc.record({ name: text, why: text, revokedAtMs: time }), { maxLength: 3 }),
      (some, gone) => {
        const number = (at: number, kind: number) => `${kind}${at}`.padEnd(64, "7");
        const store = {
          keys: some.map((one, at) => ({
            ...one,
            publicKey: number(at, 1),
            addedAt: "2026-01-01T00:00:00Z",
          })),
          revoked: gone.map((one, at) => ({ ...one, publicKey: number(at, 2) })),
        };
        assert.deepEqual(parseTrustStore(printTrustStore(store), "f"), store);
      },
    ),
  );
});

test("a store with a mistake is refused as a whole, with the place of each", () => {
  const table: readonly (readonly [text: string, place: string])[] = [
    [conductors.replace("public_key", "publik_key"), "1:1 keys[0]"],
    [conductors.replace(a, "abc"), "4:1 keys[0].public_key"],
    [conductors.replace(b, a), "10:1 keys[1].public_key"],
    [conductors.replace("2025-11-20T10:00:00Z", "yesterday"), "11:1 keys[1].added_at"],
    // A validity that is passed over would last for ever.
    [`${conductors}valid_until = "2026-01-01T00:00:00Z"\n`, "12:1 keys[1].valid_until"],
    [`${conductors}[[limited_keys]]\nvalid_untl = 1\n`, "12:1 limited_keys[0]"],
    [`${conductors}[[revoked]]\n`, "12:1 revoked"],
    ["keys = 7", "1:1 keys"],
    ["[[keys", "1:3"],
  ];
  for (const [text, place] of table) {
    assert.throws(
      () => parseTrustStore(text, "trusted_keys.toml"),
      (error) => {
        assert.ok(isRemoraError(error, "bundle/trust-store"), String(error));
        const [first] = (error.details as { problems: readonly Problem[] }).problems;
        assert.equal(`${first?.line}:${first?.column} ${first?.path}`.trimEnd(), place);
        return true;
      },
    );
  }
});

test("what is no time is refused, also where it is one of a day that TOML knows", () => {
  const limited = (field: string) =>
    `[[limited_keys]]\nname = ""\nemail = ""\npublic_key = "${a}"\nadded_at = "2025-01-01"\n${field}\n`;
  const revoked = (field: string) => `[[revoked_keys]]\nname = ""\npublic_key = "${a}"\n${field}\n`;
  for (const value of [
    "12:00:00",
    '"12:00:00"',
    '"2030-02-31"',
    '"2030-02-31T00:00:00Z"',
    '"2030-13-01"',
    '"2030"',
    '"1"',
    '"2030-01-01T25:00:00Z"',
    '"9999-12-31T23:59:59-12:00"',
    "7",
  ]) {
    for (const text of [
      limited(`valid_from = ${value}`),
      limited(`valid_until = ${value}`),
      limited("").replace('"2025-01-01"', value),
      revoked(`revoked_at = ${value}`),
    ]) {
      assert.throws(
        () => parseTrustStore(text, "f"),
        (error) => isRemoraError(error, "bundle/trust-store"),
        text,
      );
    }
  }
  for (const value of [
    "2030-01-02T00:00:00Z",
    "2030-01-02",
    '"2030-01-02"',
    '"2030-01-02 00:00:00.000000000z"',
    '"2030-01-02T01:00+01:00"',
  ]) {
    const [key] = parseTrustStore(limited(`valid_until = ${value}`), "f").keys;
    assert.equal(key?.validUntilMs, Date.parse("2030-01-02T00:00:00Z"), value);
  }
});

test("a key is trusted once, and never again after it was revoked", () => {
  const store = trustKey(emptyTrustStore, key(a));
  const refused = (code: string, run: () => unknown) =>
    assert.throws(run, (error) => isRemoraError(error, code), code);
  refused("bundle/key-known", () => trustKey(store, key(a)));
  const revoked = revokeKey(store, { publicKey: a, atMs: AT_MS, why: "" });
  refused("bundle/key-known", () => trustKey(revoked, key(a)));
  refused("bundle/key-revoked", () => revokeKey(revoked, { publicKey: a, atMs: AT_MS, why: "" }));
  assert.equal(revokeKey(store, { publicKey: b, atMs: AT_MS, why: "" }).revoked[0]?.publicKey, b);
});
