import type { Command } from 'commander';
import { printLines } from '../table.js';

export type Shell = 'bash' | 'zsh';

/** `platen completion <shell>`: a script that completes commands and options; `source` it. */
export function completion(program: Command, shell: Shell): void {
  printLines([completionScript(program, shell)]);
}

/**
 * The words that may follow, by the commands before them. zsh reads what bash does, by its own bridge; all else
 * (folders, files) is completed by the shell.
 */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program);
  const commands = places.filter(({ path }) => path !== '').map(({ path }) => `"${path}"`);
  const cases = places.map(({ path, words }) => `    "${path}") words="${words.join(' ')}" ;;`);
  return `${shell === 'zsh' ? BRIDGE : ''}_platen() {
  local typed="\${COMP_WORDS[COMP_CWORD]}" place="" words="" word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${place:+$place }\${COMP_WORDS[index]}"
    case "$word" in ${commands.join(' | ')}) place="$word" ;; esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$typed"))
}
complete -o default -F _platen platen`;
}

const BRIDGE = 'autoload -Uz compinit bashcompinit\n(($+functions[compdef])) || compinit\nbashcompinit\n';

interface Place {
  /** `jobs watch`; of the program itself nothing. */
  path: string;
  words: string[];
}

function placesOf(command: Command, path = ''): Place[] {
  const options = [...command.options.map(({ long }) => long ?? ''), '--help'].filter((word) => word !== '');
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const inside = command.commands.flatMap((child) => placesOf(child, path ? `${path} ${child.name()}` : child.name()));
  return [{ path, words: [...command.commands.map((child) => child.name()), ...choices, ...options] }, ...inside];
}
