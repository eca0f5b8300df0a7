/**
 * `node bench/manager/start.ts FOLDER COUNT [prepare]`: the TAK host with so many plugins in its manager's folder; prints how many
 * milliseconds after the start of the process it was ready. With `prepare` they are installed first.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runTak } from "@remora/tak";
import { packBundle } from "remora/bundle";
import { buildExamples, componentPath } from "../../examples/build.ts";

const [, , folder = "", count = "0", prepares] = process.argv;
const names = Array.from({ length: Number(count) }, (_, index) => `geofence-${index}`);

if (prepares !== undefined) {
  await buildExamples();
  mkdirSync(folder, { recursive: true });
  const module = readFileSync(componentPath("tak/geofence-lazy"));
  for (const [index, name] of names.entries()) {
    // A custom section of a name of its own, so that no two of them are the same module.
    const section = Uint8Array.of(0, 5, 4, 105, 100, 48 + Math.floor(index / 10), 48 + (index % 10));
    writeFileSync(join(folder, `${name}.bundle`), bundle(name, Buffer.concat([module, section])));
  }
  const filters = names.map((name) => `    - { id: ${name}, path: ${name}.bundle }`);
  const plugins = names.length === 0 ? "" : `\n  filters:\n${filters.join("\n")}`;
  writeFileSync(join(folder, "tak.yaml"), `plugins:\n  plugin_dir: .\n  manager_folder: state${plugins}\n`);
}

const running = await runTak({ configFile: join(folder, "tak.yaml"), log: () => {} });
console.log(performance.now());
await running.close();

function bundle(name: string, module: Uint8Array): Uint8Array {
  const manifest = `name = "${name}"
version = "1.0.0"
authors = ["The Remora authors"]
licence = "Apache-2.0"
[host]
name = "tak"
version = "^0.1.0"
[[artifacts]]
file = "plugin.wasm"
world = "remora:tak/lazy-filter@0.1.0"
`;
  return packBundle(
    new Map([
      ["remora.toml", new TextEncoder().encode(manifest)],
      ["plugin.wasm", module],
    ]),
  );
}
