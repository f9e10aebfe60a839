import { parseArguments, unknownText } from "./arguments.ts";
import { UsageError } from "./usage_error.ts";

/** What can follow the program's name: its flags under the empty name, and each command with a summary and its flags. */
export type Vocabulary = ReadonlyMap<string, { readonly summary: string; readonly flags: readonly string[] }>;

const shells: Readonly<Record<string, (words: Vocabulary) => string>> = { bash, fish, powershell, zsh };

/** `otelpipe completion <shell>`: a script for the shell's start-up file, on standard output. */
export function completion(args: readonly string[], words: Vocabulary): number {
  const [shell] = parseArguments("completion", args, {}, 1).positionals;
  if (shell === undefined) throw new UsageError(`completion takes a shell: ${Object.keys(shells).join(", ")}`);
  const script = Object.hasOwn(shells, shell) ? shells[shell] : undefined;
  if (script === undefined) throw new UsageError(unknownText("shell", shell, Object.keys(shells)));
  process.stdout.write(script(words));
  return 0;
}

/** Files where a word is neither a command nor a flag: `-o default`. */
function bash(words: Vocabulary): string {
  const cases = commandsOf(words).map(([name, { flags }]) => `    ${name}) words="${flags.join(" ")}" ;;`);
  const root = [...commandsOf(words).map(([name]) => name), ...flagsOf(words)].join(" ");
  return `# source <(otelpipe completion bash)
_otelpipe() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words="${root}" each
  COMPREPLY=()
  case "$previous" in --config | --set) return ;; esac
  for each in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$each" in
${cases.map((line) => `  ${line}`).join("\n")}
    esac
  done
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _otelpipe otelpipe
`;
}

/** Zsh runs bash's, once it is told to. */
function zsh(words: Vocabulary): string {
  const [, ...lines] = bash(words).split("\n");
  return `# source <(otelpipe completion zsh)\nautoload -Uz compinit bashcompinit && compinit && bashcompinit\n${lines.join("\n")}`;
}

function fish(words: Vocabulary): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;
  const flag = (when: string, name: string): string => `complete -c otelpipe -n ${quoted(when)} -l ${name.slice(2)}`;
  const lines = commandsOf(words).flatMap(([name, { summary, flags }]) => [
    `complete -c otelpipe -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...flags.map((each) => flag(`__fish_seen_subcommand_from ${name}`, each)),
  ]);
  const root = flagsOf(words).map((each) => flag("__fish_use_subcommand", each));
  return `# otelpipe completion fish | source\n${[...lines, ...root].join("\n")}\n`;
}

function powershell(words: Vocabulary): string {
  const list = (all: readonly string[]): string => all.map((each) => `'${each}'`).join(", ");
  const cases = commandsOf(words).map(([name, { flags }]) => `    '${name}' { $words = @(${list(flags)}) }`);
  const root = [...commandsOf(words).map(([name]) => name), ...flagsOf(words)];
  return `# otelpipe completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName otelpipe -ScriptBlock {
  param($word, $line)
  $words = @(${list(root)})
  foreach ($each in $line.CommandElements) {
    switch ($each.ToString()) {
${cases.map((line) => `  ${line}`).join("\n")}
    }
  }
  $words | Where-Object { $_ -like "$word*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}
`;
}

function commandsOf(words: Vocabulary) {
  return [...words].filter(([name]) => name !== "");
}

function flagsOf(words: Vocabulary): readonly string[] {
  return words.get("")?.flags ?? [];
}
