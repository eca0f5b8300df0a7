import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { ComponentError } from "../../component/index.ts";
import { defaultLimits, openArtifact } from "../../engine/index.ts";
import { checkImports } from "../../policy/index.ts";
import type { SandboxOptions } from "../sandbox-imports.ts";
import { expectEnded, interfaceOf, testSandbox } from "../testing/sandboxes.ts";
import type { environment, exit, stderr, stdin, stdout } from "./cli.ts";
import type { Descriptor, filesystemTypes, preopens } from "./filesystem.ts";
import type { InputStream, OutputStream } from "./streams.ts";

const grants = [{ capability: "wasi.base" }, { capability: "fs.private" }] as const;

/** That a call fails with this error half of its result. */
function expectPayload(payload: unknown, call: () => unknown): void {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof ComponentError, String(error));
    const found: unknown = error.payload;
    if (typeof payload === "string" && typeof found === "object" && found !== null && "tag" in found) {
      assert.equal(found.tag, payload);
    } else {
      assert.deepEqual(found, payload);
    }
    return;
  }
  assert.fail(`expected ${JSON.stringify(payload)}`);
}

const none = { create: false, directory: false, exclusive: false, truncate: false };
const sync = { fileIntegritySync: false, dataIntegritySync: false, requestedWriteSync: false };
const reading = { read: true, write: false, mutateDirectory: false, ...sync };
const writing = { ...reading, write: true };
const follow = { symlinkFollow: true };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (content: string) => new TextEncoder().encode(content);

function rootOf(options: Partial<SandboxOptions> = {}) {
  const tested = testSandbox({ grants, ...options });
  const { getDirectories } = interfaceOf<ReturnType<typeof preopens>>(
    tested.instance,
    "wasi:filesystem/preopens@0.2.0",
  );
  const [first] = getDirectories();
  assert.ok(first);
  const [root, path] = first;
  assert.equal(path, "/");
  const open = (name: string, flags = reading, how = none) => root.openAt(follow, name, how, flags);
  const create = (name: string) => open(name, writing, { ...none, create: true });
  return { ...tested, root, open, create };
}

test("a file is written and read through descriptors and through streams", () => {
  const { create, open, root } = rootOf();
  const file = create("data/f");
  assert.equal(file.write(bytes("hello world"), 0n), 11n);
  assert.deepEqual([text(file.read(5n, 6n)[0]), file.read(5n, 6n)[1]], ["world", true]);
  assert.deepEqual([text(file.read(2n, 0n)[0]), file.read(2n, 0n)[1]], ["he", false]);
  const output = file.appendViaStream();
  assert.equal(output.checkWrite(), 65_536n);
  output.write(bytes("!"));
  assert.equal(file.writeViaStream(0n).blockingWriteAndFlush(bytes("HELLO")), undefined);
  const input = open("data/f").readViaStream(0n);
  assert.equal(text(input.read(5n)), "HELLO");
  assert.equal(input.skip(1n), 1n);
  assert.equal(text(input.blockingRead(2n ** 64n - 1n) as Uint8Array), "world!");
  expectPayload("closed", () => input.read(1n));
  expectPayload("closed", () => input.blockingRead(1n));
  assert.equal(root.statAt(follow, "data/f").size, 12n);
  assert.equal(file.stat().type, "regular-file");
  assert.equal(file.getType(), "regular-file");
});

test("a stream copies into another as far as both allow", () => {
  const { create, open } = rootOf();
  create("data/a").write(bytes("0123456789"), 0n);
  const output = create("data/b").writeViaStream(0n);
  assert.equal(output.splice(open("data/a").readViaStream(2n), 5n), 5n);
  assert.equal(text(open("data/b").read(100n, 0n)[0]), "23456");
  output.checkWrite();
  output.writeZeroes(2n);
  assert.equal(open("data/b").stat().size, 7n);
});

test("writing more than was permitted ends the instance, as the interface says", () => {
  const { create } = rootOf();
  const output = create("data/f").writeViaStream(0n);
  expectEnded("sandbox/unpermitted-write", () => output.write(bytes("x")));
  output.checkWrite();
  expectEnded("sandbox/unpermitted-write", () => output.write(new Uint8Array(65_537)));
  expectEnded("sandbox/unpermitted-write", () => output.writeZeroes(2n ** 60n));
  expectEnded("sandbox/unpermitted-write", () => output.blockingWriteAndFlush(new Uint8Array(4_097)));
  expectEnded("sandbox/unpermitted-write", () => output.blockingWriteZeroesAndFlush(2n ** 60n));
});

test("a failed write to a stream is an error that tells its code", () => {
  const { create, instance } = rootOf({ limits: { fileBytesMax: 10 } });
  const output = create("data/f").writeViaStream(0n);
  output.checkWrite();
  const types = interfaceOf<ReturnType<typeof filesystemTypes>>(instance, "wasi:filesystem/types@0.2.0");
  try {
    output.write(new Uint8Array(11));
    assert.fail("expected a failure");
  } catch (error) {
    assert.ok(error instanceof ComponentError);
    const { tag, val } = error.payload as {
      tag: string;
      val: Parameters<typeof types.filesystemErrorCode>[0];
    };
    assert.equal(tag, "last-operation-failed");
    assert.equal(types.filesystemErrorCode(val), "quota");
    assert.equal(val.toDebugString(), "dquot");
  }
});

test("what goes wrong is said in the codes of wasi:filesystem", () => {
  const { create, open, root } = rootOf();
  const file = create("data/f");
  const rows: [string, () => unknown][] = [
    ["no-entry", () => open("none")],
    ["not-permitted", () => open("../x")],
    ["not-permitted", () => open("/etc/passwd")],
    ["not-permitted", () => open("data/../../x")],
    ["is-directory", () => open("data", writing)],
    ["not-directory", () => open("data/f", reading, { ...none, directory: true })],
    ["exist", () => open("data/f", writing, { ...none, create: true, exclusive: true })],
    ["bad-descriptor", () => open("data/f").write(bytes("x"), 0n)],
    ["bad-descriptor", () => open("data/f").writeViaStream(0n)],
    ["bad-descriptor", () => open("data").read(1n, 0n)],
    ["bad-descriptor", () => root.readViaStream(0n)],
    ["not-directory", () => file.openAt(follow, "x", none, reading)],
    ["invalid", () => file.read(1n, 2n ** 63n)],
    ["invalid", () => file.advise(0n, 0n, "nonsense")],
    ["not-empty", () => root.removeDirectoryAt("data")],
    ["not-permitted", () => root.symlinkAt("/etc/passwd", "data/l")],
    ["quota", () => file.setSize(2n ** 40n)],
  ];
  for (const [index, [code, call]] of rows.entries()) {
    expectPayload(code, () => {
      try {
        call();
      } catch (error) {
        if (error instanceof ComponentError && error.payload !== code)
          assert.equal(error.payload, code, `row ${index}`);
        throw error;
      }
    });
  }
});

test("folders are listed without dots, renamed, linked and hashed", () => {
  const { create, open, root } = rootOf();
  const file = create("data/f");
  root.createDirectoryAt("data/d");
  root.symlinkAt("f", "data/l");
  const listing = open("data", reading, { ...none, directory: true }).readDirectory();
  const names: string[] = [];
  for (let entry = listing.readDirectoryEntry(); entry !== undefined; entry = listing.readDirectoryEntry()) {
    names.push(`${entry.type} ${entry.name}`);
  }
  assert.deepEqual(names.sort(), ["directory d", "regular-file f", "symbolic-link l"]);
  assert.equal(root.readlinkAt("data/l"), "f");
  root.linkAt({ symlinkFollow: false }, "data/f", root, "tmp/g");
  assert.ok(open("tmp/g").isSameObject(file));
  assert.deepEqual(root.metadataHashAt(follow, "data/l"), file.metadataHash());
  const before = file.metadataHash();
  file.write(bytes("x"), 0n);
  assert.notDeepEqual(file.metadataHash(), before);
  root.renameAt("tmp/g", root, "data/d/g");
  root.unlinkFileAt("data/d/g");
  root.removeDirectoryAt("data/d");
  file.setTimes({ tag: "no-change" }, { tag: "timestamp", val: { seconds: 5n, nanoseconds: 7 } });
  assert.deepEqual(file.stat().dataModificationTimestamp, { seconds: 5n, nanoseconds: 7 });
});

test("a coarse clock is not made fine by the times of files", () => {
  const privateFolder = fs.mkdtempSync(join(tmpdir(), "remora-p2-"));
  try {
    for (const where of [{ privateFolder }, {}]) {
      const { root, create, sandbox } = rootOf({
        ...where,
        nowMs: Date.now,
        clock: { kind: "coarse", stepMs: 1_000 },
      });
      const file = create("data/f");
      file.write(bytes("x"), 0n);
      const times = (stat: ReturnType<Descriptor["stat"]>) => [
        stat.dataAccessTimestamp.nanoseconds,
        stat.dataModificationTimestamp.nanoseconds,
        stat.statusChangeTimestamp.nanoseconds,
      ];
      assert.deepEqual(times(file.stat()), [0, 0, 0]);
      file.setTimes({ tag: "no-change" }, { tag: "timestamp", val: { seconds: 5n, nanoseconds: 7 } });
      assert.deepEqual(times(file.stat()), [0, 7, 0]);
      assert.deepEqual(times(root.statAt(follow, "data")), [0, 0, 0]);
      sandbox.close();
    }
  } finally {
    fs.rmSync(privateFolder, { recursive: true });
  }
});

test("a read-only folder gives no handle that changes anything", () => {
  const folder = fs.mkdtempSync(join(tmpdir(), "remora-p2-"));
  try {
    fs.writeFileSync(`${folder}/f`, "map");
    const { instance, sandbox } = testSandbox({
      grants: [{ capability: "wasi.base" }, { capability: "fs.read", paths: ["/maps"] }],
      folders: { "/maps": folder },
    });
    const { getDirectories } = interfaceOf<ReturnType<typeof preopens>>(
      instance,
      "wasi:filesystem/preopens@0.2.0",
    );
    const [root] = getDirectories()[0] ?? [];
    assert.ok(root);
    assert.equal(root.getFlags().mutateDirectory, false);
    const file = root.openAt(follow, "f", none, reading);
    assert.equal(text(file.read(10n, 0n)[0]), "map");
    for (const call of [
      () => root.openAt(follow, "f", none, writing),
      () => root.openAt(follow, "f", { ...none, truncate: true }, reading),
      () => root.openAt(follow, ".", none, { ...reading, mutateDirectory: true }),
      () => root.createDirectoryAt("d"),
      () => root.unlinkFileAt("f"),
      () => root.symlinkAt("f", "l"),
      () => file.setTimes({ tag: "now" }, { tag: "now" }),
      () => root.setTimes({ tag: "now" }, { tag: "now" }),
    ]) {
      expectPayload("read-only", call);
    }
    sandbox.close();
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test("handles, streams and listings are bounded together, and dropping makes room", () => {
  const { create, open } = rootOf({ limits: { handlesMax: 4 } });
  const file = create("data/f");
  const held: Disposable[] = [file.readViaStream(0n), file.writeViaStream(0n)];
  expectPayload("insufficient-memory", () => open("data/f"));
  expectEnded("sandbox/limit-exceeded", () => file.readViaStream(0n));
  held.pop()?.[Symbol.dispose]();
  const again: Descriptor = open("data/f");
  again[Symbol.dispose]();
  again[Symbol.dispose]();
  assert.equal(open("data/f").getType(), "regular-file");
});

test("standard output is the log; input is what was given, to whichever stream asks first", () => {
  const { instance, lines } = testSandbox({ grants, standardInput: bytes("abcdef") });
  const out: OutputStream = interfaceOf<ReturnType<typeof stdout>>(
    instance,
    "wasi:cli/stdout@0.2.0",
  ).getStdout();
  const err = interfaceOf<ReturnType<typeof stderr>>(instance, "wasi:cli/stderr@0.2.0").getStderr();
  out.blockingWriteAndFlush(bytes("one\ntw"));
  err.blockingWriteAndFlush(bytes("bad\u001b[0m\n"));
  out.blockingWriteAndFlush(bytes("o\nrest"));
  instance.close();
  assert.deepEqual(
    lines.map((line) => [line.from, line.text]),
    [
      ["stdout", "one"],
      ["stderr", "bad\\u{1b}[0m"],
      ["stdout", "two"],
      ["stdout", "rest"],
    ],
  );
  const other = testSandbox({ grants, standardInput: bytes("abcdef") });
  const { getStdin } = interfaceOf<ReturnType<typeof stdin>>(other.instance, "wasi:cli/stdin@0.2.0");
  const inputs: InputStream[] = [getStdin(), getStdin()];
  assert.equal(text(inputs[0]?.read(2n) ?? bytes("")), "ab");
  assert.equal(text(inputs[1]?.read(9n) ?? bytes("")), "cdef");
  expectPayload("closed", () => inputs[0]?.read(1n));
});

test("arguments are as given, variables as granted, and exit ends the instance", () => {
  const { instance } = testSandbox({
    grants: [...grants, { capability: "env.read", names: ["A"] }],
    arguments: ["p", "x"],
    environment: { A: "1", B: "2" },
  });
  const found = interfaceOf<ReturnType<typeof environment>>(instance, "wasi:cli/environment@0.2.0");
  assert.deepEqual(
    [found.getEnvironment(), found.getArguments(), found.initialCwd()],
    [[["A", "1"]], ["p", "x"], undefined],
  );
  const { exit: leave, exitWithCode } = interfaceOf<ReturnType<typeof exit>>(instance, "wasi:cli/exit@0.2.0");
  assert.deepEqual(expectEnded("sandbox/exited", () => leave({ tag: "err" })).details, {
    plugin: "test",
    exitCode: 1,
  });
  assert.deepEqual(expectEnded("sandbox/exited", () => exitWithCode(7)).details, {
    plugin: "test",
    exitCode: 7,
  });
});

const program = `
(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error-type))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error-type (type $e))
    (export "error" (type (eq $e)))
    (export "output-stream" (type $o (sub resource)))
    (type $se (variant (case "last-operation-failed" (own 1)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $se)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $o)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output (type $o))
    (export "output-stream" (type $o2 (eq $o)))
    (export "get-stdout" (func (result (own $o2))))))
  (import "wasi:clocks/wall-clock@0.2.0" (instance $clock
    (type $d (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $datetime (eq $d)))
    (export "now" (func (result $datetime)))))
  (core module $libc (memory (export "memory") 1) (data (i32.const 100) "hello from a component\\n")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1000))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory $memory) (realloc $realloc)))
  (core func $get (canon lower (func $stdout "get-stdout")))
  (core func $now (canon lower (func $clock "now") (memory $memory)))
  (core func $drop (canon resource.drop $output))
  (core module $main
    (import "h" "write" (func $write (param i32 i32 i32 i32)))
    (import "h" "get" (func $get (result i32)))
    (import "h" "now" (func $now (param i32)))
    (import "h" "drop" (func $drop (param i32)))
    (import "h" "memory" (memory 1))
    (func (export "run") (result i64) (local i32)
      call $get local.set 0
      (call $write (local.get 0) (i32.const 100) (i32.const 23) (i32.const 200))
      (call $drop (local.get 0))
      (call $now (i32.const 304))
      (i64.load (i32.const 304))))
  (core instance $main (instantiate $main (with "h" (instance
    (export "write" (func $write)) (export "get" (func $get)) (export "now" (func $now))
    (export "drop" (func $drop)) (export "memory" (memory $memory))))))
  (func (export "run") (result u64) (canon lift (core func $main "run"))))`;

test("a real component of an older 0.2 links, writes to the log and reads the clock, inside its limits", async () => {
  const artifact = openArtifact(await parse(program));
  const granted = [{ capability: "wasi.base" }, { capability: "clock.read" }] as const;
  const { sandbox, lines, audit } = testSandbox({ grants: granted });
  const options = { hostFunctions: [], offers: sandbox.offers };
  assert.equal(checkImports(artifact.imports, { ...options, grants: granted }).kind, "ok");
  assert.equal(checkImports(artifact.imports, { ...options, grants: [] }).kind, "refused");
  const instance = artifact.instantiate({
    imports: (guest) => sandbox.forInstance(guest).hostImports(artifact.imports),
    limits: defaultLimits,
  });
  const { run } = instance.exports as { run(): bigint };
  assert.equal(run(), 1_735_689_600n);
  assert.deepEqual(
    lines.map((line) => line.text),
    ["hello from a component"],
  );
  assert.deepEqual(
    audit.entries().map((entry) => [entry.capability, entry.answer]),
    [["clock.read", "allowed"]],
  );
});
