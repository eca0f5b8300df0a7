/** What takes long shows how far it is: on a terminal, and not where a program reads. */

import type { System } from "./system.ts";

export interface Task {
  readonly title: string;
  readonly run: () => Promise<void>;
}

export interface TaskOptions {
  readonly json?: true;
  /** Those behind one that failed are run as well. */
  readonly goesOn?: true;
}

/** Runs them one after the other, and ends with the first that fails unless it goes on. @returns What they failed with */
export async function runTasks(
  system: System,
  tasks: readonly Task[],
  { json, goesOn }: TaskOptions,
): Promise<readonly unknown[]> {
  const failures: unknown[] = [];
  const noted = tasks.map(({ title, run }) => ({
    title,
    task: () =>
      run().catch((error: unknown) => {
        failures.push(error);
        throw error;
      }),
  }));
  const stops = () => failures.length > 0 && !goesOn;
  if (json || !system.err.isTerminal) {
    // What it failed with is noted.
    for (const { task } of noted) if (!stops()) await task().catch(() => {});
    return failures;
  }
  // Loaded where somebody sees it.
  const { Listr } = await import("listr2");
  const list = new Listr(noted, {
    exitOnError: !goesOn,
    rendererOptions: { collapseErrors: false, showErrorMessage: false },
  });
  await list.run().catch((error: unknown) => {
    if (failures.length === 0) throw error;
  });
  return failures;
}
