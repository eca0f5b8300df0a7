import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import fc from "fast-check";
import { isRemoraError } from "../../base/index.ts";
import { checkImports } from "../../policy/index.ts";
import { type AuditLog, auditLog } from "../audit.ts";
import { type ErrnoName, errno } from "../fs/errno.ts";
import type { LogLine } from "../machine/log.ts";
import { blockedWaiting, suspendedWaiting } from "../machine/waiting.ts";
import { type Sandbox, type SandboxOptions, sandboxImports } from "../sandbox-imports.ts";
import { proxyText, signatures } from "../testing/preview1-proxy.ts";
import { expectEnded, testNowMs } from "../testing/sandboxes.ts";
import { preview1Names } from "./functions.ts";

interface ProxyMemory {
  readonly buffer: ArrayBuffer;
}

/** What of `WebAssembly` is used here; Node's types do not declare it. */
interface Engine {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
}
const { Module, Instance } = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly; // every Node has it

let proxy: object;
before(async () => {
  proxy = new Module(await parse(proxyText()));
});

const grants = [
  { capability: "wasi.base" },
  { capability: "clock.read" },
  { capability: "random.read" },
  { capability: "fs.private" },
] as const;

/** Memory that nobody wrote to. */
const untouched = 0x5f;

type ProxyExports = Record<string, (...params: (number | bigint)[]) => number>;

class ProxyGuest {
  readonly sandbox: Sandbox;
  readonly audit: AuditLog = auditLog();
  readonly lines: LogLine[] = [];
  readonly instance;
  readonly #exports: ProxyExports;
  readonly memory: ProxyMemory;

  constructor(options: Partial<SandboxOptions> = {}) {
    this.sandbox = sandboxImports({
      plugin: "proxy",
      grants,
      audit: this.audit,
      log: { write: (line) => void this.lines.push(line) },
      nowMs: () => testNowMs,
      clock: { kind: "fixed", wallNs: 1_735_689_600_000_000_000n },
      ...options,
    });
    let memory: ProxyMemory | undefined;
    this.instance = this.sandbox.forInstance({
      memory: { view: () => new Uint8Array(memory?.buffer ?? new ArrayBuffer(0)) },
      abort: (error) => {
        throw error;
      },
    });
    const imports = this.instance.core("wasi_snapshot_preview1") ?? {};
    const { exports } = new Instance(proxy, {
      wasi_snapshot_preview1: imports,
    });
    memory = exports.memory as ProxyMemory; // the proxy exports one
    this.memory = memory;
    this.#exports = exports as ProxyExports; // and functions, beside it
    this.mask();
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  mask(): void {
    this.bytes.fill(untouched);
  }

  call(name: string, ...params: (number | bigint)[]): number {
    const found = this.#exports[name];
    assert.ok(found, name);
    return found(...params);
  }

  expect(expected: ErrnoName, name: string, ...params: (number | bigint)[]): void {
    const number = this.call(name, ...params);
    const found = Object.entries(errno).find(([, value]) => value === number)?.[0];
    assert.equal(found, expected, `${name}(${params.join(", ")})`);
  }

  /** Writes text (or bytes) and returns its length. */
  put(at: number, text: string | Uint8Array): number {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    this.bytes.set(bytes, at);
    return bytes.length;
  }

  text(at: number, length: number): string {
    return new TextDecoder().decode(this.bytes.slice(at, at + length));
  }

  iovec(at: number, pointer: number, length: number): void {
    this.view.setUint32(at, pointer, true);
    this.view.setUint32(at + 4, length, true);
  }

  /** All of memory is untouched but for these bytes. */
  expectBytes(...written: { at: number; hex: string }[]): void {
    const expected = new Uint8Array(this.memory.buffer.byteLength).fill(untouched);
    for (const { at, hex } of written) expected.set(Buffer.from(hex.replaceAll(" ", ""), "hex"), at);
    const found = this.bytes;
    const wrong = expected.findIndex((byte, index) => byte !== found[index]);
    assert.equal(
      wrong,
      -1,
      `at ${wrong}: found ${Buffer.from(found.slice(wrong, wrong + 32)).toString("hex")}, expected ${Buffer.from(expected.slice(wrong, wrong + 32)).toString("hex")}`,
    );
  }

  open(
    path: string,
    options: { oflags?: number; base?: bigint; fdflags?: number; from?: number } = {},
  ): number {
    const { oflags = 0, base = 0x42n, fdflags = 0, from = 3 } = options;
    const length = this.put(60_000, path);
    this.expect("success", "path_open", from, 1, 60_000, length, oflags, base, 0n, fdflags, 60_900);
    return this.view.getUint32(60_900, true);
  }

  write(fd: number, text: string | Uint8Array): number {
    const length = this.put(70_000, text);
    this.iovec(61_000, 70_000, length);
    this.expect("success", "fd_write", fd, 61_000, 1, 61_008);
    return this.view.getUint32(61_008, true);
  }

  read(fd: number, length = 1_000): string {
    this.iovec(61_000, 70_000, length);
    this.expect("success", "fd_read", fd, 61_000, 1, 61_008);
    return this.text(70_000, this.view.getUint32(61_008, true));
  }
}

test("all 46 functions are offered under a capability and given, no more and no fewer", () => {
  const guest = new ProxyGuest();
  assert.equal(preview1Names.length, 46);
  assert.deepEqual(Object.keys(signatures).sort(), [...preview1Names].sort());
  assert.deepEqual(
    Object.keys(guest.instance.core("wasi_snapshot_preview1") ?? {}).sort(),
    [...preview1Names].sort(),
  );
  const needs = preview1Names.map((item) => ({ from: "wasi_snapshot_preview1", item }));
  const { offers } = guest.sandbox;
  assert.equal(checkImports(needs, { hostFunctions: [], offers, grants }).kind, "ok");
  const check = checkImports(needs, { hostFunctions: [], offers, grants: [{ capability: "wasi.base" }] });
  assert.ok(check.kind === "refused");
  const { refused } = check.error.details as { refused: { name: string }[] };
  assert.deepEqual(
    refused.map((entry) => entry.name.split(".")[1]),
    ["clock_res_get", "clock_time_get", "random_get"],
  );
  assert.equal(guest.instance.core("wasi_unstable"), undefined);
});

test("clock_time_get writes eight bytes at the result pointer and nothing else", () => {
  const guest = new ProxyGuest();
  guest.expect("success", "clock_time_get", 0, 0n, 16);
  guest.expectBytes({ at: 16, hex: "0000 57c0 7e68 1618" });
  guest.mask();
  guest.expect("success", "clock_res_get", 1, 24);
  guest.expectBytes({ at: 24, hex: "01 00 00 00 00 00 00 00" });
  guest.mask();
  for (const id of [2, 3, 4, -1]) guest.expect("inval", "clock_time_get", id, 0n, 16);
  guest.expectBytes();
});

test("arguments are pointers, then the texts with a zero behind each", () => {
  const guest = new ProxyGuest({ arguments: ["run", "é", ""] });
  guest.expect("success", "args_sizes_get", 0, 4);
  guest.expectBytes({ at: 0, hex: "03000000 08000000" });
  guest.mask();
  guest.expect("success", "args_get", 100, 200);
  guest.expectBytes({ at: 100, hex: "c8000000 cc000000 cf000000" }, { at: 200, hex: "72756e00 c3a900 00" });
});

test("a variable is there when its name is granted, and no other", () => {
  const environment = { A: "1", SECRET: "s3cret", B: "x=y" };
  const guest = new ProxyGuest({
    environment,
    grants: [...grants, { capability: "env.read", names: ["A", "B", "MISSING"] }],
  });
  guest.expect("success", "environ_sizes_get", 0, 4);
  guest.expectBytes({ at: 0, hex: "02000000 0a000000" });
  guest.mask();
  guest.expect("success", "environ_get", 100, 200);
  assert.equal(guest.text(200, 10), "A=1\0B=x=y\0");
  assert.ok(!Buffer.from(guest.bytes).includes("s3cret"));
  const entries = JSON.stringify(guest.audit.entries());
  assert.ok(entries.includes("SECRET") && !entries.includes("s3cret"));
  const nobody = new ProxyGuest({ environment });
  nobody.expect("success", "environ_sizes_get", 0, 4);
  nobody.expectBytes({ at: 0, hex: "00000000 00000000" });
});

test("prestat tells the own root by tag, length and name, which has no zero behind it", () => {
  const guest = new ProxyGuest();
  guest.expect("success", "fd_prestat_get", 3, 8);
  guest.expectBytes({ at: 8, hex: "00000000 01000000" });
  guest.mask();
  guest.expect("success", "fd_prestat_dir_name", 3, 8, 1);
  guest.expectBytes({ at: 8, hex: "2f" });
  guest.expect("nametoolong", "fd_prestat_dir_name", 3, 8, 0);
  for (const fd of [0, 1, 4, -1]) guest.expect("badf", "fd_prestat_get", fd, 8);
});

test("without fs.private there is no folder at all", () => {
  const guest = new ProxyGuest({ grants: grants.slice(0, 3) });
  guest.expect("badf", "fd_prestat_get", 3, 8);
  guest.expect("badf", "path_open", 3, 1, 0, 1, 0, 0n, 0n, 0, 8);
});

test("fdstat tells type, flags and rights in 24 bytes", () => {
  const guest = new ProxyGuest();
  const fd = guest.open("data/f", { oflags: 1, fdflags: 1 });
  guest.mask();
  guest.expect("success", "fd_fdstat_get", fd, 0);
  guest.expectBytes({ at: 0, hex: "04 00 0100 00000000 ff01e00800000000 0000000000000000" });
  guest.mask();
  guest.expect("success", "fd_fdstat_get", 1, 0);
  guest.expectBytes({ at: 0, hex: "02 00 0100 00000000 4800200800000000 0000000000000000" });
});

test("filestat has 64 bytes, with times in nanoseconds", () => {
  const guest = new ProxyGuest();
  const fd = guest.open("data/f", { oflags: 1 });
  guest.write(fd, "hello");
  guest.mask();
  guest.expect("success", "fd_filestat_get", fd, 0);
  const stat = guest.view;
  const now = 1_735_689_600_000_000_000n;
  assert.deepEqual(
    [0, 24, 32, 40, 48, 56].map((at) => stat.getBigUint64(at, true)),
    [1n, 1n, 5n, now, now, now],
  );
  guest.expectBytes({ at: 0, hex: Buffer.from(guest.bytes.slice(0, 64)).toString("hex") });
  assert.equal(guest.bytes[16], 4);
  const length = guest.put(100, "data");
  guest.expect("success", "path_filestat_get", 3, 1, 100, length, 200);
  assert.equal(guest.bytes[216], 3);
});

test("what was written is read again: seek, tell, pread, pwrite, append and truncate agree", () => {
  const guest = new ProxyGuest();
  const fd = guest.open("data/f", { oflags: 1 });
  assert.equal(guest.write(fd, "hello world"), 11);
  guest.expect("success", "fd_seek", fd, 6n, 0, 0);
  assert.equal(guest.read(fd), "world");
  guest.expect("success", "fd_tell", fd, 0);
  assert.equal(guest.view.getBigUint64(0, true), 11n);
  guest.expect("success", "fd_seek", fd, -5n, 2, 0);
  assert.equal(guest.view.getBigUint64(0, true), 6n);
  guest.put(70_000, "W");
  guest.iovec(0, 70_000, 1);
  guest.expect("success", "fd_pwrite", fd, 0, 1, 6n, 8);
  guest.iovec(0, 71_000, 3);
  guest.expect("success", "fd_pread", fd, 0, 1, 5n, 8);
  assert.equal(guest.text(71_000, 3), " Wo");
  guest.expect("success", "fd_filestat_set_size", fd, 5n);
  const appending = guest.open("data/f", { fdflags: 1 });
  guest.write(appending, "!");
  guest.expect("success", "fd_seek", fd, 0n, 0, 0);
  assert.equal(guest.read(fd), "hello!");
  guest.expect("success", "fd_allocate", fd, 0n, 10n);
  guest.expect("success", "fd_seek", fd, 0n, 0, 0);
  assert.equal(guest.read(fd), "hello!\0\0\0\0");
});

test("reads and writes go through all buffers in order, empty ones included", () => {
  const guest = new ProxyGuest();
  const fd = guest.open("data/f", { oflags: 1 });
  guest.put(100, "abcdef");
  guest.iovec(0, 100, 2);
  guest.iovec(8, 0, 0);
  guest.iovec(16, 102, 4);
  guest.expect("success", "fd_write", fd, 0, 3, 32);
  assert.equal(guest.view.getUint32(32, true), 6);
  guest.expect("success", "fd_seek", fd, 0n, 0, 40);
  guest.iovec(0, 200, 4);
  guest.iovec(8, 300, 100);
  guest.expect("success", "fd_read", fd, 0, 2, 32);
  assert.deepEqual(
    [guest.text(200, 4), guest.text(300, 2), guest.view.getUint32(32, true)],
    ["abcd", "ef", 6],
  );
});

test("readdir lists with cookies, and a full buffer with half an entry says that there is more", () => {
  const guest = new ProxyGuest();
  guest.open("data/a", { oflags: 1 });
  guest.mask();
  const fd = guest.open("data", { oflags: 2, base: 0n });
  guest.expect("success", "fd_readdir", fd, 0, 1_000, 0n, 2_000);
  const used = guest.view.getUint32(2_000, true);
  assert.equal(used, 24 + 1 + 24 + 2 + 24 + 1);
  assert.deepEqual(
    [0, 25, 51].map((at) => [
      guest.view.getBigUint64(at, true),
      guest.view.getUint32(at + 16, true),
      guest.view.getUint8(at + 20),
      guest.text(at + 24, guest.view.getUint32(at + 16, true)),
    ]),
    [
      [1n, 1, 3, "."],
      [2n, 2, 3, ".."],
      [3n, 1, 4, "a"],
    ],
  );
  guest.expect("success", "fd_readdir", fd, 0, 30, 1n, 2_000);
  assert.equal(guest.view.getUint32(2_000, true), 30);
  guest.expect("success", "fd_readdir", fd, 0, 1_000, 3n, 2_000);
  assert.equal(guest.view.getUint32(2_000, true), 0);
  guest.expect("success", "fd_readdir", fd, 0, 1_000, -1n, 2_000);
  assert.equal(guest.view.getUint32(2_000, true), 0);
});

test("every pointer that the guest makes up is a fault, and does nothing", () => {
  const guest = new ProxyGuest();
  const fd = guest.open("data/f", { oflags: 1 });
  const end = guest.bytes.length;
  const length = guest.put(100, "data/new");
  for (const bad of [end, end - 3, -1, -8, 0x7fffffff]) {
    guest.expect("fault", "clock_time_get", 0, 0n, bad);
    guest.expect("fault", "fd_write", 1, bad, 1, 0);
    guest.expect("fault", "fd_prestat_get", 3, bad);
    guest.expect("fault", "fd_filestat_get", fd, bad);
    guest.expect("fault", "random_get", bad, 8);
    guest.expect("fault", "path_open", 3, 1, bad, 8, 1, 2n, 0n, 0, 0);
    guest.expect("fault", "path_open", 3, 1, 100, length, 1, 2n, 0n, 0, bad);
    guest.expect("fault", "fd_readdir", 3, bad, 100, 0n, 0);
    guest.expect("fault", "poll_oneoff", bad, 0, 1, 0);
    guest.expect("fault", "args_sizes_get", bad, 0);
    guest.expect("fault", "fd_seek", fd, 0n, 0, bad);
  }
  guest.iovec(0, end - 1, 2);
  guest.expect("fault", "fd_write", fd, 0, 1, 16);
  guest.iovec(0, 0, -1);
  guest.expect("fault", "fd_read", fd, 0, 1, 16);
  guest.expect("inval", "fd_write", fd, 0, 1_025, 16);
  guest.expect("inval", "fd_write", fd, 0, -1, 16);
  guest.expect("noent", "path_filestat_get", 3, 0, 100, length, 200);
});

test("a path that is no UTF-8 is ilseq, one with a zero is inval", () => {
  const guest = new ProxyGuest();
  guest.put(0, Uint8Array.of(0xff, 0xfe, 0xc0, 0x80));
  guest.expect("ilseq", "path_create_directory", 3, 0, 2);
  guest.expect("ilseq", "path_create_directory", 3, 2, 2);
  const length = guest.put(0, "data\0x");
  guest.expect("inval", "path_create_directory", 3, 0, length);
});

test("descriptors that are not there, or of the wrong kind, answer in their errno", () => {
  const guest = new ProxyGuest();
  const file = guest.open("data/f", { oflags: 1, base: 2n });
  const length = guest.put(0, "x");
  for (const fd of [99, -1, 0x7fffffff]) {
    guest.expect("badf", "fd_close", fd);
    guest.expect("badf", "fd_read", fd, 0, 0, 0);
    guest.expect("badf", "sock_shutdown", fd, 0);
  }
  guest.expect("notdir", "path_create_directory", file, 0, length);
  guest.expect("notdir", "path_create_directory", 1, 0, length);
  guest.expect("notdir", "fd_readdir", file, 0, 0, 0n, 0);
  guest.expect("isdir", "fd_read", 3, 0, 0, 100);
  guest.expect("badf", "fd_seek", 3, 0n, 0, 100);
  guest.expect("spipe", "fd_seek", 1, 0n, 0, 100);
  guest.expect("notcapable", "fd_write", file, 0, 0, 100);
  guest.expect("badf", "fd_filestat_set_size", 1, 0n);
  for (const name of ["sock_accept", "sock_recv", "sock_send", "sock_shutdown"]) {
    const zeros = Array.from({ length: (signatures[name]?.length ?? 1) - 1 }, () => 0);
    guest.expect("notsock", name, file, ...zeros);
  }
  guest.expect("inval", "fd_seek", file, -1n, 0, 100);
  guest.expect("inval", "fd_seek", file, 0n, 3, 100);
  guest.expect("inval", "fd_fdstat_set_flags", file, 32);
  guest.expect("inval", "path_open", 3, 1, 0, length, 16, 0n, 0n, 0, 100);
  guest.expect("inval", "path_open", 3, 2, 0, length, 0, 0n, 0n, 0, 100);
  guest.expect("notsup", "proc_raise", 9);
  guest.expect("success", "sched_yield");
});

test("rights can be given away and never taken back", () => {
  const guest = new ProxyGuest();
  const fd = guest.open("data/f", { oflags: 1 });
  guest.expect("success", "fd_fdstat_set_rights", fd, 2n, 0n);
  guest.put(70_000, "x");
  guest.iovec(0, 70_000, 1);
  guest.expect("notcapable", "fd_write", fd, 0, 1, 8);
  guest.expect("notcapable", "fd_fdstat_set_rights", fd, 0x42n, 0n);
  guest.expect("notcapable", "fd_fdstat_set_rights", fd, -1n, 0n);
});

test("renumber puts one descriptor in the place of another", () => {
  const guest = new ProxyGuest();
  const one = guest.open("data/1", { oflags: 1 });
  const two = guest.open("data/2", { oflags: 1 });
  guest.write(one, "one");
  guest.expect("success", "fd_renumber", one, two);
  guest.expect("badf", "fd_close", one);
  guest.expect("success", "fd_seek", two, 0n, 0, 0);
  assert.equal(guest.read(two), "one");
  guest.expect("badf", "fd_renumber", two, 99);
});

test("standard output becomes lines of the log, made harmless; standard input is what was given", () => {
  const guest = new ProxyGuest({ standardInput: new TextEncoder().encode("in put") });
  assert.equal(guest.write(1, "hello\u001b[31m\nhalf"), 15);
  guest.write(2, "oops\n");
  assert.deepEqual(
    guest.lines.map((line) => [line.plugin, line.from, line.level, line.text]),
    [
      ["proxy", "stdout", "info", "hello\\u{1b}[31m"],
      ["proxy", "stderr", "warn", "oops"],
    ],
  );
  assert.equal(guest.read(0, 3), "in ");
  assert.equal(guest.read(0), "put");
  assert.equal(guest.read(0), "");
  guest.instance.close();
  assert.equal(guest.lines.at(-1)?.text, "half");
});

test("proc_exit ends the instance with its code, never the host", () => {
  const guest = new ProxyGuest();
  guest.write(1, "last words");
  const error = expectEnded("sandbox/exited", () => guest.call("proc_exit", 7));
  assert.deepEqual(error.details, { plugin: "proxy", exitCode: 7 });
  assert.equal(error.fault, "guest");
  assert.equal(guest.lines[0]?.text, "last words");
});

function putClock(
  guest: ProxyGuest,
  at: number,
  options: { userdata: bigint; ns: bigint; flags?: number },
): void {
  guest.bytes.fill(0, at, at + 48);
  guest.view.setBigUint64(at, options.userdata, true);
  guest.view.setUint32(at + 16, 1, true);
  guest.view.setBigUint64(at + 24, options.ns, true);
  guest.view.setUint16(at + 40, options.flags ?? 0, true);
}

test("poll_oneoff tells the first timer in 32 bytes; a fixed clock is moved on instead of waiting", () => {
  const guest = new ProxyGuest();
  putClock(guest, 1_000, { userdata: 11n, ns: 3_600_000_000_000n });
  putClock(guest, 1_048, { userdata: 12n, ns: 1_000_000_000n });
  guest.expect("success", "poll_oneoff", 1_000, 2_000, 2, 3_000);
  assert.equal(guest.view.getUint32(3_000, true), 1);
  assert.equal(Buffer.from(guest.bytes.slice(2_000, 2_032)).toString("hex"), `0c${"00".repeat(31)}`);
  guest.expect("success", "clock_time_get", 1, 0n, 0);
  assert.equal(guest.view.getBigUint64(0, true), 1_000_000_000n);
});

test("waiting for a moment tells nobody the time to whom the clock was not granted", () => {
  const guest = new ProxyGuest({ grants: [{ capability: "wasi.base" }] });
  for (const [index, ns] of [0n, 1n, 2n ** 63n].entries()) {
    putClock(guest, 1_000 + 48 * index, { userdata: BigInt(index), ns, flags: 1 });
  }
  putClock(guest, 1_144, { userdata: 3n, ns: 0n });
  guest.expect("success", "poll_oneoff", 1_000, 2_000, 4, 3_000);
  const events = [0, 1, 2, 3].map((at) => guest.view.getUint16(2_000 + 32 * at + 8, true));
  assert.equal(guest.view.getUint32(3_000, true), 4);
  assert.deepEqual(events, [errno.notcapable, errno.notcapable, errno.notcapable, errno.success]);
  assert.equal(guest.audit.entries()[0]?.answer, "denied");
});

test("a path that is too long is refused before it is read", () => {
  const guest = new ProxyGuest();
  guest.bytes.fill(0xff, 0, 70_000); // no UTF-8 either
  guest.expect("nametoolong", "path_unlink_file", 3, 0, 70_000);
  guest.expect("nametoolong", "path_symlink", 0, 70_000, 3, 0, 1);
  guest.expect("ilseq", "path_unlink_file", 3, 0, 4_096);
});

test("poll_oneoff tells descriptors at once, and what is wrong with one in its event", () => {
  const guest = new ProxyGuest();
  for (const [index, fd] of [1, 99].entries()) {
    const at = 1_000 + 48 * index;
    guest.bytes.fill(0, at, at + 48);
    guest.view.setUint8(at + 8, 2);
    guest.view.setUint32(at + 16, fd, true);
  }
  putClock(guest, 1_096, { userdata: 5n, ns: 10n ** 18n });
  guest.expect("success", "poll_oneoff", 1_000, 2_000, 3, 3_000);
  assert.equal(guest.view.getUint32(3_000, true), 2);
  assert.deepEqual(
    [2_008, 2_040].map((at) => guest.view.getUint16(at, true)),
    [0, errno.badf],
  );
  guest.expect("inval", "poll_oneoff", 1_000, 2_000, 0, 3_000);
  guest.expect("inval", "poll_oneoff", 0, 2_000, 257, 3_000);
  guest.view.setUint8(1_008, 7);
  guest.expect("inval", "poll_oneoff", 1_000, 2_000, 1, 3_000);
});

test("a sleep on a thread that must not block ends the call; elsewhere it waits, up to the host's bound", () => {
  const real = { clock: { kind: "real" } } as const;
  const refused = new ProxyGuest(real);
  putClock(refused, 1_000, { userdata: 0n, ns: 5_000_000n });
  expectEnded("sandbox/cannot-wait", () => refused.call("poll_oneoff", 1_000, 2_000, 1, 3_000));
  const blocking = new ProxyGuest({ ...real, waiting: blockedWaiting, limits: { waitMsMax: 50 } });
  putClock(blocking, 1_000, { userdata: 9n, ns: 5_000_000n });
  const started = performance.now();
  blocking.expect("success", "poll_oneoff", 1_000, 2_000, 1, 3_000);
  assert.ok(performance.now() - started >= 4);
  assert.equal(blocking.view.getBigUint64(2_000, true), 9n);
  putClock(blocking, 1_000, { userdata: 9n, ns: 2n ** 63n });
  expectEnded("sandbox/limit-exceeded", () => blocking.call("poll_oneoff", 1_000, 2_000, 1, 3_000));
});

test("where the engine can suspend, a sleep is a promise of the errno", async () => {
  const guest = new ProxyGuest({ clock: { kind: "real" }, waiting: suspendedWaiting });
  putClock(guest, 1_000, { userdata: 9n, ns: 2_000_000n });
  const poll = guest.instance.core("wasi_snapshot_preview1")?.poll_oneoff;
  const waited = poll?.(1_000, 2_000, 1, 3_000);
  assert.ok(waited instanceof Promise);
  assert.equal(await waited, 0);
  assert.equal(guest.view.getUint32(3_000, true), 1);
});

test("handles are bounded, the own root included; closing one makes room", () => {
  const guest = new ProxyGuest({ limits: { handlesMax: 4 } });
  const fds = [1, 2, 3].map((index) => guest.open(`data/${index}`, { oflags: 1 }));
  const length = guest.put(0, "data/4");
  guest.expect("mfile", "path_open", 3, 1, 0, length, 1, 2n, 0n, 0, 100);
  guest.expect("success", "fd_close", fds[0] ?? 0);
  assert.equal(guest.open("data/4", { oflags: 1 }), fds[0]);
  guest.instance.close();
});

test("random bytes beyond the budget of a call are refused, and a new call has its own", () => {
  const guest = new ProxyGuest({ limits: { randomBytesPerCallMax: 100 } });
  guest.expect("success", "random_get", 0, 100);
  guest.expect("dquot", "random_get", 0, 1);
  guest.instance.beginCall();
  guest.expect("success", "random_get", 0, 1);
});

test("a clock or randomness that is not granted answers notcapable", () => {
  const guest = new ProxyGuest({ grants: [{ capability: "wasi.base" }] });
  guest.expect("notcapable", "clock_time_get", 0, 0n, 0);
  guest.expect("notcapable", "random_get", 0, 8);
  guest.expectBytes();
});

test("links are read and followed inside; hard links and renames work", () => {
  const guest = new ProxyGuest();
  const fd = guest.open("data/real", { oflags: 1 });
  guest.write(fd, "content");
  guest.put(0, "real");
  guest.put(100, "data/link");
  guest.expect("success", "path_symlink", 0, 4, 3, 100, 9);
  assert.equal(guest.read(guest.open("data/link")), "content");
  guest.expect("success", "path_readlink", 3, 100, 9, 200, 3, 300);
  assert.deepEqual([guest.text(200, 3), guest.view.getUint32(300, true)], ["rea", 3]);
  guest.expect("loop", "path_open", 3, 0, 100, 9, 0, 2n, 0n, 0, 400);
  guest.put(500, "data/real");
  guest.put(600, "tmp/hard");
  guest.expect("success", "path_link", 3, 0, 500, 9, 3, 600, 8);
  guest.put(700, "config/moved");
  guest.expect("success", "path_rename", 3, 600, 8, 3, 700, 12);
  assert.equal(guest.read(guest.open("config/moved")), "content");
  guest.expect("success", "path_unlink_file", 3, 500, 9);
  guest.expect("noent", "path_open", 3, 1, 100, 9, 0, 2n, 0n, 0, 400);
});

test("two plugins with the same folder names see nothing of each other", () => {
  const folders = [0, 1].map(() => mkdtempSync(join(tmpdir(), "remora-")));
  try {
    const [one, two] = folders.map((privateFolder) => new ProxyGuest({ privateFolder }));
    assert.ok(one && two);
    one.write(one.open("data/f", { oflags: 1 }), "mine");
    const length = two.put(0, "data/f");
    two.expect("noent", "path_open", 3, 1, 0, length, 0, 2n, 0n, 0, 100);
    one.sandbox.close();
    two.sandbox.close();
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
});

test("listings that are kept are bounded, and a new one takes the place of the old", () => {
  const guest = new ProxyGuest({ limits: { folderEntriesMax: 8 } });
  const fds = [0, 1, 2, 3, 4, 5, 6].map(() => guest.open(".", { oflags: 2, base: 0n }));
  const list = (fd: number) => guest.call("fd_readdir", fd, 0, 100, 0n, 2_000);
  // Each has five entries; four times eight may be kept.
  assert.deepEqual(fds.map(list), [0, 0, 0, 0, 0, 0, errno.nomem]);
  assert.equal(list(fds[0] ?? 0), 0);
  guest.expect("success", "fd_close", fds[1] ?? 0);
  assert.equal(list(fds[6] ?? 0), 0);
});

test("whatever a guest calls with whatever numbers, it gets an errno or its own end", () => {
  const guest = new ProxyGuest({
    arguments: ["a"],
    environment: { A: "1" },
    limits: { fileBytesMax: 100_000, filesMax: 50, handlesMax: 20, transferBytesMax: 100_000 },
  });
  const names = Object.keys(signatures);
  const known = new Set(Object.values(errno));
  const paths = ["data/f", "data", "..", "a/b", "/x", ".", "data/f/", "tmp/l", "tmp/../data"];
  for (const [index, path] of paths.entries()) guest.put(40 * index, path);
  const small = fc.oneof(
    fc.integer({ min: 0, max: 12 }),
    fc.nat(8).map((index) => 40 * index),
  );
  const any = fc.oneof({ weight: 8, arbitrary: small }, fc.integer());
  const call = fc.record({
    name: fc.constantFrom(...names),
    numbers: fc.array(any, { minLength: 9, maxLength: 9 }),
  });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
      for (const { name, numbers } of calls) {
        const params = [...(signatures[name] ?? "")].map((letter, index) =>
          letter === "i" ? (numbers[index] ?? 0) : BigInt(numbers[index] ?? 0),
        );
        try {
          assert.ok(name === "proc_exit" || known.has(guest.call(name, ...params) as never), name);
        } catch (error) {
          assert.ok(isRemoraError(error), `${name}(${params.join(", ")}): ${String(error)}`);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("an address that passes the end of all addresses is a fault, not an address at the beginning", () => {
  const guest = new ProxyGuest({ arguments: ["a", "b"] });
  guest.expect("fault", "args_get", -4, 200);
  guest.expect("fault", "fd_write", 1, -8, 3, 16);
  guest.expect("fault", "poll_oneoff", -48, 0, 2, 1_000);
  assert.equal(guest.view.getUint32(0, true), 0x5f5f5f5f);
});

test("of output a write takes so much that its lines are counted in no time, and says how much it was", () => {
  const guest = new ProxyGuest();
  guest.bytes.fill(10);
  for (const index of [0, 1, 2]) guest.iovec(8 * index, 64, 131_000);
  guest.expect("success", "fd_write", 1, 0, 3, 32);
  assert.equal(guest.view.getUint32(32, true), 256 * 1024);
});
