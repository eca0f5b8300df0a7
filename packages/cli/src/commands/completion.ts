/** `remora completion SHELL`: what the shell needs to complete commands, options and values. */

import { Argument, Command } from "commander";
import { fishScript } from "../completion/fish-script.ts";
import { type Place, placesOf } from "../completion/places.ts";
import { bashScript, zshScript } from "../completion/posix-script.ts";
import { knownCapabilities } from "../known-capabilities.ts";
import type { System } from "../system.ts";

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } satisfies Readonly<
  Record<string, (places: readonly Place[]) => string>
>;

export function completionCommand(system: System): Command {
  return new Command("completion")
    .description("Print completion for a shell.")
    .addArgument(new Argument("<shell>", "which one").choices(Object.keys(scripts)))
    .addHelpText(
      "after",
      `
Examples:
  source <(remora completion bash)
  remora completion zsh > ~/.zfunc/_remora
  remora completion fish > ~/.config/fish/completions/remora.fish`,
    )
    .action(async (shell: keyof typeof scripts, _options: unknown, command: Command) => {
      const program = command.parent;
      if (program === null) throw new Error("Invariant broken: completion is a command of the program");
      const { vocabulary } = await knownCapabilities();
      system.out.write(scripts[shell](placesOf(program, [...vocabulary.keys()].sort())));
    });
}
