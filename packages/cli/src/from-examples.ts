/** The demonstrations' own programs: they stand in the repository, beside the packages, and build what is shown. */

import { pathToFileURL } from "node:url";
import { cliErrors } from "./errors.ts";

export interface BuildReport {
  readonly built: readonly string[];
  readonly skipped: readonly { readonly folder: string; readonly reason: string }[];
}

/**
 * Loads a program of the examples, by its path: they are no package.
 *
 * @throws cli/no-examples an installed program has none
 */
export async function fromExamples<Program>(exampleFolder: string, file: string): Promise<Program> {
  try {
    return (await import(pathToFileURL(`${exampleFolder}${file}`).href)) as Program;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND") {
      throw cliErrors["no-examples"]({ path: exampleFolder }, cause);
    }
    throw cause;
  }
}

export function logBuild({ built, skipped }: BuildReport, log: (line: string) => void): void {
  if (built.length > 0) log(`built ${built.join(", ")}`);
  for (const { folder, reason } of skipped) log(`left out ${folder}: ${reason}`);
}
