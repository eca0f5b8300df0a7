import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError } from "../base/index.ts";
import { parseGrants } from "./grant.ts";
import { harmless, policyErrors, vocabularyWith } from "./index.ts";

function expectRefused(data: unknown, code: string): void {
  assert.throws(
    () => parseGrants(data),
    (error) => isRemoraError(error, code),
    JSON.stringify(data),
  );
}

test("grants are read into their canonical spelling", () => {
  const grants = parseGrants([
    { capability: "clock.read" },
    { capability: "net.http", origins: ["https://API.example.org"] },
    { capability: "net.socket", sockets: ["udp listen * 2000-2010"] },
  ]);
  assert.deepEqual(grants, [
    { capability: "clock.read" },
    { capability: "net.http", origins: ["https://api.example.org:443"] },
    { capability: "net.socket", sockets: ["udp listen * 2000-2010"] },
  ]);
});

test("what is no grant is refused with the place and what would be allowed", () => {
  expectRefused({}, "policy/bad-grant");
  expectRefused([null], "policy/bad-grant");
  expectRefused([{ capability: 7 }], "policy/bad-grant");
  expectRefused([{ capability: "clock.read", origins: [] }], "policy/bad-grant");
  expectRefused([{ capability: "net.http" }], "policy/bad-grant");
  expectRefused([{ capability: "net.http", origins: "https://a.example" }], "policy/bad-grant");
  expectRefused([{ capability: "net.http", origins: [7] }], "policy/bad-grant");
  expectRefused([{ capability: "net.http", origins: ["a.example"] }], "policy/bad-target");
  expectRefused([{ capability: "net.http", origins: ["https://a.example/path"] }], "policy/bad-target");
  expectRefused([{ capability: "net.socket", sockets: ["tcp connect 1.2.3 80"] }], "policy/bad-target");
  expectRefused([{ capability: "net.htpp", origins: [] }], "policy/unknown-capability");
  expectRefused(new Array(1_001).fill({ capability: "clock.read" }), "policy/bad-grant");
  expectRefused([{ capability: "env.read", names: new Array(1_001).fill("A") }], "policy/bad-grant");
});

test("messages say where, what and what else", () => {
  const message = policyErrors["unknown-capability"]({
    name: "net.htp",
    where: "grants[0]",
    near: ["net.http"],
  }).message;
  assert.equal(
    message,
    'Cannot use the capability "net.htp" in grants[0]: no such capability, did you mean "net.http"?',
  );
});

test("an area or a part alone leads to the capability that is meant", () => {
  for (const [written, meant] of [
    ["env", "env.read"],
    ["device", "device.open"],
    ["provider.weather", "provider.register"],
    ["exec", "proc.exec"],
    ["data.put", "data.write"],
  ] as const) {
    assert.throws(
      () => parseGrants([{ capability: written }]),
      (error) => isRemoraError(error) && (error.details as { near: string[] }).near.includes(meant),
      written,
    );
  }
});

test("a host cannot redefine a capability, misname one or invent a target kind", () => {
  const base = { meaning: "", risk: "low" } as const;
  assert.throws(() => vocabularyWith([{ ...base, name: "net.http" }]), TypeError);
  assert.throws(() => vocabularyWith([{ ...base, name: "Net.x" as `${string}.${string}` }]), TypeError);
  assert.throws(() => vocabularyWith([{ ...base, name: "a.b c" }]), TypeError);
});

test("harmless text has no control, format or separator characters and a bounded length", () => {
  assert.equal(harmless("plain é 漢"), "plain é 漢");
  assert.equal(
    harmless("\u001b[2Jx\r\ny\u202e\u009b\u2028"),
    "\\u{1b}[2Jx\\u{d}\\u{a}y\\u{202e}\\u{9b}\\u{2028}",
  );
  assert.equal(harmless("abcdef", 3), "abc…");
  assert.equal(harmless("\ud800"), "\\u{d800}");
});
