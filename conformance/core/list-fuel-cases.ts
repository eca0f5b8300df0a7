/** `node conformance/core/list-fuel-cases.ts FOLDER`: writes the cases as files, for `record-fuel.py`. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fuelCases } from "./fuel-cases.ts";

const [folder = "."] = process.argv.slice(2);
const cases = await fuelCases();
for (const [index, { module, caller }] of cases.entries()) {
  writeFileSync(join(folder, `${index}.module.wasm`), module);
  writeFileSync(join(folder, `${index}.caller.wasm`), caller);
}
writeFileSync(join(folder, "cases.json"), JSON.stringify(cases.map(({ name, calls }) => ({ name, calls }))));
