/** Several threads of one plugin that take room at the same moment get no more of it together than one would. */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { defaultLimits, openArtifact, openIsolation } from "../engine/index.ts";
import { sandboxImports } from "./sandbox-imports.ts";

const preview1 = (name: string, type: string) =>
  `(import "wasi_snapshot_preview1" "${name}" (func $${name} ${type} (result i32)))`;

/** Makes files "data/X0" to "data/X9" of 1000 bytes each, X its own letter, and gives how many it could. */
const guest = openArtifact(
  await parse(`(module
    ${preview1("path_open", "(param i32 i32 i32 i32 i32 i64 i64 i32 i32)")}
    ${preview1("fd_write", "(param i32 i32 i32 i32)")}
    (memory (export "memory") 1)
    (data (i32.const 16) "data/X0")
    (func (export "fill") (param $letter i32) (result i32) (local $index i32) (local $kept i32)
      (i32.store8 (i32.const 21) (local.get $letter))
      (i32.store (i32.const 32) (i32.const 1024)) (i32.store (i32.const 36) (i32.const 1000))
      (loop $again
        (i32.store8 (i32.const 22) (i32.add (i32.const 48) (local.get $index)))
        (if (i32.eqz (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 7) (i32.const 1)
            (i64.const 0x40) (i64.const 0) (i32.const 0) (i32.const 0)))
          (then (if (i32.eqz (call $fd_write (i32.load (i32.const 0)) (i32.const 32) (i32.const 1) (i32.const 40)))
            (then (local.set $kept (i32.add (local.get $kept) (i32.const 1)))))))
        (br_if $again (i32.lt_u (local.tee $index (i32.add (local.get $index) (i32.const 1))) (i32.const 10))))
      (local.get $kept)))`),
  { plugin: "racing" },
);

test("four threads that fill one folder together keep its quota of bytes", async () => {
  const privateFolder = fs.mkdtempSync(join(tmpdir(), "remora-race-"));
  const isolation = openIsolation("worker", { threadsMax: 4 });
  const sandbox = sandboxImports({
    plugin: "racing",
    grants: [{ capability: "wasi.base" }, { capability: "fs.private" }],
    audit: { write: () => {} },
    log: { write: () => {} },
    nowMs: Date.now,
    privateFolder,
    limits: { fileBytesMax: 17_500 },
  });
  try {
    const guests = await Promise.all(
      Array.from({ length: 4 }, () =>
        isolation.instantiate(guest, {
          limits: { ...defaultLimits, deadlineMs: 20_000 },
          imports: (access) => sandbox.forInstance(access).hostImports(guest.imports),
        }),
      ),
    );
    const kept = await Promise.all(
      guests.map(async (one, index) => Number((await one.call("fill", [65 + index])).result)),
    );
    const data = join(privateFolder, "data");
    const bytes = fs.readdirSync(data).reduce((sum, name) => sum + fs.statSync(join(data, name)).size, 0);
    assert.equal(bytes, 17_000);
    assert.equal(
      kept.reduce((sum, count) => sum + count, 0),
      17,
    );
    assert.equal(sandbox.usage()[0]?.bytesUsed, 17_000);
  } finally {
    sandbox.close();
    await isolation.close();
    fs.rmSync(privateFolder, { recursive: true });
  }
});
