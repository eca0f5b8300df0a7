/**
 * Opening, reading and closing a file of 4 KB through preview 1: a guest that does it in a loop, in Remora (metered,
 * gated, audited, within quotas) and in Node's own `node:wasi`; and the same three steps by the incumbent's shim,
 * called directly, without the adapter that a preview 1 guest needs there.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { defaultLimits, openArtifact } from "remora/engine";
import { auditLog, sandboxImports } from "remora/sandbox";
import { webAssembly } from "../../packages/remora/src/engine/webassembly.ts";
import { measure, rounded, type Variant } from "../measure.ts";

const fileBytes = 4_096;

/** Opens, reads and closes "file" in the folder 3 so often; gives the sum of bytes, or traps at the first errno. */
const guestText = `(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "file")
  (func $done (param i32) (if (local.get 0) (then unreachable)))
  (func (export "_initialize"))
  (func (export "run") (param $count i32) (result i32) (local $sum i32)
    (i32.store (i32.const 16) (i32.const 1024)) (i32.store (i32.const 20) (i32.const ${fileBytes}))
    (loop $again
      (call $done (call $open (i32.const 3) (i32.const 1) (i32.const 64) (i32.const 4) (i32.const 0)
        (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)))
      (call $done (call $read (i32.load (i32.const 0)) (i32.const 16) (i32.const 1) (i32.const 8)))
      (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 8))))
      (call $done (call $close (i32.load (i32.const 0))))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $sum)))`;

interface Contestant extends Variant {
  close(): void;
}

export async function fileFigures(): Promise<Record<string, number | null>> {
  const folder = mkdtempSync(join(tmpdir(), "remora-bench-"));
  const path = join(folder, "file");
  writeFileSync(path, new Uint8Array(fileBytes).fill(7));
  const guest = await parse(guestText);
  const contestants = [remora(guest, folder), await nodeWasi(guest, folder), await shim(folder)];
  try {
    for (const { name, run } of contestants) {
      if (run(3) !== 3 * fileBytes) throw new Error(`${name} does not read the file`);
    }
    const timings = measure(contestants, { rounds: 15, roundMs: 20 });
    const microseconds = (name: string) => rounded((timings.get(name)?.min ?? Number.NaN) / 1_000);
    return {
      openReadCloseUs: microseconds("remora"),
      openReadCloseNodeWasiUs: microseconds("node:wasi"),
      openReadCloseShimUs: microseconds("preview2-shim"),
    };
  } finally {
    for (const contestant of contestants) contestant.close();
    rmSync(folder, { recursive: true });
  }
}

function remora(guest: Uint8Array, folder: string): Contestant {
  const grants = [{ capability: "wasi.base" }, { capability: "fs.private" }] as const;
  const sandbox = sandboxImports({
    plugin: "bench",
    grants,
    audit: auditLog(),
    log: { write: () => {} },
    nowMs: Date.now,
    privateFolder: folder,
  });
  const artifact = openArtifact(guest, { plugin: "bench" });
  const instance = artifact.instantiate({
    limits: { ...defaultLimits, deadlineMs: 60_000 },
    imports: (access) => sandbox.forInstance(access).hostImports(artifact.imports),
  });
  const { run } = instance.exports as { run(count: number): number }; // the guest above
  return { name: "remora", run: (count) => run(count), close: () => sandbox.close() };
}

async function nodeWasi(guest: Uint8Array, folder: string): Promise<Contestant> {
  const { WASI } = await import("node:wasi");
  const wasi = new WASI({ version: "preview1", preopens: { "/": folder } });
  // Node types both as unknown objects; the module is the guest above.
  const instance = new webAssembly.Instance(new webAssembly.Module(guest), wasi.getImportObject() as never);
  wasi.initialize(instance);
  const { run } = instance.exports as unknown as { run(count: number): number };
  return { name: "node:wasi", run: (count) => run(count), close: () => {} };
}

/** What is used of the shim's `wasi:filesystem`. */
interface ShimDescriptor {
  openAt(pathFlags: object, path: string, openFlags: object, flags: object): ShimDescriptor & Disposable;
  read(length: bigint, offset: bigint): [Uint8Array, boolean];
}

async function shim(folder: string): Promise<Contestant> {
  const { _setPreopens, preopens } = (await import(
    "@bytecodealliance/preview2-shim/filesystem"
  )) as unknown as {
    _setPreopens(preopens: Record<string, string>): void;
    preopens: { getDirectories(): [ShimDescriptor, string][] };
  };
  _setPreopens({ "/": folder });
  const [[root] = []] = preopens.getDirectories();
  if (root === undefined) throw new Error("the shim has no folder");
  const run = (count: number): number => {
    let sum = 0;
    for (let index = 0; index < count; index++) {
      using file = root.openAt({}, "file", {}, { read: true });
      sum += file.read(BigInt(fileBytes), 0n)[0].length;
    }
    return sum;
  };
  return { name: "preview2-shim", run, close: () => {} };
}
