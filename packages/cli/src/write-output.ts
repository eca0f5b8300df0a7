/** Writes a file that the operator named. */

import type { RemoraError } from "remora/base";
import { cliErrors } from "./errors.ts";
import { leadingTo } from "./read-input.ts";
import type { System, WriteMode } from "./system.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "its folder is not there",
  EACCES: "this account may not write there",
  EPERM: "this account may not write there",
  EROFS: "the file system cannot be written to",
  EISDIR: "it is a folder",
  ENOTDIR: "what it should lie in is no folder",
  ENOSPC: "the disk is full",
  EDQUOT: "the quota of the disk is used up",
  EBUSY: "another command is writing it",
  EEXIST: "it is there already; take another name, or remove it first",
};

/** @throws cli/cannot-write the file system refuses; what was there is still there */
export async function writeOutput(
  system: System,
  file: string,
  bytes: Uint8Array,
  how: WriteMode = "replace",
): Promise<void> {
  await system.writeFile(file, bytes, how).catch(refuse(file));
}

/**
 * Refuses to write over what the output is made of, by whatever link it was named.
 *
 * @throws cli/cannot-write cli/cannot-read
 */
export async function checkOutput(system: System, file: string, madeOf: readonly string[]): Promise<void> {
  const target = await system.targetOf(file).catch(refuse(file));
  for (const one of madeOf) {
    if ((await leadingTo(system, one)) !== target) continue;
    throw cliErrors["cannot-write"]({
      file,
      reason: "what is to be written there is made of it; take another name",
    });
  }
}

/**
 * Does what reads a file and writes it again, while no other command does.
 *
 * @throws cli/cannot-write the file system refuses, or another command does not come to its end
 */
export async function alone<Done>(system: System, file: string, work: () => Promise<Done>): Promise<Done> {
  const done = Promise.withResolvers<Done>();
  // What the work fails at has its own words.
  await system.alone(file, () => work().then(done.resolve, done.reject)).catch(refuse(file));
  return done.promise;
}

/** @param how As `System.makeFolder` has it. @throws cli/cannot-write */
export async function makeFolder(system: System, folder: string, how?: "secret"): Promise<void> {
  await system.makeFolder(folder, how).catch(refuse(folder, { ENOENT: "no folder can be made there" }));
}

/** What the output of the program could not be written for, as `Output.failure` has it. */
export function outputRefused(code: string): RemoraError {
  return cliErrors["cannot-write"]({ file: "standard output", reason: REASONS[code] ?? code });
}

function refuse(file: string, reasons: typeof REASONS = {}): (error: unknown) => never {
  return (error) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw cliErrors["cannot-write"]({ file, reason: reasons[code] ?? REASONS[code] ?? code }, error);
  };
}
