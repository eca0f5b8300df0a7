/** `remora install REF...`: new plugins, or other versions of those that are there. */

import type { InstallSource } from "@remora/admin";
import { Command, Option } from "commander";
import { policyOption, readPolicy } from "../consent-policy.ts";
import { type FolderOptions, folderOption, type OpenHouse, withHouse } from "../house.ts";
import { installSource } from "../install-source.ts";
import { jsonOption } from "../options.ts";
import { runTasks } from "../progress.ts";
import type { System } from "../system.ts";
import { type Begun, tellChanges } from "../tell-done.ts";
import { type TrustOptions, trustOf, trustOption } from "../trust-option.ts";
import { storeOption } from "../trust-store.ts";

interface InstallOptions extends FolderOptions, TrustOptions {
  readonly disabled?: true;
  readonly yes?: true;
  readonly policy?: string;
  readonly json?: true;
}

export function installCommand(system: System, open: OpenHouse): Command {
  return new Command("install")
    .description("Install plugins, or other versions of those that are installed.")
    .argument("<ref...>", "a bundle, a plugin's folder, or a name with or without a range: geofence@^1.2.0")
    .addOption(folderOption())
    .addOption(new Option("-y, --yes", "give what is asked for, without a question"))
    .addOption(policyOption())
    .addOption(new Option("--disabled", "keep it, and do not run it yet"))
    .addOption(trustOption())
    .addOption(storeOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
What a plugin wants is asked item by item. Where nobody can answer, the version waits: see "remora grants".
When a program runs the plugins of the folder, it installs them while it serves.

Examples:
  remora install geofence.bundle
  remora install ./geofence --trust unsigned
  remora install geofence@^1.2.0 --yes --json`,
    )
    .action(async (refs: string[], options: InstallOptions) => {
      const trust = await trustOf(system, options);
      const policy = await readPolicy(system, options.policy);
      await withHouse(
        system,
        open,
        { ...options, ...trust, use: "change", mayBeNew: true },
        async (house) => {
          const begun: Begun[] = [];
          let source: InstallSource | undefined;
          const isEnabled = options.disabled === undefined ? {} : { isEnabled: false };
          const failures = await runTasks(
            system,
            refs.flatMap((ref) => [
              {
                title: `read ${ref}`,
                run: async () => {
                  source = await installSource(system, ref);
                },
              },
              {
                title: `install ${ref}`,
                run: async () => {
                  if (source === undefined) return;
                  const from = source;
                  const again = () => house.install(from, isEnabled);
                  begun.push({ change: await again(), again });
                },
              },
            ]),
            options,
          );
          await tellChanges(system, house, { ...options, begun, failures, policy });
        },
      );
    });
}
