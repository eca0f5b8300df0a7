import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CapabilityName } from "./capability.ts";
import { type Answer, type Ask, decide, decidesAlike, denialOf, type Rules } from "./decide.ts";
import { vocabularyWith } from "./index.ts";
import { globCovers, globsOverlap } from "./target.ts";

interface Row {
  readonly ask: Ask;
  readonly rules: Rules;
  readonly answer: Answer;
  readonly rule: string;
}

function expectDecided(rows: readonly Row[]): void {
  for (const row of rows) {
    const found = decide(row.ask, row.rules);
    assert.deepEqual(
      { answer: found.answer, rule: found.rule },
      { answer: row.answer, rule: row.rule },
      JSON.stringify(row.ask),
    );
  }
}

const http = (target: string): Ask => ({ capability: "net.http", target });
const origins = (...list: string[]) => ({ capability: "net.http", origins: list }) as const;
const no = "nothing grants it";

test("nothing is allowed by default", () => {
  expectDecided([
    { ask: { capability: "clock.read" }, rules: {}, answer: "denied", rule: no },
    { ask: http("https://a.example"), rules: {}, answer: "denied", rule: no },
    { ask: { capability: "fs.private" }, rules: { grants: [] }, answer: "denied", rule: no },
  ]);
});

test("denials come before grants, grants before consent, and the deciding rule is named", () => {
  const clock: Ask = { capability: "clock.read" };
  const all = [{ capability: "clock.read" }] as const;
  expectDecided([
    { ask: clock, rules: { grants: all }, answer: "allowed", rule: "grants[0]" },
    { ask: clock, rules: { consents: all }, answer: "needs-consent", rule: "consents[0]" },
    { ask: clock, rules: { grants: all, consents: all }, answer: "allowed", rule: "grants[0]" },
    { ask: clock, rules: { denials: all, grants: all }, answer: "denied", rule: "denials[0]" },
    {
      ask: http("https://b.example"),
      rules: { grants: [origins("https://a.example"), origins("https://b.example")] },
      answer: "allowed",
      rule: "grants[1] https://b.example:443",
    },
    {
      ask: http("https://evil.example"),
      rules: { denials: [origins("https://evil.example")], grants: [origins("*")] },
      answer: "denied",
      rule: "denials[0] https://evil.example:443",
    },
    {
      ask: http("https://any.example"),
      rules: { denials: [{ capability: "net.http" }], grants: [origins("*")] },
      answer: "denied",
      rule: "denials[0]",
    },
  ]);
});

test("a grant without targets reaches nothing", () => {
  expectDecided([
    { ask: http("https://a.example"), rules: { grants: [origins()] }, answer: "denied", rule: no },
    {
      ask: http("https://a.example"),
      rules: { grants: [{ capability: "net.http" }] },
      answer: "denied",
      rule: no,
    },
  ]);
});

test("an ask that names no target, a malformed one or an unknown capability is denied", () => {
  expectDecided([
    {
      ask: { capability: "net.http" },
      rules: { grants: [origins("*")] },
      answer: "denied",
      rule: "no target named",
    },
    { ask: http("a.example"), rules: { grants: [origins("*")] }, answer: "denied", rule: "malformed target" },
    { ask: { capability: "net.htp" }, rules: {}, answer: "denied", rule: "unknown capability" },
    {
      ask: http(`https://${"a".repeat(5_000)}`),
      rules: { grants: [origins("*")] },
      answer: "denied",
      rule: "malformed target",
    },
  ]);
});

test("a host's own capability is decided by its definition", () => {
  const vocabulary = vocabularyWith([
    {
      name: "signalk.delta.write",
      meaning: "Write deltas",
      risk: "medium",
      target: { field: "paths", kind: "pattern" },
    },
  ]);
  const grants = [{ capability: "signalk.delta.write", paths: ["navigation.*"] }] as const;
  const ask = (target: string): Ask => ({ capability: "signalk.delta.write", target });
  assert.equal(decide(ask("navigation.position"), { grants }, vocabulary).answer, "allowed");
  assert.equal(decide(ask("steering.rudder"), { grants }, vocabulary).answer, "denied");
  assert.equal(decide(ask("navigation.position"), { grants }).answer, "denied");
});

/** Field, then granted → asked pairs that are covered (true) or not. */
const coverage: readonly [CapabilityName, string, readonly [string, string, boolean][]][] = [
  [
    "net.http",
    "origins",
    [
      ["https://api.example.org", "https://api.example.org", true],
      ["https://api.example.org", "https://API.Example.org:443/", true],
      ["https://api.example.org", "http://api.example.org", false],
      ["https://api.example.org", "https://api.example.org:8443", false],
      ["https://api.example.org", "https://api.example.org.evil.example", false],
      ["https://api.example.org", "https://evil-api.example.org", false],
      ["https://api.example.org", "https://api.example.org@evil.example", false],
      ["https://api.example.org", "https://api.example.org/../x", false],
      ["https://*.example.org", "https://a.example.org", true],
      ["https://*.example.org", "https://a.b.example.org", true],
      ["https://*.example.org", "https://*.b.example.org", true],
      ["https://*.example.org", "https://example.org", false],
      ["https://*.example.org", "https://badexample.org", false],
      ["https://a.example.org", "https://*.example.org", false],
      ["http://127.0.0.1:8080", "http://127.0.0.1:8080", true],
      ["http://[::1]:80", "http://[::1]", true],
      ["*", "wss://anything.example:9", true],
      ["https://*.0.0.1", "https://127.0.0.1", false],
    ],
  ],
  [
    "net.socket",
    "sockets",
    [
      ["tcp connect 192.0.2.7 10110", "tcp connect 192.0.2.7 10110", true],
      ["tcp connect 192.0.2.0/24 1-1024", "tcp connect 192.0.2.255 1024", true],
      ["tcp connect 192.0.2.0/24 1-1024", "tcp connect 192.0.3.0 80", false],
      ["tcp connect 192.0.2.0/24 1-1024", "tcp connect 192.0.2.1 1025", false],
      ["tcp connect 192.0.2.0/24 *", "tcp connect 192.0.0.0/16 80", false],
      ["tcp connect * *", "udp connect 192.0.2.1 80", false],
      ["tcp connect * *", "tcp listen 192.0.2.1 80", false],
      ["udp listen * 5353", "udp listen 0.0.0.0 5353", true],
      ["tcp connect 2001:db8::/32 443", "tcp connect 2001:db8:1::1 443", true],
      ["tcp connect 2001:db8::/32 443", "tcp connect 2001:db9::1 443", false],
      ["tcp connect 0.0.0.0/0 80", "tcp connect ::1 80", false],
      ["tcp connect ::1 80", "tcp connect 0:0:0:0:0:0:0:1 80", true],
      ["tcp connect nmea.example 10110", "tcp connect NMEA.example 10110", true],
      ["tcp connect 127.1 80", "tcp connect 127.0.0.1 80", false],
      ["tcp connect * *", "tcp connect 0x7f.1 80", false],
      ["tcp connect * *", "tcp connect 0177.0.0.1 80", false],
    ],
  ],
  [
    "fs.read",
    "paths",
    [
      ["/maps", "/maps", true],
      ["/maps", "/maps/a/b", true],
      ["/maps/", "/maps//a", true],
      ["/maps", "/mapsx", false],
      ["/maps", "/", false],
      ["/maps", "/maps/../etc", false],
      ["/maps", "/maps/./a", false],
      ["/", "/anything", true],
      ["/maps", "maps/a", false],
      ["/maps", "/maps/a\0", false],
    ],
  ],
  [
    "proc.exec",
    "commands",
    [
      ["/usr/bin/git log --max-count=*", "/usr/bin/git log --max-count=3", true],
      ["/usr/bin/git log", "/usr/bin/git log --all", false],
      ["/usr/bin/git log", "/usr/bin/git", false],
      ["/usr/bin/git *", "/usr/bin/git push%20--force", true],
      ["/usr/bin/git log", "/usr/bin/../bin/git log", false],
      ["/usr/bin/*", "/usr/bin/git", false],
    ],
  ],
  [
    "env.read",
    "names",
    [
      ["HOME", "HOME", true],
      ["HOME", "home", false],
      ["HOME", "HOME2", false],
      ["H*", "HOME", false],
    ],
  ],
  [
    "data.read",
    "paths",
    [
      ["navigation.*", "navigation.position", true],
      ["navigation.*", "navigation.*.value", true],
      ["navigation.position", "navigation.*", false],
      ["*", "", false],
      ["a*b*c", "axxbyyc", true],
      ["a*b*c", "axxbyy", false],
    ],
  ],
];

test("a granted target covers exactly what it says, in any spelling", () => {
  for (const [capability, field, rows] of coverage) {
    for (const [granted, asked, isCovered] of rows) {
      const answer = decide(
        { capability, target: asked },
        { grants: [{ capability, [field]: [granted] }] },
      ).answer;
      assert.equal(answer, isCovered ? "allowed" : "denied", `${capability} ${granted} → ${asked}`);
    }
  }
});

test("a pattern full of stars takes no more than its bounded time", () => {
  const granted = "*a".repeat(120);
  const started = process.threadCpuUsage();
  const rules = { grants: [{ capability: "data.read", paths: [granted] }] } as const;
  assert.equal(decide({ capability: "data.read", target: "a".repeat(255) }, rules).answer, "allowed");
  assert.equal(decide({ capability: "data.read", target: `${"a".repeat(255)}b` }, rules).answer, "denied");
  assert.ok(process.threadCpuUsage(started).user < 1_000_000);
});

test("a pattern that is had all at once is denied when a denial speaks of any part of it", () => {
  const rows: readonly [asked: string, denied: string, isDenied: boolean][] = [
    ["*", "secret.*", true],
    ["s*", "secret.*", true],
    ["*.key", "secret.*", true],
    ["a*z", "*b*c*z", true],
    ["secret.key", "secret.*", true],
    ["public.*", "secret.*", false],
    ["*.key", "secret.*.value", false],
    ["secret", "secret.*", false],
    ["a*b", "a*c", false],
    ["*", "*", true],
  ];
  for (const [target, denied, isDenied] of rows) {
    const rules: Rules = {
      grants: [{ capability: "bus.subscribe", topics: ["*"] }],
      denials: [{ capability: "bus.subscribe", topics: [denied] }],
    };
    const ask: Ask = { capability: "bus.subscribe", target };
    const answer = isDenied ? "denied" : "allowed";
    assert.equal(decide({ ...ask, isAtOnce: true }, rules).answer, answer, `${target} but ${denied}`);
    assert.equal(denialOf({ ...ask, isAtOnce: true }, rules)?.answer, isDenied ? "denied" : undefined);
  }
  const request = { capability: "bus.subscribe", target: "*" } as const;
  const rules: Rules = {
    grants: [{ capability: "bus.subscribe", topics: ["*"] }],
    denials: [{ capability: "bus.subscribe", topics: ["secret.*"] }],
  };
  assert.equal(decide(request, rules).answer, "allowed", "a request, of which each part is asked for later");
});

test("overlapping patterns take no more than their bounded time, and are found whichever comes first", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "*"), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(
      letters,
      letters,
      fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 }),
      (one, other, text) => {
        assert.equal(globsOverlap(one, other), globsOverlap(other, one));
        if (globCovers(one, text) && globCovers(other, text)) assert.ok(globsOverlap(one, other));
        if (!other.includes("*")) assert.equal(globsOverlap(one, other), globCovers(one, other));
      },
    ),
  );
  const started = process.threadCpuUsage();
  assert.ok(globsOverlap("*a".repeat(128), "a*".repeat(128)));
  assert.ok(!globsOverlap(`${"*a".repeat(127)}b`, `${"a*".repeat(127)}c`));
  assert.ok(process.threadCpuUsage(started).user < 1_000_000);
});

test("a denial of folders costs each step of a long way little, however many there are", () => {
  const paths = Array.from({ length: 50 }, (_, at) => `/maps/Secret${at}`);
  const rules: Rules = { denials: [{ capability: "fs.read", paths }] };
  const started = process.threadCpuUsage();
  for (let path = "/maps"; path.length < 4_096; path += "/a") {
    assert.equal(denialOf({ capability: "fs.read", target: path }, rules), undefined);
  }
  assert.ok(process.threadCpuUsage(started).user < 2_000_000);
});

test("two places are decided alike when the same rule holds for both and none for a part of either", () => {
  const rules: Rules = {
    grants: [
      { capability: "fs.read", paths: ["/maps", "/maps/out"] },
      { capability: "fs.read", paths: ["/other"] },
    ],
    denials: [{ capability: "fs.read", paths: ["/maps/a/secret"] }],
  };
  const rows: readonly [string, string, boolean][] = [
    ["/maps/x", "/maps/y", true],
    ["/maps/out/x", "/maps/y", true],
    ["/maps/x", "/other/x", false],
    ["/maps/a/secret/x", "/maps/x", false],
    ["/maps/a", "/maps/x", false],
    ["/maps/x", "/maps/a", false],
    ["/maps/A", "/maps/x", false],
    ["/maps/out", "/maps/x", false],
    ["/maps/ab", "/maps/x", true],
  ];
  for (const [one, other, areAlike] of rows)
    assert.equal(decidesAlike("fs.read", [one, other], rules), areAlike, `${one} ${other}`);
});

test("no ask, however it is made, throws or is allowed without a grant of its capability", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (name, target) => {
      const rules: Rules = { grants: [{ capability: "clock.read" }] };
      const answer = decide({ capability: `x.${name}`, target }, rules).answer;
      assert.equal(answer, "denied");
      assert.equal(decide({ capability: "net.http", target }, rules).answer, "denied");
    }),
  );
});
