/** Plugins by somebody who has the packages alone: everything from tarballs, in a folder that knows no repository. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { layOut } from "../../publish.ts";
import { templateNames, templates } from "./templates.ts";
import { expectAnswers } from "./testing/begun-plugin.ts";

const folder = mkdtempSync(join(tmpdir(), "remora-new-"));
const packages = [
  ...["packages/remora", "packages/telemetry", "packages/admin", "packages/cli"],
  ...["hosts/tak", "hosts/signalk"],
];

// The program as npm installed it, on the Node of the workspace.
const path = [join(folder, "node_modules/.bin"), dirname(process.execPath), process.env.PATH].join(delimiter);

function run(program: string, args: readonly string[], cwd = folder): string {
  const env = { ...process.env, PATH: path };
  return execFileSync(program, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

before(() => {
  for (const one of packages) run("npm", ["pack", layOut(one), "--pack-destination", folder]);
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const tarballs = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  assert.equal(tarballs.length, packages.length);
  run("npm", ["install", "--no-audit", "--no-fund", ...tarballs.map((name) => `./${name}`)]);
});

after(() => rmSync(folder, { recursive: true, force: true }));

const remora = (...args: readonly string[]) =>
  JSON.parse(
    run(process.execPath, [join(folder, "node_modules/@remora/cli/dist/main.js"), ...args, "--json"]),
  );

/** What the tools of each build command are found by. */
const tools: Readonly<Record<string, readonly (readonly string[])[]>> = {
  make: [
    ["make", "--version"],
    ["clang", "--version"],
    ["wasm-ld", "--version"],
  ],
  cargo: [["cargo", "--version"]],
  go: [["go", "version"]],
};

/** A reason for leaving a template out, or nothing: its compilers, and for Rust what is compiled with it. */
function missingTool(build: string, cwd: string): string | undefined {
  const program = build.split(" ").find((word) => !word.includes("=")) ?? "";
  for (const [tool = "", ...args] of tools[program] ?? []) {
    if (spawnSync(tool, args).status !== 0) return `${tool} not found`;
  }
  if (program === "go") return oldGo();
  if (program !== "cargo") return undefined;
  const [, target = ""] = /"(.+)"/.exec(readFileSync(join(cwd, ".cargo/config.toml"), "utf8")) ?? [];
  const libraries = spawnSync("rustc", ["--print", "target-libdir", "--target", target], {
    encoding: "utf8",
  });
  if (!existsSync(libraries.stdout.trim())) return `rustup target add ${target} was not run`;
  const fetched = spawnSync("cargo", ["fetch", "--target", target], { cwd, encoding: "utf8" });
  return fetched.status === 0 ? undefined : `cargo fetch: ${fetched.stderr.trim().split("\n").at(-1)}`;
}

/** Before 1.24 it exports no functions. */
function oldGo(): string | undefined {
  const { stdout } = spawnSync("go", ["version"], { encoding: "utf8" });
  const [, minor = "0"] = /go1\.(\d+)/.exec(stdout) ?? [];
  return Number(minor) < 24 ? `${stdout.trim()}, and 1.24 is the first that will do` : undefined;
}

for (const template of templateNames) {
  test(`${template} from the packed program builds, is packed and installed, and answers`, async (t) => {
    const name = template.replace("/", "-");
    remora("new", template, name);
    const { build } = templates[template];
    const missing = missingTool(build, join(folder, name));
    if (missing !== undefined) return t.skip(missing);
    // As its author types it, with the program in the path.
    run("sh", ["-c", build], join(folder, name));
    assert.equal(remora("pack", name, "-o", `${name}.bundle`).name, name);
    const { plugins } = remora("install", `${name}.bundle`, "-f", "plugins", "--trust", "unsigned", "--yes");
    assert.deepEqual([plugins[0].name, plugins[0].version, plugins[0].held], [name, "0.1.0", null]);
    const host = join(folder, `${name}-host`);
    await expectAnswers(t, { template, name, bundle: join(folder, `${name}.bundle`), folder: host });
  });
}

test("what npm installs for a TAK plugin in AssemblyScript stays below 36 MB", () => {
  const modules = join(folder, "tak-assemblyscript/node_modules");
  const paths = readdirSync(modules, { recursive: true, encoding: "utf8" });
  const sizeBytes = paths.reduce((sum, path) => sum + lstatSync(join(modules, path)).size, 0);
  assert.ok(sizeBytes < 36_000_000, `${sizeBytes} bytes`);
});

test("the contracts of all hosts come with the program", () => {
  const worlds = join(folder, "node_modules/@remora/cli/worlds");
  assert.deepEqual(readdirSync(worlds).toSorted(), ["plugin", "signalk", "tak"]);
  assert.match(remora("types", join(worlds, "tak/0.1.0"), "--world", "lazy-filter").types, /evaluate/);
});
