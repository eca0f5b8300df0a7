/**
 * The component model's own suite (`WebAssembly/component-model`, `test/`): every script, every command. What
 * does not pass is in `known.ts` with the reason; an entry there that starts to pass fails the run.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ConformanceReport } from "../main.ts";
import { type SuiteMissing, suiteFolder } from "../suites.ts";
import { known } from "./known.ts";
import { runScript } from "./script.ts";

const suite = {
  name: "component-model",
  url: "https://github.com/WebAssembly/component-model.git",
  commit: "6d281648bd89caf885a7adcc412962dbd2425ab7",
};

export async function runComponent(log: (line: string) => void): Promise<ConformanceReport | SuiteMissing> {
  const found = suiteFolder(suite);
  if ("missing" in found) return found;
  const root = join(found.folder, "test");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".wast"))
    .sort();
  const facts = { files: 0, filesPassed: 0, assertions: 0, assertionsPassed: 0, known: [] as string[] };
  const wrong: string[] = [];
  for (const file of files) {
    const outcomes = await runScript(readFileSync(join(root, file), "utf8"));
    const failures = outcomes.filter((outcome) => outcome.failure !== undefined);
    facts.files++;
    facts.assertions += outcomes.length;
    facts.assertionsPassed += outcomes.length - failures.length;
    if (failures.length === 0) facts.filesPassed++;
    const expected = known.find((entry) => entry.file === file);
    if (expected !== undefined) facts.known.push(`${file}: ${expected.failures} (${expected.reason})`);
    if (failures.length < (expected?.failures ?? 0)) {
      wrong.push(
        `${file}: ${failures.length} failures, the list says ${expected?.failures}: correct the list`,
      );
    }
    if (failures.length > (expected?.failures ?? 0)) {
      for (const { line, failure } of failures) wrong.push(`${file}:${line}: ${failure}`);
    }
    log(
      `${failures.length === 0 ? "pass" : "fail"} ${file} ${outcomes.length - failures.length}/${outcomes.length}`,
    );
  }
  for (const line of wrong) log(line);
  return { facts: { ...facts, unexpected: wrong.length }, isGood: wrong.length === 0 };
}
