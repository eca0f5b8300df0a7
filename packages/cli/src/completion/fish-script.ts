/** Completion for fish: a function that prints what is offered where the cursor stands, a word a line. */

import { answersOf, awaitingOf, type Offer, type Place, pathsOf } from "./places.ts";

export function fishScript(places: readonly Place[]): string {
  return `# fish completion for remora
function __remora_offers
  set -l current (commandline -ct)
  set -l where
  set -l awaited
  set -l folder
  set -l rest
  for word in (commandline -opc)[2..-1]
    if test -n "$awaited"
      contains -- $awaited -f --folder; and set folder $word
      set awaited
      continue
    end
    switch $word
      case '--folder=*'
        set folder (string replace -- '--folder=' '' $word)
      case '-*'
        contains -- "$where $word" ${quoted(awaitingOf(places))}; and set awaited $word
      case '*'
        set -l longer (string join ' ' $where $word)
        if contains -- $longer ${quoted(pathsOf(places))}
          set where $longer
        else
          set -a rest $word
        end
    end
  end
  test -n "$folder"; and set -lx REMORA_FOLDER $folder
  set -l count (count $rest)
  test -z "$awaited"; and string match -q -- '-*' $current; and set count -
  switch "$where $awaited $count"
${answersOf(places)
  .map(({ at, isOpen, offer }) => `    case '${at}${isOpen ? "*" : ""}'\n      ${print(offer)}`)
  .join("\n")}
  end
end
complete -c remora -f -a '(__remora_offers)'
`;
}

function print(offer: Offer): string {
  switch (offer.kind) {
    case "words":
      return `printf '%s\\n' ${offer.words.join(" ")}`;
    case "plugins":
      return "remora list --names 2>/dev/null";
    case "versions":
      return "remora info --versions $rest[1] 2>/dev/null";
    case "files":
      return "__fish_complete_path $current";
    case "nothing":
      return "true";
  }
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(" ");
}
