import assert from "node:assert/strict";
import { test } from "node:test";
import { coreVocabulary, type Grant } from "remora/policy";
import { answerByPolicy } from "./consent-policy.ts";

test("a policy file gives nothing of which it denies a part, and asks about what it does not mention", () => {
  const grants: Grant[] = [
    { capability: "data.read", paths: ["*"] },
    { capability: "net.http", origins: ["*"] },
    { capability: "fs.read", paths: ["/maps"] },
    { capability: "net.socket", sockets: ["tcp connect * *"] },
    { capability: "proc.exec", commands: ["/usr/bin/git *"] },
  ];
  const denials: Grant[] = [
    { capability: "data.read", paths: ["secret.*"] },
    { capability: "net.http", origins: ["https://evil.example.org"] },
    { capability: "fs.read", paths: ["/maps/secret"] },
    { capability: "net.socket", sockets: ["tcp connect 203.0.113.0/24 1-1024"] },
    { capability: "proc.exec", commands: ["/usr/bin/git push*"] },
  ];
  const rows: readonly [capability: string, target: string | null, answer: "given" | "open" | "refused"][] = [
    ["data.read", "public.*", "given"],
    ["data.read", "*", "refused"],
    ["data.read", "*.name", "refused"],
    ["data.read", "secret.name", "refused"],
    ["net.http", "https://api.example.org", "given"],
    ["net.http", "https://*.example.org", "refused"],
    ["net.http", "*", "refused"],
    ["fs.read", "/maps/open", "given"],
    ["fs.read", "/maps", "refused"],
    ["fs.read", "/maps/Secret/a", "refused"],
    ["fs.read", "/else", "open"],
    ["net.socket", "tcp connect 203.0.113.7 8080", "given"],
    ["net.socket", "tcp connect 203.0.113.7 1000-2000", "refused"],
    ["net.socket", "tcp connect 203.0.0.0/16 80", "refused"],
    ["net.socket", "tcp connect * 443", "refused"],
    ["net.socket", "tcp listen 203.0.113.7 80", "open"],
    ["proc.exec", "/usr/bin/git log", "given"],
    ["proc.exec", "/usr/bin/git p*", "refused"],
    ["clock.read", null, "open"],
    ["other.thing", null, "open"],
  ];
  for (const [capability, target, expected] of rows) {
    const item = { capability, target };
    const policy = { grants, denials, publishers: [], vocabulary: coreVocabulary };
    const { given, open } = answerByPolicy(policy, { items: [item] });
    const found = given.length > 0 ? "given" : open.length > 0 ? "open" : "refused";
    assert.equal(found, expected, `${capability} ${target}`);
  }
});

test("a version by another publisher is taken when the policy names them, and else waits", () => {
  const policy = { grants: [], denials: [], publishers: ["Ada"], vocabulary: coreVocabulary };
  const isOpen = (publisher: { readonly name: string | null } | null) =>
    answerByPolicy(policy, { items: [], publisher }).isPublisherOpen;
  assert.equal(isOpen(null), false);
  assert.equal(isOpen({ name: "Ada" }), false);
  assert.equal(isOpen({ name: "Eve" }), true);
  assert.equal(isOpen({ name: null }), true);
  assert.equal(
    answerByPolicy({ ...policy, publishers: [] }, { items: [], publisher: { name: "" } }).isPublisherOpen,
    true,
  );
});
