/**
 * A program in JavaScript: componentize-qjs puts QuickJS and the source into one component, which imports WASI 0.2 for
 * itself. The tool weighs 38 MB, so that it is installed by the run that wants it, from its lock file.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { defaultLimits, openArtifact } from "remora/engine";
import { auditLog, deterministic, sandboxImports } from "remora/sandbox";

const folder = join(import.meta.dirname, "javascript");

interface Componentizer {
  componentize(options: Record<string, unknown>): Promise<{ component: Uint8Array }>;
}

/** Runs it. Rejects when it does not do what it should, or with `missing` where the tool cannot be had. */
export async function checkJavaScript(): Promise<{ readonly missing: string } | undefined> {
  const component = await built();
  if ("missing" in component) return component;
  const wallNs = 1_735_689_600_000_000_000n;
  const mode = deterministic({ wallNs, seed: "javascript" });
  const grants = [
    { capability: "wasi.base" },
    { capability: "clock.read" },
    { capability: "random.read" },
  ] as const;
  using sandbox = sandboxImports({
    plugin: "javascript",
    grants,
    audit: auditLog(),
    log: { write: () => {} },
    nowMs: Date.now,
    ...mode.sandbox,
  });
  const artifact = openArtifact(component.bytes, { plugin: "javascript", ...mode.artifact });
  using instance = artifact.instantiate({
    limits: { ...defaultLimits, fuelMax: 1_000_000_000, deadlineMs: 60_000 },
    imports: (guest) => sandbox.forInstance(guest).hostImports(artifact.imports),
  });
  const { run } = instance.exports as { run(steps: number): string }; // the world beside the program
  const seen: unknown = JSON.parse(run(10));
  const text = "ÜNÏCODE ☃";
  assert.deepEqual(seen, { now: Number(wallNs / 1_000_000n), isRandom: true, text, sorted: "1,2,3" });
  return undefined;
}

async function built(): Promise<{ readonly bytes: Uint8Array } | { readonly missing: string }> {
  try {
    if (!existsSync(join(folder, "node_modules/componentize-qjs"))) {
      execFileSync("npm", ["ci", "--ignore-scripts"], { cwd: folder, stdio: "pipe", timeout: 240_000 });
    }
    const { resolve } = createRequire(join(folder, "package.json"));
    const tool: Componentizer = await import(pathToFileURL(resolve("componentize-qjs")).href);
    const { component } = await tool.componentize({
      witPath: join(folder, "world.wit"),
      jsSource: readFileSync(join(folder, "program.js"), "utf8"),
      world: "script",
      stubWasi: false,
      sync: true,
    });
    return { bytes: new Uint8Array(component) };
  } catch (error) {
    // No registry, or no binding for this platform: the run says so, and the others count without it.
    return { missing: (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "" };
  }
}
