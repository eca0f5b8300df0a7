/** Plugins by somebody who has the packages alone: everything from tarballs, in a folder that knows no repository. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { layOut } from "../../publish.ts";
import { templateNames } from "./templates.ts";

const folder = mkdtempSync(join(tmpdir(), "remora-new-"));
const packages = [
  ...["packages/remora", "packages/telemetry", "packages/admin", "packages/cli"],
  ...["hosts/tak", "hosts/signalk"],
];

function run(program: string, args: readonly string[], cwd = folder): string {
  return execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
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

for (const template of templateNames) {
  test(`${template} from the packed program builds, is packed and is installed`, () => {
    const name = template.replace("/", "-");
    remora("new", template, name);
    run("npm", ["install", "--no-audit", "--no-fund"], join(folder, name));
    run("npm", ["run", "build"], join(folder, name));
    assert.equal(remora("pack", name, "-o", `${name}.bundle`).name, name);
    const { plugins } = remora("install", `${name}.bundle`, "-f", "plugins", "--trust", "unsigned", "--yes");
    assert.deepEqual([plugins[0].name, plugins[0].version, plugins[0].held], [name, "0.1.0", null]);
  });
}

test("the contracts of all hosts come with the program", () => {
  const worlds = join(folder, "node_modules/@remora/cli/worlds");
  assert.deepEqual(readdirSync(worlds).toSorted(), ["plugin", "signalk", "tak"]);
  assert.match(remora("types", join(worlds, "tak/0.1.0"), "--world", "lazy-filter").types, /evaluate/);
});
