import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { CompileCache, compileRequest } from "../engine/compile-cache.ts";
import { RewriteFolder } from "./rewrite-folder.ts";

test("a second process finds what the first one rewrote, and no drafts are left", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "remora-rewrites-")), "cache");
  try {
    const module = await parse('(module (func (export "f") (result i32) (i32.const 7)))');
    const request = compileRequest("plugin", {
      mode: "fuel",
      profile: "default",
      memoryPagesMax: 1,
      tableElementsMax: 1,
      stack: true,
    });
    const cache = new CompileCache({ store: new RewriteFolder(folder) });
    const first = cache.compile(module, request);
    await cache.settled();
    assert.equal(readdirSync(folder).length, 1);
    const never = () => assert.fail("rewritten again");
    const second = new CompileCache({ rewrite: never, store: new RewriteFolder(folder) }).compile(
      module,
      request,
    );
    assert.deepEqual(second.facts, first.facts);
  } finally {
    rmSync(join(folder, ".."), { recursive: true });
  }
});

test("what is not there is undefined, and a file that cannot be written leaves nothing behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "remora-rewrites-"));
  try {
    const store = new RewriteFolder(folder);
    assert.equal(store.read("0-1"), undefined);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "");
    await assert.rejects(store.write("0-1", [new Uint8Array(3)]));
    rmSync(folder);
    const again = new RewriteFolder(folder);
    await again.write("0-1", [Uint8Array.of(1, 2), Uint8Array.of(3)]);
    assert.deepEqual(Array.from(again.read("0-1") ?? []), [1, 2, 3]);
    assert.equal(readdirSync(folder).length, 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
