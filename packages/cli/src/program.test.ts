import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { defineErrors } from "remora/base";
import { type Hosts, runProgram } from "./program.ts";
import type { Running } from "./run-view.ts";
import { fakeHouse } from "./testing/fake-house.ts";
import { type FakeOptions, fakeSystem } from "./testing/fake-system.ts";
import { emptyModule, moduleWith } from "./testing/modules.ts";

const sampleErrors = defineErrors("sample", {
  broken: { fault: "operator", message: (d: { what: string }) => `Cannot use ${d.what}` },
});

const endedAtOnce: Running = {
  title: "a host",
  stats: () => ({ messages: 1, passed: 1, blocked: 0, changed: 0, messagesPerSecond: 1, plugins: [] }),
  ended: Promise.resolve(),
  close: async () => {},
};

/** Runs a command line and says what it wrote and what it asked of the hosts. */
async function run(args: readonly string[], options: FakeOptions & { start?: () => Promise<Running> } = {}) {
  const system = fakeSystem(options);
  const started: unknown[] = [];
  const start = async ({ log: _, signal: __, ...rest }: Parameters<Hosts["startTak" | "startDemo"]>[0]) => {
    started.push(rest);
    return options.start === undefined ? endedAtOnce : options.start();
  };
  const hosts: Hosts = { ...fakeHouse().hosts, startTak: start, startDemo: start };
  const exitCode = await runProgram(args, system, hosts);
  return { exitCode, out: system.out.text, err: system.err.text, started };
}

test("what is not understood is a usage error with a near name, and nothing is run", async () => {
  const table = [
    [["inspekt", "a.wasm"], /Did you mean inspect/],
    [["inspect"], /missing required argument/],
    [["inspect", "a.wasm", "b.wasm"], /too many arguments/],
    [["demo", "--fro", "5s"], /Did you mean --for/],
    [["demo", "--for", "5"], /Allowed is a number above zero with ms, s, m or h/],
    [["demo", "--port", "70000"], /Allowed is 0 to 65535/],
    [["demo", "--speed", "fast"], /Allowed is a number above zero, or max/],
    [["demo", "--speed", "0"], /Allowed is a number above zero, or max/],
    [["demo", "conductor"], /Allowed choices are tak, signalk/],
    [["tak"], /missing required argument/],
  ] as const;
  for (const [args, complaint] of table) {
    const { exitCode, out, err, started } = await run(args);
    assert.equal(exitCode, 2, args.join(" "));
    assert.match(err, complaint);
    assert.equal(out, "");
    assert.deepEqual(started, []);
  }
});

test("the version goes to standard output", async () => {
  const { exitCode, out, err } = await run(["--version"]);
  assert.deepEqual({ exitCode, err }, { exitCode: 0, err: "" });
  assert.match(out, /^\d+\.\d+\.\d+\n$/);
});

test("help goes to standard output and is no error, with a command missing it is one", async () => {
  const help = await run(["--help"]);
  assert.equal(help.exitCode, 0);
  for (const word of ["inspect", "tak", "demo", "Exit codes"]) assert.ok(help.out.includes(word), word);
  const bare = await run([]);
  assert.equal(bare.exitCode, 2);
  assert.ok(bare.err.includes("Usage: remora"));
});

test("the demonstration listens where its clients look unless told otherwise, and ends with one object", async () => {
  const { exitCode, out, started } = await run(["demo", "--json"]);
  assert.equal(exitCode, 0);
  assert.deepEqual(started, [{ host: "tak", port: 8087, speed: undefined }]);
  assert.equal(JSON.parse(out).messages, 1);
  assert.deepEqual((await run(["demo", "tak", "--port", "0", "--speed", "max"])).started, [
    { host: "tak", port: 0, speed: Number.POSITIVE_INFINITY },
  ]);
  assert.deepEqual((await run(["demo", "signalk"])).started, [
    { host: "signalk", port: 3000, speed: undefined },
  ]);
});

test("a host gets the path of its settings", async () => {
  const { exitCode, started } = await run(["tak", "settings.yaml", "--json"]);
  assert.equal(exitCode, 0);
  assert.deepEqual(started, [{ config: "settings.yaml" }]);
});

test("a coded error is one line with its code, and what a stranger wrote cannot move the cursor", async () => {
  const { exitCode, out, err } = await run(["demo"], {
    start: () => Promise.reject(sampleErrors.broken({ what: "a\u001b[2Jb" })),
  });
  assert.equal(exitCode, 1);
  assert.equal(out, "");
  assert.equal(err, "sample/broken: Cannot use a\\u{1b}[2Jb\n");
});

test("an error without a code is a bug and is not swallowed", async () => {
  await assert.rejects(run(["demo"], { start: () => Promise.reject(new TypeError("ours")) }), TypeError);
});

test("inspecting a module shows facts, imports and exports", async () => {
  const files = { "a.wasm": moduleWith({ imports: [["env", "log"]], memory: [1, 16], exports: ["run"] }) };
  const { exitCode, out } = await run(["inspect", "a.wasm"], { files });
  assert.equal(exitCode, 0);
  assert.match(out, /^kind +core module$/m);
  assert.match(out, /^sha256 +[0-9a-f]{64}$/m);
  assert.match(out, /^memory +1 to 16 pages of 64 KiB$/m);
  assert.match(out, /^imports \(1\)\n {2}env {2}log {2}func \(param i32\)$/m);
  assert.match(out, /^exports \(1\)\n {2}run {2}func \(param i32\)$/m);
});

test("inspecting for a program gives one object of plain data", async () => {
  const files = {
    "a.wasm": moduleWith({ imports: [["env", "log"]], memory: [1, undefined], exports: ["run"] }),
  };
  const { exitCode, out } = await run(["inspect", "a.wasm", "--json"], { files });
  assert.equal(exitCode, 0);
  const { sha256, ...rest } = JSON.parse(out);
  assert.match(sha256, /^[0-9a-f]{64}$/);
  assert.deepEqual(rest, {
    file: "a.wasm",
    sizeBytes: files["a.wasm"].length,
    kind: "module",
    codeBytes: 4,
    functions: 1,
    hasStart: false,
    features: [],
    imports: [{ module: "env", name: "log", kind: "func", type: "(param i32)" }],
    exports: [{ name: "run", kind: "func", type: "(param i32)" }],
    memories: [{ min: 1, max: null, is64: false, isShared: false }],
    tables: [],
    customSections: [],
    producers: [],
  });
});

const COMPONENT = `(component
  (import "acme:door/control@1.2.0" (instance $control (export "ring" (func (param "times" u8)))))
  (core module $m (memory (export "memory") 1 2) (func (export "run") (result i32) i32.const 7))
  (core instance $i (instantiate $m))
  (func (export "run") (result u32) (canon lift (core func $i "run")))
)`;

test("inspecting a component shows its world and each core module in it", async () => {
  const { exitCode, out } = await run(["inspect", "a.wasm"], { files: { "a.wasm": await parse(COMPONENT) } });
  assert.equal(exitCode, 0);
  assert.match(out, /^kind +component$/m);
  assert.match(
    out,
    /^ {2}world root \{\n {4}import acme:door\/control@1\.2\.0;\n {4}export run: func\(\) -> u32;\n {2}\}$/m,
  );
  assert.match(out, /^core module 1 of 1\n {2}size /m);
  assert.match(out, /^ {2}memory +1 to 2 pages of 64 KiB$/m);
});

test("inspecting a component for a program gives its imports, exports and modules", async () => {
  const files = { "a.wasm": await parse(COMPONENT) };
  const { out } = await run(["inspect", "a.wasm", "--json"], { files });
  const found = JSON.parse(out);
  assert.equal(found.kind, "component");
  assert.deepEqual(found.imports, [
    { name: "acme:door/control@1.2.0", kind: "instance", items: [{ name: "ring", kind: "func" }] },
  ]);
  assert.deepEqual(found.exports, [{ name: "run", kind: "func" }]);
  assert.equal(found.modules.length, 1);
  assert.deepEqual(found.modules[0].memories, [{ min: 1, max: 2, is64: false, isShared: false }]);
});

test("no cut of a component makes inspecting it anything but a coded error", async () => {
  const whole = await parse(COMPONENT);
  for (let length = 8; length < whole.length; length++) {
    const { exitCode, err } = await run(["inspect", "a.wasm"], {
      files: { "a.wasm": whole.subarray(0, length) },
    });
    // A cut between two sections leaves a smaller component, which may well be one.
    if (exitCode === 0) continue;
    assert.equal(exitCode, 1, `cut at ${length}`);
    assert.match(err, /^(component|wasm)\/[a-z-]+: /, `cut at ${length}`);
  }
});

test("no flipped bit makes inspecting anything but an inspection or a coded error", async () => {
  const shapes = [
    await parse(COMPONENT),
    moduleWith({ imports: [["env", "log"]], memory: [1, 16], exports: ["run"] }),
  ];
  for (const shape of shapes) {
    for (let bit = 0; bit < shape.length * 8; bit++) {
      const flipped = shape.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const { exitCode, out, err } = await run(["inspect", "a.wasm"], { files: { "a.wasm": flipped } });
      if (exitCode === 0) assert.match(out, /^kind +(component|core module)$/m);
      else assert.match(err, /^(cli|component|wasm)\/[a-z-]+: /, `bit ${bit}`);
    }
  }
});

test("names by strangers cannot move the cursor", async () => {
  const files = { "a.wasm": moduleWith({ imports: [["env", "\u001b[2J"]], exports: ["\u202erun"] }) };
  const { out } = await run(["inspect", "a.wasm"], { files });
  assert.ok(out.includes("\\u{1b}[2J") && out.includes("\\u{202e}run"));
  assert.ok(!out.includes("\u001b") && !out.includes("\u202e"));
});

test("the empty module is a module", async () => {
  const { exitCode, out } = await run(["inspect", "a.wasm"], { files: { "a.wasm": emptyModule } });
  assert.equal(exitCode, 0);
  assert.match(out, /^imports +none$/m);
});

test("what cannot be inspected says why, with a code", async () => {
  const files = {
    "empty.wasm": new Uint8Array(),
    "text.wat": new TextEncoder().encode("(module)"),
    "cut.wasm": emptyModule.subarray(0, 6),
    "bad.wasm": Uint8Array.of(...emptyModule, 0xff, 0x00),
  };
  const table = [
    ["none.wasm", "cli/cannot-read", /there is no such file/],
    ["empty.wasm", "cli/not-wasm", /it is empty/],
    ["text.wat", "cli/not-wasm", /as the text format does/],
    ["cut.wasm", "wasm/not-a-module", /allowed/],
    ["bad.wasm", "wasm/unknown-section", /0x8/],
  ] as const;
  for (const [file, code, why] of table) {
    const { exitCode, out, err } = await run(["inspect", file], { files });
    assert.equal(exitCode, 1, file);
    assert.equal(out, "");
    assert.ok(err.startsWith(`${code}: `), err);
    assert.match(err, why);
  }
});

test("the WIT of a component is printed as WIT, and what cannot be shown does not hide the rest", async () => {
  const files = { "a.wasm": await parse(COMPONENT) };
  const { exitCode, out } = await run(["wit", "a.wasm"], { files });
  assert.equal(exitCode, 0);
  assert.match(out, /^package root:component;\n\nworld root \{\n {2}import acme:door\/control@1\.2\.0;/);
  const doubled = Array.from(
    { length: 20 },
    (_, at) => `(type $t${at + 1} (tuple ${at === 0 ? "u8 u8" : `$t${at} $t${at}`}))`,
  );
  const endless = await parse(`(component ${doubled.join("\n")} (import "f" (func (param "x" $t20))))`);
  const inspected = await run(["inspect", "b.wasm"], { files: { "b.wasm": endless } });
  assert.equal(inspected.exitCode, 0);
  assert.match(inspected.out, /^ {2}not shown: /m);
  assert.equal((await run(["wit", "b.wasm"], { files: { "b.wasm": endless } })).exitCode, 1);
});

const WIT = new TextEncoder().encode(`package a:b@1.0.0;
interface host { wait: func(ms: u32); }
/// Greets.
world greeter { import host; export greet: func(name: string) -> string; }
world other {}
`);

test("types are written for one world, of a file or of a folder", async () => {
  const files = { "w/b.wit": WIT, "w/readme.md": new Uint8Array(), "b.wit": WIT };
  for (const path of ["w", "b.wit"]) {
    const { exitCode, out } = await run(["types", path, "--world", "greeter"], { files });
    assert.equal(exitCode, 0);
    assert.match(out, /export type Greeter = \{/);
    assert.match(out, /greet\(name: string\): string;/);
  }
});

test("a world that is not named, not there or not WIT is an error with its place", async () => {
  const files = {
    "b.wit": WIT,
    "bad.wit": new TextEncoder().encode("package a:b;\nworld x { export }\n"),
    "e/x": WIT,
  };
  for (const [args, code] of [
    [["b.wit"], /component\/wit-/],
    [["b.wit", "--world", "greter"], /did you mean "greeter"/],
    [["bad.wit"], /bad\.wit:2:\d+/],
    [["e"], /cli\/no-wit/],
    [["absent"], /cli\/cannot-read/],
  ] as const) {
    const { exitCode, err } = await run(["types", ...args], { files });
    assert.equal(exitCode, 1, args.join(" "));
    assert.match(err, code);
  }
});
