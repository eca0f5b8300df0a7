/**
 * The core package as whoever installs it has it: packed, its declarations under the strictest options, its programs from the
 * documents typed and run against what was compiled.
 */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { buildExamples } from "../examples/build.ts";
import { layOut } from "../packages/publish.ts";
import { fencedBlocks, printedBy } from "./documents.ts";
import { readTree, root } from "./tree.ts";

// Inside of the repository: what the package depends on is found above it, and the package itself first.
const folder = join(root, ".cache/published");

/** Programs of the documents that need nothing but the core package. */
const programs = [...readTree().values()]
  .filter(({ path }) => path === "README.md" || /^docs\/[^/]+\.md$/.test(path))
  .flatMap(({ path, text }) => fencedBlocks(text, "ts").map((block) => ({ path, ...block })))
  .filter(({ text }) => !/from "@/.test(text));

const fileOf = ({ path, line }: { readonly path: string; readonly line: number }) =>
  join(folder, `${path.replaceAll(/[^a-z-]/gi, "-")}-${line}.ts`);

before(() => {
  buildExamples();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const packed = layOut("packages/remora");
  execFileSync("npm", ["pack", packed, "--pack-destination", folder], { cwd: folder, stdio: "pipe" });
  const target = join(folder, "node_modules/remora");
  mkdirSync(target, { recursive: true });
  const archive = join(folder, "remora-0.1.0.tgz");
  execFileSync("tar", ["-xzf", archive, "-C", target, "--strip-components", "1"]);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  for (const program of programs) writeFileSync(fileOf(program), program.text);
});

for (const [module, resolution] of [
  ["nodenext", "nodenext"],
  ["esnext", "bundler"],
] as const) {
  test(`its types, and the programs of the documents, are right under the strictest options and "${resolution}"`, () => {
    assert.ok(programs.length > 5);
    const options = [
      "strict",
      "exactOptionalPropertyTypes",
      "noUncheckedIndexedAccess",
      "verbatimModuleSyntax",
    ];
    const { stdout, status } = spawnSync(
      process.execPath,
      [
        ...[
          join(root, "node_modules/typescript/bin/tsc"),
          "--ignoreConfig",
          "--noEmit",
          "--skipLibCheck",
          "false",
        ],
        ...["--target", "es2024", "--lib", "esnext", "--module", module, "--moduleResolution", resolution],
        ...["--types", "node", ...options.map((option) => `--${option}`), ...programs.map(fileOf)],
      ],
      { cwd: folder, encoding: "utf8" },
    );
    assert.equal(stdout, "");
    assert.equal(status, 0);
  });
}

test("what only tests use is not in it", () => {
  const paths = readdirSync(join(folder, "node_modules/remora/dist"), { recursive: true, encoding: "utf8" });
  assert.deepEqual(
    paths.filter((path) => /\btesting\b|\.test\./.test(path)),
    [],
  );
});

test("its compiled code does what its sources do", () => {
  const [first] = programs;
  assert.ok(first);
  const out = execFileSync(process.execPath, [fileOf(first)], { cwd: root, encoding: "utf8" });
  assert.deepEqual(out.split("\n").slice(0, -1), printedBy(first.text));
});
