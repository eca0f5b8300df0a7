/** What takes long shows how far it is: on a terminal, and not where a program reads. */

import type { System } from "./system.ts";

export interface Task {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/** Runs them one after the other; the first that fails ends it with its error. */
export async function runTasks(
  system: System,
  tasks: readonly Task[],
  { json }: { readonly json?: true },
): Promise<void> {
  if (json || !system.err.isTerminal) {
    for (const task of tasks) await task.run();
    return;
  }
  // Loaded where somebody sees it.
  const { Listr } = await import("listr2");
  await new Listr(
    tasks.map(({ title, run }) => ({ title, task: run })),
    { rendererOptions: { collapseErrors: false, showErrorMessage: false } },
  ).run();
}
