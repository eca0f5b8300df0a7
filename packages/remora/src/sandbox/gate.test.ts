import assert from "node:assert/strict";
import { test } from "node:test";
import { auditLines, auditLog } from "./audit.ts";
import { Gate } from "./gate.ts";

const grants = [
  { capability: "clock.read" },
  { capability: "net.http", origins: ["https://a.example", "https://*.b.example"] },
] as const;

function gateWith(audit = auditLog(), nowMs = () => 5) {
  return { audit, gate: new Gate({ plugin: "geofence", rules: { grants }, audit, nowMs }) };
}

test("an allowed effect happens after its audit line, a refused one never", () => {
  const order: string[] = [];
  const audit = { write: () => void order.push("audit") };
  const gate = new Gate({ plugin: "p", rules: { grants }, audit, nowMs: () => 0 });
  const effect = () => void order.push("effect");
  const refuse = () => void order.push("refuse");
  gate.act("net.http", "https://a.example", effect, refuse);
  gate.act("net.http", "https://c.example", effect, refuse);
  gate.guard("clock.read", effect, refuse)();
  gate.guard("random.read", effect, refuse)();
  assert.deepEqual(order, ["audit", "effect", "audit", "refuse", "audit", "effect", "audit", "refuse"]);
});

test("when the audit cannot be written, nothing happens", () => {
  const audit = {
    write() {
      throw new Error("disk full");
    },
  };
  const gate = new Gate({ plugin: "p", rules: { grants }, audit, nowMs: () => 0 });
  let effects = 0;
  assert.throws(() =>
    gate.act(
      "clock.read",
      undefined,
      () => effects++,
      () => 0,
    ),
  );
  assert.throws(() =>
    gate.guard(
      "clock.read",
      () => effects++,
      () => 0,
    )(),
  );
  assert.equal(effects, 0);
});

test("an audit entry says who, which capability, which target, which rule and what answer", () => {
  const { gate, audit } = gateWith();
  gate.act(
    "net.http",
    "https://x.b.example/",
    () => 0,
    () => 0,
  );
  gate.act(
    "net.http",
    "https://evil.example",
    () => 0,
    () => 0,
  );
  gate.act(
    "fs.private",
    undefined,
    () => 0,
    () => 0,
  );
  const found = audit
    .entries()
    .map(({ plugin, capability, target, answer, rule }) => [plugin, capability, target, answer, rule]);
  assert.deepEqual(found, [
    ["geofence", "net.http", "https://x.b.example:443", "allowed", "grants[1] https://*.b.example:443"],
    ["geofence", "net.http", "https://evil.example:443", "denied", "nothing grants it"],
    ["geofence", "fs.private", undefined, "denied", "nothing grants it"],
  ]);
});

test("a gated function passes its arguments and its result", () => {
  const { gate } = gateWith();
  const add = gate.guard(
    "clock.read",
    (a: number, b: number) => a + b,
    () => -1,
  );
  assert.equal(add(2, 3), 5);
});

test("passages are counted by capability", () => {
  const { gate } = gateWith();
  const tick = gate.guard(
    "clock.read",
    () => 0,
    () => 0,
  );
  for (let i = 0; i < 10; i++) tick();
  gate.act(
    "net.http",
    "https://evil.example",
    () => 0,
    () => 0,
  );
  gate.refuse("net.http", "https://a.example", "the address is private");
  assert.deepEqual(gate.counts(), {
    "clock.read": { allowed: 10, refused: 0 },
    "net.http": { allowed: 0, refused: 2 },
  });
});

test("a target cannot write a second audit line or move a cursor, and is cut", () => {
  const lines: string[] = [];
  const audit = auditLines((line) => lines.push(line));
  const gate = new Gate({ plugin: "p", rules: {}, audit, nowMs: () => 0 });
  gate.act(
    "data.read",
    'a\n{"plugin":"other"}\u001b[2J\u202e',
    () => 0,
    () => 0,
  );
  gate.act(
    "data.read",
    "y".repeat(10_000),
    () => 0,
    () => 0,
  );
  assert.equal(lines.length, 2);
  for (const line of lines) {
    assert.ok(!/[\p{Cc}\p{Cf}]/u.test(line));
    assert.ok(line.length < 600);
  }
});

test("an audit in memory keeps denials through a flood of allowed passages", () => {
  const { gate, audit } = gateWith(auditLog({ entriesMax: 4 }));
  gate.act(
    "net.http",
    "https://evil.example",
    () => 0,
    () => 0,
  );
  for (let i = 0; i < 100; i++)
    gate.act(
      "net.http",
      `https://h${i}.b.example`,
      () => 0,
      () => 0,
    );
  const entries = audit.entries();
  assert.equal(entries.length, 5);
  assert.equal(entries.filter((entry) => entry.answer === "denied").length, 1);
  assert.equal(audit.droppedCount, 96);
});

test("equal neighbours are one entry that says how often and until when", () => {
  let now = 0;
  const { gate, audit } = gateWith(auditLog(), () => now++);
  for (let i = 0; i < 1_000; i++)
    gate.act(
      "clock.read",
      undefined,
      () => 0,
      () => 0,
    );
  const [entry, ...rest] = audit.entries();
  assert.equal(rest.length, 0);
  assert.deepEqual([entry?.times, entry?.firstAtMs, entry?.lastAtMs], [1_000, 0, 999]);
});

test("audit lines are bounded by second, and say how many were left out", () => {
  const lines: string[] = [];
  let now = 0;
  const audit = auditLines((line) => lines.push(line), { linesPerSecondMax: 3 });
  const gate = new Gate({ plugin: "p", rules: { grants }, audit, nowMs: () => now });
  for (let i = 0; i < 10; i++)
    gate.act(
      "clock.read",
      undefined,
      () => 0,
      () => 0,
    );
  gate.act(
    "random.read",
    undefined,
    () => 0,
    () => 0,
  );
  now = 1_000;
  gate.act(
    "clock.read",
    undefined,
    () => 0,
    () => 0,
  );
  assert.equal(lines.length, 3 + 1 + 1 + 1);
  assert.deepEqual(JSON.parse(lines[4] ?? ""), { at: "1970-01-01T00:00:00.000Z", omitted: 7 });
});

test("remembering decisions takes bounded memory, whatever targets a guest makes up", () => {
  const { gate } = gateWith();
  for (let i = 0; i < 5_000; i++)
    gate.act(
      "net.http",
      `https://h${i}.example`,
      () => 0,
      () => 0,
    );
  assert.deepEqual(gate.counts()["net.http"], { allowed: 0, refused: 5_000 });
});

test("targets as long as a guest's memory are not remembered", () => {
  const { gate } = gateWith(auditLog({ entriesMax: 1 }));
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 1_000; i++)
    gate.act(
      "net.http",
      Buffer.alloc(200_000, `${i}/`).toString("latin1"),
      () => 0,
      () => 0,
    );
  assert.ok(process.memoryUsage().heapUsed - before < 100_000_000);
});

test("a guest's refusals that are all the same are one entry, wherever they were found", () => {
  const audit = auditLog({ entriesMax: 3 });
  const gate = new Gate({ plugin: "p", rules: {}, audit, nowMs: () => 0 });
  gate.refuse("net.http", "https://a.example", "the first");
  for (let i = 0; i < 100; i++) gate.refuse("fs.private", "/: ..", "leads outside its folder");
  assert.deepEqual(
    audit.entries().map(({ rule, times }) => [rule, times]),
    [
      ["the first", 1],
      ["leads outside its folder", 100],
    ],
  );
});

test("a plugin that floods the audit hides nothing of what another one does", () => {
  const lines: string[] = [];
  const audit = auditLines((line) => lines.push(line), { linesPerSecondMax: 20 });
  for (let i = 0; i < 1_000; i++)
    new Gate({ plugin: "loud", rules: {}, audit, nowMs: () => 0 }).refuse("net.http", `https://${i}`, "no");
  const quiet = new Gate({ plugin: "quiet", rules: {}, audit, nowMs: () => 0 });
  for (const target of ["/etc", "/root", "/proc"]) quiet.refuse("fs.read", target, "no");
  assert.deepEqual(
    lines.slice(20).map((line) => JSON.parse(line).target),
    ["/etc", "/root"],
  );
  new Gate({ plugin: "loud", rules: {}, audit, nowMs: () => 1_000 }).refuse("net.http", undefined, "no");
  assert.deepEqual(JSON.parse(lines[22] ?? ""), { at: "1970-01-01T00:00:00.000Z", omitted: 980 + 1 });
});

test("two plugins' gates share nothing", () => {
  const audit = auditLog();
  const one = new Gate({ plugin: "one", rules: { grants }, audit, nowMs: () => 0 });
  const two = new Gate({ plugin: "two", rules: {}, audit, nowMs: () => 0 });
  const answers = [one, two].map((gate) =>
    gate.act(
      "clock.read",
      undefined,
      () => "yes",
      () => "no",
    ),
  );
  assert.deepEqual(answers, ["yes", "no"]);
  assert.deepEqual(
    audit.entries().map((entry) => [entry.plugin, entry.answer]),
    [
      ["one", "allowed"],
      ["two", "denied"],
    ],
  );
});
