/** The example plugins of the real signalk-server, compiled from their sources as their authors say. */

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suiteFolder } from "../suites.ts";

const server = {
  name: "signalk-server",
  url: "https://github.com/SignalK/signalk-server.git",
  commit: "9edfbf958eb7addb69140a605b4d21a0df249fdc",
};

/** Of an example that is not in that commit, one of a branch which has it. */
const otherCommits: Readonly<Record<string, string>> = {
  "example-event-handler-rust": "7895c4fce5155213442ca2742f3bc2c9afa02b4a",
};

/** One that is there, or why there is none. */
export type ExamplePlugin = { readonly folder: string } | { readonly missing: string };

const buildMsMax = 240_000;
const built = new Map<string, ExamplePlugin>();
let temporary: string | undefined;

/** Takes away whatever was built, when nobody runs it any more. */
export function removeExamples(): void {
  if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  temporary = undefined;
  built.clear();
}

/** Builds one of them, once. That it does not compile, though its tools are there, is a failure. */
export function examplePlugin(name: string): ExamplePlugin {
  const found = built.get(name) ?? build(name);
  built.set(name, found);
  return found;
}

function build(name: string): ExamplePlugin {
  const suite = suiteFolder({ ...server, commit: otherCommits[name] ?? server.commit });
  if ("missing" in suite) return suite;
  temporary ??= mkdtempSync(join(tmpdir(), "remora-signalk-examples-"));
  const folder = join(temporary, name);
  cpSync(join(suite.folder, "examples/wasm-plugins", name), folder, { recursive: true });
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: folder, stdio: "pipe", timeout: buildMsMax });
  const missing = name.endsWith("-rust") ? whyNoRust(run) : whyNoPackages(run);
  if (missing !== undefined) return { missing };
  run("npm", "run", "build");
  return { folder };
}

type Run = (program: string, ...args: string[]) => Buffer;

/** Without a registry there is no compiler. */
function whyNoPackages(run: Run): string | undefined {
  return whyNot(() => run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"));
}

/** What it depends on comes from a registry as well. */
function whyNoRust(run: Run): string | undefined {
  return whyNot(() => {
    const targets = String(run("rustc", "--print", "target-libdir", "--target", "wasm32-wasip1")).trim();
    run("ls", targets);
    run("cargo", "fetch", "--target", "wasm32-wasip1");
  });
}

function whyNot(prepare: () => void): string | undefined {
  try {
    prepare();
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  }
}
