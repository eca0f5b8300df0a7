/** `remora serve`: runs the plugins of a folder, and their admin interface. */

import { Command, Option } from "commander";
import type { TrustRule, TrustStore } from "remora/bundle";
import { type ConsentPolicy, policyOption, readPolicy } from "../consent-policy.ts";
import { cliErrors } from "../errors.ts";
import { type FolderOptions, folderMade, folderOption, waitLine } from "../house.ts";
import { forOption, jsonOption, portOption } from "../options.ts";
import { hasFolder } from "../read-input.ts";
import type { System } from "../system.ts";
import { type TrustOptions, trustOf, trustOption } from "../trust-option.ts";
import { storeOption } from "../trust-store.ts";
import { untilStopped } from "../until-stopped.ts";

/** Runs the plugins of a folder until it is closed. */
export type Serve = (options: {
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly hosts: readonly string[];
  readonly trust?: TrustRule;
  readonly keys?: TrustStore;
  /** Answers for consent; else whatever wants more waits for an admin. */
  readonly consent?: ConsentPolicy;
  readonly hostPackages: readonly string[];
  readonly sources: readonly string[];
  readonly log: (line: string) => void;
  /** Told when a command holds the folder, before it is waited for. */
  readonly onWait: () => void;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}) => Promise<{ readonly address: string; close(): Promise<void> }>;

interface ServeOptions extends FolderOptions, TrustOptions {
  readonly port: number;
  readonly address: string;
  readonly host: readonly string[];
  readonly source: readonly string[];
  readonly policy?: string;
  readonly for?: number;
  readonly json?: true;
}

/** Where the admin interface is, unless that is taken or told otherwise. */
const ADMIN_PORT = 7411;

export function serveCommand(system: System, serve: Serve): Command {
  return new Command("serve")
    .description("Run the plugins of a folder, and their admin interface over HTTP.")
    .addOption(folderOption())
    .addOption(portOption("TCP port of the admin interface; 0 takes a free one").default(ADMIN_PORT))
    .addOption(new Option("--address <address>", "to listen on").default("127.0.0.1"))
    .addOption(new Option("--host <name...>", "names under which it is known beside loopback's").default([]))
    .addOption(
      new Option("--source <folder...>", "folders with bundles, where plugins come from by name").default([]),
    )
    .addOption(policyOption())
    .addOption(trustOption())
    .addOption(storeOption())
    .addOption(forOption())
    .addOption(jsonOption("print one JSON object, when it is ready"))
    .addHelpText(
      "after",
      `
Its plugins are those of the hosts that come with this program, and of the packages that REMORA_HOSTS names.
The address and a token of its own are in FOLDER/admin/endpoint.json, which only you may read: the other commands find
it there. Tokens for others: remora tokens create. On a network, put TLS in front of it. Its page is at /docs.

Examples:
  remora serve
  remora serve --folder ./plugins --port 0 --source ./bundles --trust self-signed --policy policy.json`,
    )
    .action(async (options: ServeOptions) => {
      const { port, address, host: hosts, source: sources } = options;
      const { hostPackages } = system;
      const trust = await trustOf(system, options);
      const policy = await readPolicy(system, options.policy);
      const consent = policy === undefined ? {} : { consent: policy };
      for (const source of sources) await checkSource(system, source);
      const folder = await folderMade(system, options);
      await untilStopped(system, options.for, async (signal) => {
        const log = (line: string) => system.err.write(`${line}\n`);
        const served = await serve({
          folder,
          address,
          port,
          hosts,
          sources,
          hostPackages,
          log,
          onWait: () => log(waitLine(folder)),
          signal,
          ...trust,
          ...consent,
        });
        try {
          const ready = options.json
            ? JSON.stringify({ folder, address: served.address })
            : `plugins of ${folder}; admin interface at ${served.address}, its page at ${served.address}/docs`;
          system.out.write(`${ready}\n`);
          await aborted(signal);
        } finally {
          await served.close();
        }
      });
    });
}

/** One that is not there was mistyped, and would be an error of each plugin that is asked for. */
async function checkSource(system: System, folder: string): Promise<void> {
  if (await hasFolder(system, folder)) return;
  throw cliErrors["cannot-read"]({ file: folder, reason: "there is no such folder" });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
