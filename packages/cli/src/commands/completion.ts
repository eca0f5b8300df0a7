/** `remora completion SHELL`: what the shell needs to complete commands, options and names of plugins. */

import { Argument, Command } from "commander";
import type { System } from "../system.ts";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

export function completionCommand(system: System): Command {
  return new Command("completion")
    .description("Print completion for a shell.")
    .addArgument(new Argument("<shell>", "which one").choices(shells))
    .addHelpText(
      "after",
      `
Examples:
  source <(remora completion bash)
  remora completion zsh > ~/.zfunc/_remora
  remora completion fish > ~/.config/fish/completions/remora.fish`,
    )
    .action((shell: Shell, _options: unknown, command: Command) => {
      const program = command.parent;
      if (program === null) throw new Error("Invariant broken: completion is a command of the program");
      system.out.write(scripts[shell](wordsOf(program)));
    });
}

/** What may stand behind a command: its subcommands and options, and whether it takes names of plugins. */
interface Words {
  /** `grants show`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly string[];
  readonly takesPlugins: boolean;
}

function wordsOf(command: Command, path = ""): Words[] {
  const children = command.commands.flatMap((child) => wordsOf(child, `${path} ${child.name()}`.trim()));
  const options = command.options.map(({ long, short }) => long ?? short ?? "");
  const words = [...command.commands.map((child) => child.name()), ...options, "--help"];
  const takesPlugins = command.registeredArguments.some((argument) => argument.name() === "plugin");
  return [{ path, words, takesPlugins }, ...children];
}

const NAMES = "remora list --names 2>/dev/null";

const scripts: Readonly<Record<Shell, (commands: readonly Words[]) => string>> = {
  bash: (commands) => `# bash completion for remora
_remora() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words="" at
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    case "$word" in -*) ;; *) case "\${path:+$path }$word" in ${paths(commands)}) path="\${path:+$path }$word" ;; esac ;; esac
  done
  case "$path" in
${commands.map(({ path, words, takesPlugins }) => `    "${path}") words="${words.join(" ")}${takesPlugins ? ` $(${NAMES})` : ""}" ;;`).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _remora remora
`,
  // A local "path" would be the shell's own, and leave it without commands.
  zsh: (commands) => `#compdef remora
_remora() {
  local typed="" word
  local -a suggestions
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in -*) ;; *) case "\${typed:+$typed }$word" in ${paths(commands)}) typed="\${typed:+$typed }$word" ;; esac ;; esac
  done
  case "$typed" in
${commands.map(({ path, words, takesPlugins }) => `    "${path}") suggestions=(${words.join(" ")}${takesPlugins ? ` \${(f)"$(${NAMES})"}` : ""}) ;;`).join("\n")}
  esac
  compadd -- $suggestions
  _files
}
compdef _remora remora
`,
  fish: (commands) =>
    `# fish completion for remora
function __remora_path
  set -l path
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    contains -- (string join ' ' $path $word) ${commands
      .filter(({ path }) => path !== "")
      .map(({ path }) => `'${path}'`)
      .join(" ")}; and set -a path $word
  end
  echo (string join ' ' $path)
end
${commands
  .map(({ path, words, takesPlugins }) => {
    const found = `complete -c remora -f -n 'test "$(__remora_path)" = "${path}"' -a`;
    return [`${found} '${words.join(" ")}'`, ...(takesPlugins ? [`${found} '(${NAMES})'`] : [])].join("\n");
  })
  .join("\n")}
`,
};

/** The alternatives of a `case`. */
function paths(commands: readonly Words[]): string {
  return commands
    .filter(({ path }) => path !== "")
    .map(({ path }) => `"${path}"`)
    .join(" | ");
}
