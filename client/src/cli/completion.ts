/** `wallet completion`: the names of commands and options for shells. */
import { UsageError } from './usage.ts';

/** The names of the options of each command. */
export type Names = Readonly<Record<string, readonly string[]>>;

/** Returns the script for a shell. */
export function completionFor(shell: string, names: Names): string {
  const scripts: Readonly<Record<string, (names: Names) => string>> = { bash, zsh, fish };
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined) throw new UsageError(`completion is for bash, zsh or fish, received ${shell}`);
  return script(names);
}

function cases(names: Names): string {
  return Object.entries(names)
    .map(([command, options]) => `    ${command}) found="${options.map((name) => `--${name}`).join(' ')}" ;;`)
    .join('\n');
}

function bash(names: Names): string {
  return `# source <(wallet completion bash)
_wallet() {
  local found command=""
  [ "$COMP_CWORD" -gt 1 ] && command="\${COMP_WORDS[1]}"
  case "$command" in
${cases(names)}
    *) found="${Object.keys(names).join(' ')}" ;;
  esac
  COMPREPLY=($(compgen -W "$found" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _wallet wallet`;
}

function zsh(names: Names): string {
  return `#compdef wallet
# wallet completion zsh > "\${fpath[1]}/_wallet"
_wallet() {
  local found command=""
  ((CURRENT > 2)) && command="\${words[2]}"
  case "$command" in
${cases(names)}
    *) found="${Object.keys(names).join(' ')}" ;;
  esac
  compadd -- \${=found}
}
compdef _wallet wallet`;
}

function fish(names: Names): string {
  const lines = Object.entries(names).flatMap(([command, options]) => [
    `complete -c wallet -n __fish_use_subcommand -f -a ${command}`,
    ...options.map((name) => `complete -c wallet -n "__fish_seen_subcommand_from ${command}" -l ${name}`),
  ]);
  return ['# wallet completion fish | source', ...lines].join('\n');
}
