/** What a tidy rule found, and how a test shows it: where, what, why, and what to do instead. */

import assert from "node:assert/strict";

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly what: string;
  readonly why: string;
  readonly instead: string;
}

export function describeFinding(finding: Finding): string {
  const { file, line, what, why, instead } = finding;
  return `${file}:${line}: ${what}, ${why}; ${instead}`;
}

/** Fails with one line a finding. */
export function expectTidy(findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  assert.fail(`${findings.length} to tidy:\n${findings.map(describeFinding).join("\n")}`);
}

/** For the tests of the rules: exactly these places, as `file:line`. */
export function expectFound(findings: readonly Finding[], places: readonly string[]): void {
  assert.deepEqual(
    findings.map(({ file, line }) => `${file}:${line}`),
    places,
    findings.map(describeFinding).join("\n"),
  );
}
