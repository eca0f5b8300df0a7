/**
 * WebAssembly/wasi-testsuite: its preview 1 programs, built by others from C, Rust and AssemblyScript. Each runs in a
 * copy of its folder, and must end and print as its specification says (doc/specification.md of the suite). Beside them
 * programs of our own, for preview 2.
 */

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConformanceReport } from "../main.ts";
import { type Suite, type SuiteMissing, suiteFolder } from "../suites.ts";
import { checkJavaScript } from "./javascript.ts";
import { known } from "./known.ts";
import { builtFolder, builtName, builtPrograms, checkProgram } from "./own/programs.ts";
import { type ProgramOutcome, runProgram } from "./program.ts";

const suite: Suite = {
  name: "wasi-testsuite",
  url: "https://github.com/WebAssembly/wasi-testsuite.git",
  // prod/testsuite-base, 2026-08-18
  commit: "9f80ca35444cfd9e63100725615140a346652e6c",
};

const languages = ["assemblyscript", "c", "rust"];

/** A program's specification, with the defaults of the suite. */
interface Specification {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly root: string | null;
  readonly exit_code: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

const plainSpecification: Specification = { args: [], env: {}, root: null, exit_code: 0 };

/** What is wrong with each program, or nothing, by its name. */
type Outcomes = ReadonlyMap<string, string | undefined>;

export async function runWasi(log: (line: string) => void): Promise<ConformanceReport | SuiteMissing> {
  const found = suiteFolder(suite);
  if ("missing" in found) return found;
  const groups: Record<string, Outcomes> = { own: await runOwn(), javascript: await runJavaScript(log) };
  for (const language of languages) groups[language] = await runLanguage(found.folder, language);
  const outcomes = new Map(Object.values(groups).flatMap((group) => [...group]));
  for (const [program, wrong] of outcomes) if (wrong !== undefined) log(`${program}: ${wrong}`);
  const isKnown = new Set(known.map(({ program }) => program));
  const passing = known.filter(({ program }) => outcomes.get(program) === undefined);
  for (const { program } of passing) log(`${program}: known to fail, and does not any more`);
  const unexpected = [...outcomes].filter(([program, wrong]) => wrong !== undefined && !isKnown.has(program));
  const passed = passedOf(outcomes);
  const failed = outcomes.size - passed;
  const totals = Object.fromEntries(
    Object.entries(groups).map(([name, group]) => [name, { passed: passedOf(group), of: group.size }]),
  );
  return {
    facts: { passed, failed, known, passing, totals },
    isGood: unexpected.length === 0 && passing.length === 0,
  };
}

function passedOf(outcomes: Outcomes): number {
  return [...outcomes.values()].filter((wrong) => wrong === undefined).length;
}

async function runLanguage(suitePath: string, language: string): Promise<Outcomes> {
  const folder = join(suitePath, "tests", language, "testsuite/wasm32-wasip1");
  const files = readdirSync(folder).filter((name) => name.endsWith(".wasm"));
  const outcomes = new Map<string, string | undefined>();
  for (const file of files) {
    outcomes.set(`${language}/${file.slice(0, -".wasm".length)}`, await runOne(folder, file));
  }
  return outcomes;
}

/** Our own programs for preview 2, for which the suite has none, and in C. */
async function runOwn(): Promise<Outcomes> {
  const outcomes = new Map<string, string | undefined>();
  for (const { program, preview } of builtPrograms) {
    const name = builtName(program, preview);
    const bytes = readFileSync(join(builtFolder, name));
    const wrong = await checkProgram(program, { name, preview, bytes, root: "own" }).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    outcomes.set(`own/${name}`, wrong);
  }
  return outcomes;
}

/** Where its tool cannot be had there is none, and the run says why. */
async function runJavaScript(log: (line: string) => void): Promise<Outcomes> {
  const name = "javascript/program.preview2.wasm";
  try {
    const skipped = await checkJavaScript();
    if (skipped === undefined) return new Map([[name, undefined]]);
    log(`${name}: skipped: ${skipped.missing}`);
    return new Map();
  } catch (error) {
    return new Map([[name, error instanceof Error ? error.message : String(error)]]);
  }
}

/** What is wrong, or nothing. */
async function runOne(folder: string, file: string): Promise<string | undefined> {
  const name = file.slice(0, -".wasm".length);
  const path = join(folder, `${name}.json`);
  const specification: Specification = {
    ...plainSpecification,
    // A file of the suite at its pinned commit, of the form that its documentation gives.
    ...(existsSync(path) && (JSON.parse(readFileSync(path, "utf8")) as Partial<Specification>)),
  };
  const copy = mkdtempSync(join(tmpdir(), "remora-wasi-"));
  try {
    if (specification.root !== null) {
      cpSync(join(folder, specification.root), join(copy, "root"), { recursive: true });
    }
    const outcome = await runProgram({
      name: file,
      bytes: readFileSync(join(folder, file)),
      arguments: specification.args,
      environment: specification.env,
      waiting: "blocked",
      ...(specification.root !== null && { root: { folder: join(copy, "root") } }),
    });
    return differenceOf(outcome, specification);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function differenceOf(outcome: ProgramOutcome, specification: Specification): string | undefined {
  const { exit_code: exitCode, stdout, stderr } = specification;
  if (outcome.exit !== exitCode) {
    return `ended with ${outcome.exit}, expected ${exitCode}; ${outcome.stderr.join(" | ")}`;
  }
  for (const [stream, expected] of Object.entries({ stdout, stderr })) {
    const printed = stream === "stdout" ? outcome.stdout : outcome.stderr;
    // The log has lines; what the suite expects has their ends in it.
    if (expected !== undefined && printed.join("\n") !== expected.replace(/\n$/, "")) {
      return `printed "${printed.join("\n")}" to ${stream}, expected "${expected}"`;
    }
  }
  return undefined;
}
