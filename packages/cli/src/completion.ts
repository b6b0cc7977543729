import { HELP, VERBS, type Verb } from './help.ts';
import type { Arguments } from './main.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** `fjord completion bash|zsh|fish`: prints what completes verbs, options and files in that shell. */
export async function completion({ subject }: Arguments): Promise<number> {
  const shell = SHELLS.find((known) => known === subject);
  if (!shell) {
    process.stderr.write('error: fjord completion needs a shell.\nfix: fjord completion bash, zsh or fish.\n');
    return 2;
  }
  process.stdout.write(completionText(shell));
  return 0;
}

/** The options of a verb, as its help names them. */
export function optionsOf(verb: Verb): string[] {
  const found = HELP[verb].matchAll(/--[a-z][a-z-]*/g);
  return [...new Set([...found].map(([option]) => option).concat('--help'))];
}

/** A script for that shell. */
export function completionText(shell: (typeof SHELLS)[number]): string {
  const cases = (line: (verb: Verb, options: string) => string) =>
    VERBS.map((verb) => line(verb, optionsOf(verb).join(' '))).join('\n');
  const verbs = VERBS.join(' ');
  switch (shell) {
    case 'bash':
      return `_fjord() {
  local word=\${COMP_WORDS[COMP_CWORD]} options=
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W '${verbs} --help --version' -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases((verb, options) => `    ${verb}) options='${options}' ;;`)}
  esac
  case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -X '!*.@(yaml|yml)' -- "$word")) ;;
  esac
}
complete -o filenames -F _fjord fjord
`;
    case 'zsh':
      return `#compdef fjord
_fjord() {
  if (( CURRENT == 2 )); then
    compadd -- ${verbs} --help --version
    return
  fi
  case $words[2] in
${cases((verb, options) => `    ${verb}) [[ $PREFIX == -* ]] && compadd -- ${options} ;;`)}
  esac
  [[ $PREFIX == -* ]] || _files -g '*.(yaml|yml)'
}
compdef _fjord fjord
`;
    case 'fish':
      return `complete -c fjord -n __fish_use_subcommand -f -a '${verbs}'
${VERBS.flatMap((verb) => optionsOf(verb).map((option) => `complete -c fjord -n '__fish_seen_subcommand_from ${verb}' -l ${option.slice(2)}`)).join('\n')}
`;
    default:
      return shell satisfies never;
  }
}
