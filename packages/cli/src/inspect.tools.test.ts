import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

const SOURCE = `
__attribute__((import_module("env"), import_name("now"))) double now(void);
static int total;
__attribute__((export_name("add"))) int add(int a, int b) { total += a + b; return now() > 0 ? total : 0; }
`;

test("what clang and lld emit is inspected from the command line", (t) => {
  for (const tool of ["clang", "wasm-ld"]) {
    if (spawnSync(tool, ["--version"]).error === undefined) continue;
    t.skip(`needs ${tool}, which is not installed here (Debian: apt-get install clang lld)`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "remora-inspect-"));
  try {
    const file = join(folder, "add.wasm");
    execFileSync(
      "clang",
      ["--target=wasm32", "-nostdlib", "-O2", "-Wl,--no-entry", "-x", "c", "-", "-o", file],
      {
        input: SOURCE,
      },
    );
    const json = execFileSync(process.execPath, [main, "inspect", file, "--json"], { encoding: "utf8" });
    const found = JSON.parse(json);
    assert.equal(found.kind, "module");
    assert.deepEqual(found.imports, [{ module: "env", name: "now", kind: "func", type: "(result f64)" }]);
    assert.ok(
      found.exports.some(
        (one: { name: string; type: string }) =>
          one.name === "add" && one.type === "(param i32 i32) (result i32)",
      ),
    );
    assert.ok(found.memories.length === 1 && found.memories[0].max === null);
    assert.ok(found.producers.some((line: string) => line.startsWith("processed-by: ")));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
