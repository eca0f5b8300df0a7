/** `remora tak CONFIG`: runs the TAK host with the operator's settings. */

import { Command, Option } from "commander";
import { cliErrors } from "../errors.ts";
import { forOption, jsonOption } from "../options.ts";
import { readInput } from "../read-input.ts";
import { type Running, viewRun } from "../run-view.ts";
import type { System } from "../system.ts";

export interface RunOptions {
  readonly for?: number;
  readonly json?: true;
}

export function takCommand(system: System, start: StartTak): Command {
  return new Command("tak")
    .description("Run the TAK host: filters and transformers on a stream of Cursor-on-Target messages.")
    .argument("<config>", "a YAML file of settings")
    .addOption(forOption())
    .addOption(jsonOption("print nothing but one JSON object, at the end"))
    .addOption(
      new Option(
        "--jwt-secret <file>",
        "a secret of 32 bytes or more, by which OmniTAK signs the tokens that the admin interface accepts too",
      ),
    )
    .addHelpText(
      "after",
      `
The admin interface of its plugins, with OmniTAK's API under /api/v1, is on a free port of loopback. Its address stands
in the folder of the plugins' manager, where the other commands find it: remora list --folder .remora. Who logs in there
with a password: remora users create

Example:
  remora tak tak.yaml`,
    )
    .action(async (config: string, options: RunOptions & { readonly jwtSecret?: string }) => {
      const secret =
        options.jwtSecret === undefined ? {} : { jwtSecret: await secretIn(system, options.jwtSecret) };
      await viewRun((log, signal) => start({ config, log, signal, ...secret }), system, {
        forMs: options.for,
        isJson: options.json ?? false,
      });
    });
}

/** RFC 7518 §3.2. */
const SECRET_BYTES_MIN = 32;

/** @throws cli/cannot-read cli/bad-value */
async function secretIn(system: System, file: string): Promise<Uint8Array> {
  const bytes = await readInput(system, file, 4_096);
  // An editor puts a line's end behind what was meant.
  const secret = new TextEncoder().encode(new TextDecoder().decode(bytes).trimEnd());
  if (secret.length < SECRET_BYTES_MIN) {
    throw cliErrors["bad-value"]({
      what: `the secret in "${file}"`,
      expected: `${SECRET_BYTES_MIN} bytes or more`,
    });
  }
  return secret;
}

/** Starts a TAK host from a file of settings. */
export type StartTak = (options: {
  config: string;
  log: (line: string) => void;
  /** Ends the waiting for a command that holds the folder. */
  signal: AbortSignal;
  jwtSecret?: Uint8Array;
}) => Promise<Running>;
