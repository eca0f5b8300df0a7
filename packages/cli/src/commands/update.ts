/** `remora update [PLUGIN...]`: the newest versions that the sources have. */

import { Command, Option } from "commander";
import { isRemoraError } from "remora/base";
import { harmless } from "remora/policy";
import { policyOption, readPolicy } from "../consent-policy.ts";
import { cliErrors } from "../errors.ts";
import { type FolderOptions, folderOption, type OpenHouse, withHouse } from "../house.ts";
import { jsonOption } from "../options.ts";
import { runTasks } from "../progress.ts";
import type { System } from "../system.ts";
import { type Begun, tellChanges, tellFailure } from "../tell-done.ts";
import { type TrustOptions, trustOf, trustOption } from "../trust-option.ts";
import { storeOption } from "../trust-store.ts";

interface UpdateOptions extends FolderOptions, TrustOptions {
  readonly range?: string;
  readonly yes?: true;
  readonly policy?: string;
  readonly json?: true;
}

export function updateCommand(system: System, open: OpenHouse): Command {
  return new Command("update")
    .description("Install the newest versions that the manager's sources have.")
    .argument("[plugin...]", "names (default: all)")
    .addOption(folderOption())
    .addOption(new Option("--range <range>", "of versions: ^1.2.0"))
    .addOption(new Option("-y, --yes", "give what is asked for, without a question"))
    .addOption(policyOption())
    .addOption(trustOption())
    .addOption(storeOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
A version that wants more than the one before waits until somebody consents to the difference. Only higher versions
than the one that runs are taken; others are installed by name, or rolled back to. One that fails keeps nobody from the others, and the exit code is 1; of all
plugins, those for which the sources have nothing are told and no failure.

Examples:
  remora update
  remora update geofence --range ^1.2.0`,
    )
    .action(async (names: string[], options: UpdateOptions) => {
      await checkRange(options.range);
      const trust = await trustOf(system, options);
      const policy = await readPolicy(system, options.policy);
      await withHouse(system, open, { ...options, ...trust, use: "change" }, async (house) => {
        const wanted = names.length > 0 ? names : (await house.list()).map(({ name }) => name);
        const begun: Begun[] = [];
        const tasks = wanted.map((name) => ({
          title: `update ${name}`,
          run: async () => {
            const again = () => house.update(name, options.range);
            begun.push({ change: await again(), again });
          },
        }));
        const { json } = options;
        const failed = await runTasks(system, tasks, { goesOn: true, ...(json !== undefined && { json }) });
        // Of all plugins, some came from a file, and no source has them: that is told, and nothing went wrong.
        const isMissing = (error: unknown) => names.length === 0 && isRemoraError(error, "manager/no-source");
        for (const error of failed.filter(isMissing)) tellFailure(system, error);
        const failures = failed.filter((error) => !isMissing(error));
        await tellChanges(system, house, { ...options, begun, failures, policy });
      });
    });
}

/** @throws cli/bad-value */
async function checkRange(range: string | undefined): Promise<void> {
  if (range === undefined) return;
  // Loaded when it is wanted: most commands have no range.
  const { default: semver } = await import("semver");
  if (semver.validRange(range) !== null) return;
  throw cliErrors["bad-value"]({
    what: `the range "${harmless(range)}"`,
    expected: "one of versions, for example ^1.2.0",
  });
}
