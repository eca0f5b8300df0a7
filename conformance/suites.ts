/**
 * Public test suites by pinned commit. `REMORA_SUITES` may name local git repositories to take them from, separated
 * as in PATH (bare ones too); else they come from their public address.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface Suite {
  /** Also the folder under `conformance/suites/`. */
  readonly name: string;
  readonly url: string;
  readonly commit: string;
}

/** The suite cannot be had here: a sentence that says why. */
export interface SuiteMissing {
  readonly missing: string;
}

const suitesFolder = join(import.meta.dirname, "suites");

/** The folder that holds the suite's files, fetched now if it is not there yet. */
export function suiteFolder(suite: Suite): { readonly folder: string } | SuiteMissing {
  const folder = join(suitesFolder, `${suite.name}-${suite.commit.slice(0, 12)}`);
  if (existsSync(folder)) return { folder };
  const sources = [...(process.env.REMORA_SUITES ?? "").split(delimiter).filter(Boolean), suite.url];
  const reasons: string[] = [];
  for (const source of sources) {
    const draft = `${folder}.${process.pid}`;
    try {
      mkdirSync(draft, { recursive: true });
      const git = (...args: string[]) =>
        execFileSync("git", args, { cwd: draft, stdio: "pipe", timeout: 300_000 });
      git("init", "--quiet");
      git("-c", "uploadpack.allowAnySHA1InWant=true", "fetch", "--quiet", "--depth=1", source, suite.commit);
      git("-c", "advice.detachedHead=false", "checkout", "--quiet", "FETCH_HEAD");
      rmSync(join(draft, ".git"), { recursive: true });
      renameSync(draft, folder);
      return { folder };
    } catch (error) {
      // The next source may have it; why this one did not is told when none has.
      reasons.push(`${source}: ${(error instanceof Error ? error.message : String(error)).split("\n")[0]}`);
      rmSync(draft, { recursive: true, force: true });
    }
  }
  return { missing: `The suite "${suite.name}" at ${suite.commit} cannot be fetched: ${reasons.join("; ")}` };
}
