/** Completion for bash and zsh: one function that both can run says what is offered, and each asks it in its own way. */

import { answersOf, awaitingOf, type Offer, type Place, pathsOf } from "./places.ts";

export function bashScript(places: readonly Place[]): string {
  return `# bash completion for remora
${offers(places)}
_remora() {
  local current="\${COMP_WORDS[COMP_CWORD]}" offered word
  [ "$current" = '=' ] && current=''
  offered="$(__remora_offers "$current" "\${COMP_WORDS[@]:1:COMP_CWORD-1}")"
  COMPREPLY=()
  # Without an answer, -o default offers files. A word a line, as it is: compgen -W would expand what the program has printed.
  if [ "$offered" = 'nothing' ]; then compopt +o default 2>/dev/null
  elif [ "$offered" != 'files' ]; then
    while IFS= read -r word; do
      if [[ -n "$word" && "$word" == "$current"* ]]; then COMPREPLY+=("$word"); fi
    done <<< "$offered"
  fi
}
complete -o default -F _remora remora
`;
}

export function zshScript(places: readonly Place[]): string {
  return `#compdef remora
${offers(places)}
_remora() {
  local offered
  offered="$(__remora_offers "\${words[CURRENT]}" "\${(@)words[2,CURRENT-1]}")"
  case "$offered" in
    nothing) ;;
    files) _files ;;
    *) compadd -- \${(f)offered} ;;
  esac
}
compdef _remora remora
`;
}

/**
 * \`__remora_offers CURRENT WORD...\` prints a word a line, or \`files\`, or \`nothing\`. Options are offered to whoever has begun
 * one, so that they hide no name. (A local "path" would be zsh's own, and leave it without commands.)
 */
function offers(places: readonly Place[]): string {
  return `__remora_offers() {
  local current="$1" where='' awaited='' folder='' first='' count=0 word
  shift
  for word in "$@"; do
    if [ "$word" = '=' ]; then continue; fi
    if [ -n "$awaited" ]; then
      case "$awaited" in -f | --folder) folder="$word" ;; esac
      awaited=''
      continue
    fi
    case "$word" in
      --folder=*) folder="\${word#--folder=}" ;;
      -*) case "$where $word" in ${alternatives(awaitingOf(places))}) awaited="$word" ;; esac ;;
      *)
        case "\${where:+$where }$word" in
          ${alternatives(pathsOf(places))}) where="\${where:+$where }$word" ;;
          *) if [ "$count" = 0 ]; then first="$word"; fi; count=$((count + 1)) ;;
        esac ;;
    esac
  done
  case "$awaited$current" in -*) if [ -z "$awaited" ]; then count='-'; fi ;; esac
  case "$where $awaited $count" in
${answersOf(places)
  .map(({ at, isOpen, offer }) => `    "${at}"${isOpen ? "*" : ""}) ${print(offer)} ;;`)
  .join("\n")}
    *) printf 'nothing\\n' ;;
  esac
}`;
}

function print(offer: Offer): string {
  const ask = `REMORA_FOLDER="\${folder:-\${REMORA_FOLDER-}}" remora`;
  switch (offer.kind) {
    case "words":
      return `printf '%s\\n' ${offer.words.join(" ")}`;
    case "plugins":
      return `${ask} list --names 2>/dev/null`;
    case "versions":
      return `${ask} info --versions "$first" 2>/dev/null`;
    default:
      return `printf '${offer.kind}\\n'`;
  }
}

function alternatives(words: readonly string[]): string {
  return words.map((word) => `"${word}"`).join(" | ");
}
