/** `remora update [PLUGIN...]`: the newest versions that the sources have. */

import type { ChangeView } from "@remora/admin";
import { Command, Option } from "commander";
import { consentFrom } from "../consent.ts";
import { policyOption, readPolicy } from "../consent-policy.ts";
import { type FolderOptions, folderOption, type OpenHouse, withHouse } from "../house.ts";
import { jsonOption } from "../options.ts";
import { changeText } from "../plugin-text.ts";
import { runTasks } from "../progress.ts";
import type { System } from "../system.ts";
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
than the one that runs are taken; others are installed by name, or rolled back to.

Examples:
  remora update
  remora update geofence --range ^1.2.0`,
    )
    .action(async (names: string[], options: UpdateOptions) => {
      const trust = await trustOf(system, options);
      const policy = await readPolicy(system, options.policy);
      await withHouse(system, open, { ...options, ...trust, use: "change" }, async (house) => {
        const wanted = names.length > 0 ? names : (await house.list()).map(({ name }) => name);
        const changes: { readonly change: ChangeView; readonly again: () => Promise<ChangeView> }[] = [];
        const tasks = wanted.map((name) => ({
          title: `update ${name}`,
          run: async () => {
            const again = () => house.update(name, options.range);
            changes.push({ change: await again(), again });
          },
        }));
        await runTasks(system, tasks, options);
        const done = [];
        for (const { change, again } of changes)
          done.push(await consentFrom(system, house, change, again, options, policy));
        system.out.write(
          options.json ? `${JSON.stringify({ plugins: done })}\n` : done.map(changeText).join(""),
        );
      });
    });
}
