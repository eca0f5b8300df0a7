/**
 * Words that belong to certain places, and what to use elsewhere. A row is a word, where it may stand, why, and
 * the replacement; the rule behind `words.test.ts` looks for it in code, not in comments and strings.
 */

import type { Finding } from "./finding.ts";
import { lineAt } from "./scan.ts";
import { isSource, root, type Tree, testFiles } from "./tree.ts";

interface Word {
  readonly word: string;
  /** Looked for in code. */
  readonly pattern?: RegExp;
  /** Looked for in comments. */
  readonly directive?: RegExp;
  /** Looked for among imports. */
  readonly module?: string;
  /** Where the rule looks at all; everywhere when it is left out. */
  readonly in?: RegExp;
  /** Where it may stand nevertheless; tests are named by `inTests`. */
  readonly except?: RegExp;
  /** It may stand in tests, and in what tests alone import. */
  readonly inTests?: true;
  readonly why: string;
  readonly instead: string;
}

const PURE = /^packages\/remora\/src\/(base|wasm|policy|component)\//;
const LIBRARY = /^(packages|hosts)\/[^/]+\/src\//;
const PROGRAMS =
  /^(packages\/cli|bench|conformance|fuzz|examples|tidy|worlds)\/|(^|\/)scripts\/|^hosts\/signalk\/src\/signalk-server\/entry\.ts$/;

export const words: readonly Word[] = [
  {
    word: "WebAssembly",
    pattern: /(?<![\w$])WebAssembly\b/g,
    except: /^(packages\/remora\/src\/engine|conformance|bench|fuzz|tidy)\//,
    inTests: true,
    why: "which only the engine may name, so that nothing runs around its meter",
    instead: "go through remora/engine, or take an abstract memory or function as a parameter",
  },
  {
    word: "process",
    pattern: /(?<![\w$.])process\s*(\.|\?\.|\[)/g,
    module: "node:process",
    in: LIBRARY,
    // Starting Node once more takes the path of this one.
    except: new RegExp(`${PROGRAMS.source}|/engine/isolation/guest-process\\.ts$`),
    inTests: true,
    why: "which belongs to the program that embeds us",
    instead: "take what you need (a clock, a folder, a signal) as a parameter",
  },
  {
    word: "console",
    pattern: /(?<![\w$.])console\s*(\.|\?\.|\[)/g,
    in: LIBRARY,
    except: PROGRAMS,
    inTests: true,
    why: "but a library writes nothing by itself",
    instead: "take a logger as a parameter",
  },
  {
    word: "Buffer",
    pattern: /(?<![\w$.])Buffer\s*\./g,
    in: PURE,
    inTests: true,
    why: "but this layer runs without Node",
    instead: "use Uint8Array and DataView",
  },
  {
    word: "Date.now",
    pattern: /(?<![\w$.])Date\s*\.\s*now\b|(?<![\w$.])new\s+Date\s*\(\s*\)/g,
    in: /^packages\/remora\/src\//,
    // The default of a parameter that tests replace, in one place.
    except: /^packages\/remora\/src\/manager\/clock\.ts$/,
    inTests: true,
    why: "which steps when the clock is set",
    instead: "take the time as a parameter; durations come from the monotonic clock in the engine",
  },
  {
    word: "Math.random",
    // Called; as the default of a parameter it is what a test replaces.
    pattern: /(?<![\w$.])Math\s*\.\s*random\s*\(/g,
    why: "so that what happens cannot be repeated",
    instead: "use a seeded generator, fast-check in tests, node:crypto where nobody may guess",
  },
  {
    word: "eval",
    // What we measure against may be made that way.
    except: /^(bench|conformance)\//,
    pattern: /(?<![\w$.])eval\s*\(|(?<![\w$.])new\s+Function\s*\(/g,
    why: "which turns data into code of the host",
    instead: "build a closure",
  },
  {
    word: "export default",
    pattern: /(?<![\w$.])export\s+default\b/g,
    except: /\.config\.ts$/,
    why: "so every importer may call it something else",
    instead: "give it its name",
  },
  {
    word: "@ts-ignore",
    directive: /\/[/*]\s*@ts-(ignore|nocheck)\b/g,
    why: "which also hides the next mistake",
    instead: "use a type that fits, or @ts-expect-error with the reason",
  },
  {
    word: "a test that does not run",
    pattern: /(?<![\w$.])(test|it|describe|suite)\s*\.\s*(only|todo|skip)\b/g,
    in: /\.test\.ts$/,
    except: /\.tools\.test\.ts$/,
    why: "and looks as if it did",
    instead: "make it run, or take it out",
  },
  {
    word: "sleep",
    pattern: /=>\s*(void\s+)?setTimeout\s*\(\s*\w+\s*,/g,
    module: "node:timers/promises",
    in: /\.test\.ts$/,
    why: "so the test is slow on a fast machine and fails on a slow one",
    instead: "wait for the event itself, or move a fake clock",
  },
  {
    word: "gas",
    pattern: /(?<![\w$])gas(?![\w$])|(?<![\w$])gas[A-Z]\w*/g,
    why: "but the glossary says fuel",
    instead: "say fuel",
  },
  {
    word: "permission",
    pattern: /(?<![\w$])(?:\w*P|p)ermissions?(?![\w$])/g,
    in: /^packages\/remora\/src\//,
    why: "but the glossary tells request, grant and denial of a capability apart",
    instead: "say which of these it is",
  },
];

export function wordFindings(tree: Tree, list: readonly Word[] = words): Finding[] {
  const findings: Finding[] = [];
  const tests = testFiles(tree);
  for (const file of tree.values()) {
    if (!isSource(file.path)) continue;
    for (const row of list) {
      if (row.inTests === true && tests.has(file.path)) continue;
      if (row.in?.test(file.path) === false || row.except?.test(file.path)) continue;
      const lines = [
        ...placesOf(row.pattern, file.code),
        ...placesOf(row.directive, file.text),
        ...file.imports.filter((one) => one.specifier === row.module).map((one) => one.line),
      ];
      const { word, why, instead } = row;
      for (const line of lines) findings.push({ file: file.path, line, what: `says ${word}`, why, instead });
    }
  }
  return findings.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
}

function placesOf(pattern: RegExp | undefined, text: string): number[] {
  if (pattern === undefined) return [];
  return [...text.matchAll(pattern)].map((match) => lineAt(text, match.index));
}

/** Paths of the machine that the files were written on. */
export function pathFindings(tree: Tree, checkout: string = root): Finding[] {
  const findings: Finding[] = [];
  const place = checkout.replaceAll("\\", "/").replace(/\/$/, "");
  if (place.split("/").length < 3) return findings;
  for (const file of tree.values()) {
    const at = file.text.indexOf(`${place}/`);
    if (at < 0) continue;
    findings.push({
      file: file.path,
      line: lineAt(file.text, at),
      what: `names ${place}`,
      why: "which is a folder of this machine alone",
      instead: "write the path relative to the repository, or to import.meta.url",
    });
  }
  return findings;
}
