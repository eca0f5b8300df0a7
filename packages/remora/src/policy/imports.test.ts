import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError } from "../base/index.ts";
import { type AvailableImports, checkImports, type ImportNeed, type RefusedImport } from "./imports.ts";

const available: AvailableImports = {
  hostFunctions: ["env.sk_debug", "omnitak:plugin/host@0.1.0", "acme:clock/now@1.2.0.read"],
  offers: [
    { import: "wasi:clocks/wall-clock@0.2.12", capability: "clock.read" },
    { import: "wasi:random/random@0.2.12", capability: "random.read" },
    { import: "wasi_snapshot_preview1.fd_write", capability: "wasi.base" },
  ],
  grants: [{ capability: "clock.read" }],
  plugin: "geofence",
};

function refusedOf(needed: readonly ImportNeed[]): readonly RefusedImport[] {
  const check = checkImports(needed, available);
  if (check.kind === "ok") return [];
  assert.ok(isRemoraError(check.error, "policy/imports-refused"));
  return (check.error.details as { refused: readonly RefusedImport[] }).refused;
}

test("host functions and granted offers link, across versions that are compatible", () => {
  const check = checkImports(
    [
      { from: "env", item: "sk_debug" },
      { from: "omnitak:plugin/host@0.1.4", item: "log" },
      { from: "wasi:clocks/wall-clock@0.2.0" },
      { from: "wasi:clocks/wall-clock@0.2.99", item: "now" },
      { from: "acme:clock/now@1.9.0", item: "read" },
    ],
    available,
  );
  assert.equal(check.kind, "ok");
  assert.deepEqual(check.kind === "ok" && check.linked.map((entry) => [entry.name, entry.capability]), [
    ["env.sk_debug", undefined],
    ["omnitak:plugin/host@0.1.0", undefined],
    ["wasi:clocks/wall-clock@0.2.12", "clock.read"],
    ["wasi:clocks/wall-clock@0.2.12", "clock.read"],
    ["acme:clock/now@1.2.0.read", undefined],
  ]);
});

test("every refused import is listed, each with its reason", () => {
  assert.deepEqual(
    refusedOf([
      { from: "env", item: "sk_debgu" },
      { from: "env", item: "sk_debug" },
      { from: "wasi:random/random@0.2.3" },
      { from: "wasi:clocks/wall-clock@0.3.0" },
      { from: "wasi_snapshot_preview1", item: "fd_write" },
    ]).map((entry) => [entry.name, entry.why, entry.why === "unknown" ? entry.near[0] : entry.capability]),
    [
      ["env.sk_debgu", "unknown", "env.sk_debug"],
      ["wasi:random/random@0.2.3", "not-granted", "random.read"],
      ["wasi:clocks/wall-clock@0.3.0", "unknown", "wasi:clocks/wall-clock@0.2.12"],
      ["wasi_snapshot_preview1.fd_write", "not-granted", "wasi.base"],
    ],
  );
});

test("imports that no plugin gets are called by their kind", () => {
  const kinds = (...items: string[]) =>
    refusedOf(items.map((item) => ({ from: "env", item }))).map((e) => e.forbidden);
  assert.deepEqual(
    kinds("__syscall_openat", "system", "fd_read", "path_open", "sock_accept", "getaddrinfo_net", "harmless"),
    ["system", "system", "file system", "file system", "network", "network", undefined],
  );
  const refused = refusedOf([{ from: "wasi_snapshot_preview1", item: "sock_send" }]);
  assert.equal(refused[0]?.forbidden, "WASI");
});

test("a core module's namespace is never linked as a whole", () => {
  const check = checkImports([{ from: "env", item: "anything" }], { ...available, hostFunctions: ["env"] });
  assert.equal(check.kind, "refused");
});

test("imports that are refused for one reason stand together, whatever stands between them", () => {
  const needed = ["wasi:random/random@0.2.1", "x:y/z@1.0.0", "wasi:random/random@0.2.3"];
  const check = checkImports(
    needed.map((from) => ({ from })),
    available,
  );
  assert.ok(check.kind === "refused");
  assert.match(
    check.error.message,
    /"wasi:random\/random@0.2.1", "wasi:random\/random@0.2.3" \(takes the cap/,
  );
});

test("the message names imports without their control characters, and fifty of them at most", () => {
  const many = Array.from({ length: 80 }, (_, index) => ({ from: "x", item: `f${index}\u001b[2J` }));
  const check = checkImports(many, available);
  assert.ok(check.kind === "refused");
  assert.equal(check.error.details !== undefined && /\p{Cc}/u.test(check.error.message), false);
  assert.match(check.error.message, /and 30 more$/);
  assert.match(check.error.message, /^Cannot load geofence: 80 imports are refused: /);
});

test("a hundred thousand refused imports take no longer than it takes to list them", () => {
  const needed = Array.from({ length: 100_000 }, (_, at) => ({
    from: "wasi:filesystem/typez",
    item: `x${at}`,
  }));
  const offers = Array.from({ length: 100 }, (_, at) => ({
    import: `wasi:filesystem/types${at}@0.2.12`,
    capability: "wasi.base" as const,
  }));
  const started = process.threadCpuUsage();
  const check = checkImports(needed, { hostFunctions: [], offers, grants: [] });
  assert.equal(check.kind, "refused");
  assert.ok(process.threadCpuUsage(started).user < 3_000_000);
});

test("forbidden imports are told in the words that operators search for", () => {
  const check = checkImports(
    [
      { from: "env", item: "sock_open" },
      { from: "env", item: "fd_read" },
    ],
    available,
  );
  assert.ok(check.kind === "refused");
  assert.match(check.error.message, /forbidden network function.*forbidden file system function/);
});

test("an import of WASI that a grant would allow is told with that grant, with a sandbox and without one", () => {
  const needed = [
    { from: "wasi_snapshot_preview1", item: "fd_write" },
    { from: "wasi:io/streams@0.2.3" },
    { from: "wasi:random/random@0.2.3" },
  ];
  for (const offers of [available.offers, []]) {
    const check = checkImports(needed.slice(0, 1), { ...available, offers });
    assert.ok(check.kind === "refused");
    assert.match(check.error.message, /fd_write" .*"wasi\.base"/);
  }
  const check = checkImports(needed, { hostFunctions: [], offers: [], grants: [] });
  assert.ok(check.kind === "refused");
  assert.match(
    check.error.message,
    /io\/streams@0\.2\.3" \(not given here: allowed .* grant of "wasi\.base"/,
  );
  assert.match(check.error.message, /random@0\.2\.3" \(not given here: allowed .* grant of "random\.read"/);
});
