import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { componentWit } from "@bytecodealliance/jco-transpile/wasm-tools";
import { load } from "remora/engine";
import { buildComponent } from "../sdk/assemblyscript/build.ts";
import { CompileError } from "../sdk/compile-error.ts";
import { buildExamples, componentPath, examplePlugins } from "./build.ts";
import { hostileGuests } from "./tak/hostile/guests.ts";
import type { Functions } from "./tak/running-plugin.ts";

const witFolder = join(dirname(import.meta.dirname), "worlds/tak/0.1.0");

test("a second run has nothing to build", async () => {
  await buildExamples();
  assert.deepEqual((await buildExamples()).built, []);
});

test("the same sources give the same bytes", async () => {
  await buildExamples();
  const before = await readFile(componentPath("tak/geofence-lazy"));
  const entry = join(import.meta.dirname, "tak/geofence-lazy/assembly/index.ts");
  const again = await buildComponent({ entry, world: "remora:tak/lazy-filter@0.1.0", witFolder });
  assert.ok(before.equals(again));
});

test("every hostile guest is a component of its world", async () => {
  await buildExamples();
  for (const [name, guest] of Object.entries(hostileGuests)) {
    const path = join(import.meta.dirname, "tak/hostile/build", `${name}.wasm`);
    const wit = await componentWit(await readFile(path));
    const [, iface = ""] = /"([^"#]+)#/.exec(guest.text) ?? [];
    assert.ok(wit.includes(`export ${iface};`), `${name}: ${wit}`);
  }
});

test("an editor's TypeScript understands the plugins in AssemblyScript", () => {
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
    "bin/tsc",
  );
  for (const { folder, entry } of examplePlugins.filter((plugin) => plugin.entry.startsWith("assembly/"))) {
    const project = join(import.meta.dirname, folder, dirname(entry));
    const { stdout } = spawnSync(process.execPath, [compiler, "--noEmit", "-p", project], {
      encoding: "utf8",
    });
    assert.equal(stdout, "", folder);
  }
});

test("a plugin that does not compile is refused with its file and line", async () => {
  await withPlugin("export function evaluate(): Sparrow { return 1; }", async (entry) => {
    await assert.rejects(
      buildComponent({ entry, world: "remora:tak/lazy-filter@0.1.0", witFolder }),
      (error) => error instanceof CompileError && /Sparrow[\s\S]*plugin\.ts\(1,29\)/.test(error.message),
    );
  });
});

test("a plugin that lacks a function of its world is refused by the function's name", async () => {
  const source = `import { FilterResult, LazyMessage } from "remora/tak";
    export function evaluate(message: LazyMessage): FilterResult { return FilterResult.Pass; }
    export function describe(): string { return ""; }`;
  await withPlugin(source, async (entry) => {
    await assert.rejects(
      buildComponent({ entry, world: "remora:tak/lazy-filter@0.1.0", witFolder }),
      (error) => error instanceof CompileError && error.message.includes("getMetadata"),
    );
  });
});

test("a plugin may filter and transform, and remember what it has seen", async () => {
  const source = `import { CotMessage, FilterMetadata, FilterResult, TransformerMetadata } from "remora/tak";
    const seen = new Map<string, i32>();
    export function evaluate(message: CotMessage): FilterResult {
      const count = seen.has(message.uid) ? seen.get(message.uid) : 0;
      seen.set(message.uid, count + 1);
      return count < 2 ? FilterResult.Pass : FilterResult.Block;
    }
    export function describe(): string { return "Two of each, " + seen.size.toString() + " seen"; }
    export function transform(event: Uint8Array): Uint8Array { return event.slice(1); }
    export function canTransform(cotType: string): bool { return cotType == "a"; }
    export function getFilterMetadata(): FilterMetadata {
      return { id: "f", name: "", version: "", author: "", description: "", maxExecutionTimeUs: 1 };
    }
    export function getTransformerMetadata(): TransformerMetadata {
      return { id: "t", name: "", version: "", author: "", description: "", supportedTypes: ["a", "b"] };
    }`;
  await withPlugin(source, async (entry) => {
    const bytes = await buildComponent({ entry, world: "omnitak:plugin/plugin@0.1.0", witFolder });
    using instance = await load<Record<"filter" | "transformer", Functions>>(bytes);
    const { filter, transformer } = instance.exports;
    const message = (uid: string) => ({ cotType: "a", uid, lat: 0, lon: 0, time: "" });
    const decisions = ["x", "x", "y", "x"].map((uid) => filter.evaluate(message(uid)));
    assert.deepEqual(decisions, ["pass", "pass", "pass", "block"]);
    // Collected now and then, and still there: the uid is another string in each call.
    for (let index = 0; index < 20_000; index++) filter.evaluate(message(`n${index % 1000}`));
    assert.equal(filter.evaluate(message("x")), "block");
    assert.equal(filter.describe(), "Two of each, 1002 seen");
    assert.ok(instance.report.memoryPages <= 8, `${instance.report.memoryPages} pages`);
    assert.deepEqual([...transformer.transform(Uint8Array.of(1, 2, 3))], [2, 3]);
    assert.equal(transformer.canTransform("a"), true);
    assert.deepEqual(transformer.getMetadata().supportedTypes, ["a", "b"]);
  });
});

async function withPlugin(source: string, use: (entry: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "remora-plugin-"));
  try {
    const entry = join(folder, "plugin.ts");
    await writeFile(entry, source);
    await use(entry);
  } finally {
    await rm(folder, { recursive: true });
  }
}
