/** The program's shape: its commands, its help, and what its exit codes mean. */

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { isRemoraError } from "remora/base";
import { auditCommand } from "./commands/audit.ts";
import { completionCommand } from "./commands/completion.ts";
import { demoCommand, type StartDemo } from "./commands/demo.ts";
import { devCommand } from "./commands/dev.ts";
import { grantsCommand } from "./commands/grants.ts";
import { infoCommand } from "./commands/info.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { installCommand } from "./commands/install.ts";
import { keysCommand } from "./commands/keys.ts";
import { listCommand } from "./commands/list.ts";
import { logsCommand } from "./commands/logs.ts";
import { newCommand } from "./commands/new.ts";
import { packCommand } from "./commands/pack.ts";
import { removeCommand } from "./commands/remove.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { type Serve, serveCommand } from "./commands/serve.ts";
import { signCommand } from "./commands/sign.ts";
import { switchCommands } from "./commands/switches.ts";
import { type StartTak, takCommand } from "./commands/tak.ts";
import { tokensCommand } from "./commands/tokens.ts";
import { topCommand } from "./commands/top.ts";
import { typesCommand } from "./commands/types.ts";
import { updateCommand } from "./commands/update.ts";
import { usersCommand } from "./commands/users.ts";
import { verifyCommand } from "./commands/verify.ts";
import { witCommand } from "./commands/wit.ts";
import { wrapCommand } from "./commands/wrap.ts";
import { errorText } from "./error-text.ts";
import type { OpenHouse } from "./house.ts";
import type { System } from "./system.ts";
import { outputRefused } from "./write-output.ts";

/** 0: done. 1: it could not be done, and a coded error says why. 2: the command line was not understood. */
export type ExitCode = 0 | 1 | 2;

/** The hosts that the program can run, and the plugins that it can reach. */
export interface Hosts {
  readonly openHouse: OpenHouse;
  readonly serve: Serve;
  readonly startTak: StartTak;
  readonly startDemo: StartDemo;
}

/** All commands, on a machine. */
export function buildProgram(system: System, hosts: Hosts): Command {
  const program = new Command("remora")
    .description("WebAssembly plugins by strangers: look into them, and run them within limits that hold.")
    .version(version(), "--version", "print which version this is")
    .addHelpText("after", "\nExit codes: 0 done, 1 a coded error, 2 a usage error.");
  program.addCommand(inspectCommand(system));
  program.addCommand(witCommand(system));
  program.addCommand(typesCommand(system));
  program.addCommand(wrapCommand(system));
  program.addCommand(newCommand(system));
  program.addCommand(packCommand(system));
  program.addCommand(signCommand(system));
  program.addCommand(verifyCommand(system));
  program.addCommand(keysCommand(system));
  const { openHouse } = hosts;
  program.addCommand(installCommand(system, openHouse));
  program.addCommand(updateCommand(system, openHouse));
  program.addCommand(rollbackCommand(system, openHouse));
  program.addCommand(removeCommand(system, openHouse));
  program.addCommand(listCommand(system, openHouse));
  program.addCommand(infoCommand(system, openHouse));
  for (const command of switchCommands(system, openHouse)) program.addCommand(command);
  program.addCommand(grantsCommand(system, openHouse));
  program.addCommand(logsCommand(system, openHouse));
  program.addCommand(topCommand(system, openHouse));
  program.addCommand(devCommand(system, openHouse));
  program.addCommand(auditCommand(system));
  program.addCommand(serveCommand(system, hosts.serve));
  program.addCommand(tokensCommand(system));
  program.addCommand(usersCommand(system));
  program.addCommand(completionCommand(system));
  program.addCommand(takCommand(system, hosts.startTak));
  program.addCommand(demoCommand(system, hosts.startDemo));
  for (const command of withSubcommands(program)) {
    command
      .exitOverride()
      .helpCommand(false)
      .configureOutput({ writeOut: system.out.write, writeErr: system.err.write });
  }
  return program;
}

/** Of the package, whose file is beside the folder of sources and beside that of compiled files. */
function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version; // npm publishes nothing without one.
}

/** A command and all below it, each before its own. */
export function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Runs one command line, without the program's own name, and says what the process shall exit with. */
export async function runProgram(args: readonly string[], system: System, hosts: Hosts): Promise<ExitCode> {
  const exitCode = await runCommand(args, system, hosts);
  const failure = await system.out.failure();
  if (failure === undefined) return exitCode;
  system.err.write(errorText(outputRefused(failure)));
  return exitCode === 0 ? 1 : exitCode;
}

async function runCommand(args: readonly string[], system: System, hosts: Hosts): Promise<ExitCode> {
  try {
    await buildProgram(system, hosts).parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    // Commander has already written its help or its complaint.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!isRemoraError(error)) throw error;
    system.err.write(errorText(error));
    return 1;
  }
}
