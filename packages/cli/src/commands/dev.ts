/** `remora dev PATH`: a plugin while it is written: each change of its files is installed and takes over at once. */

import { Command } from "commander";
import { isRemoraError } from "remora/base";
import { errorText } from "../error-text.ts";
import { cliErrors } from "../errors.ts";
import { happeningLine } from "../happening-text.ts";
import { type FolderOptions, folderOption, type House, type OpenHouse, withHouse } from "../house.ts";
import { pathSource } from "../install-source.ts";
import { forOption, jsonOption } from "../options.ts";
import { changeText } from "../plugin-text.ts";
import type { System } from "../system.ts";
import { untilStopped } from "../until-stopped.ts";

interface DevOptions extends FolderOptions {
  readonly for?: number;
  readonly json?: true;
}

export function devCommand(system: System, open: OpenHouse): Command {
  return new Command("dev")
    .description("Run a plugin while you write it: each change of its files takes over at once.")
    .argument("<path>", "a plugin's folder, or a bundle that your build makes")
    .addOption(folderOption())
    .addOption(forOption())
    .addOption(jsonOption("print one JSON object a line"))
    .addHelpText(
      "after",
      `
It need not be signed, and gets what it asks for: it is yours. State is handed over when it exports that. A version
that cannot take over is told, and the one before goes on. When a program runs the plugins of the folder, they change
there, under that program's policy; otherwise this command is that program for others: remora logs, remora top.

Example:
  remora dev ./geofence`,
    )
    .action(async (path: string, options: DevOptions) => {
      await withHouse(system, open, { ...options, use: "develop", mayBeNew: true }, (house) =>
        untilStopped(system, options.for, (signal) =>
          develop(system, house, { path, signal, json: options.json }),
        ),
      );
    });
}

interface Developing {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly json: true | undefined;
}

async function develop(system: System, house: House, { path, signal, json }: Developing): Promise<void> {
  const take = async () => {
    const change = await house.install(await pathSource(system, path));
    if (change.held !== null) await house.accept(change.held);
    system.out.write(json ? `${JSON.stringify({ kind: "taken", ...change })}\n` : changeText(change));
  };
  const tell = (error: unknown) => {
    if (!isRemoraError(error)) throw error;
    system.err.write(errorText(error));
  };
  const unwatched = (error: unknown) => {
    if (!(error instanceof Error && "errno" in error && "code" in error)) throw error;
    return cliErrors["cannot-read"]({ file: path, reason: `it cannot be watched: ${error.code}` }, error);
  };
  // The first one must work: there is nothing before it that could go on.
  await take();
  const stop = await system
    .watch(
      path,
      () => take().catch(tell),
      (error) => tell(unwatched(error)),
    )
    .catch((error: unknown) => {
      throw unwatched(error);
    });
  try {
    for await (const happening of house.follow({ metrics: false, signal })) {
      const line = json ? JSON.stringify(happening) : happeningLine(happening);
      if (line !== undefined) system.out.write(`${line}\n`);
    }
  } finally {
    stop();
  }
}
