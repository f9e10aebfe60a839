import type { ConfigError } from "../pipeline/config/problem.ts";
import type { Vocabulary } from "./completion.ts";
import { UsageError } from "./usage_error.ts";
import { version } from "./version.ts";

/** A subcommand: one line for `--help`, and the module that does it, imported only then. */
interface Command {
  readonly summary: string;
  readonly usage: string;
  readonly hidden?: boolean;
  load(): Promise<(args: readonly string[]) => Promise<number>>;
}

const overConfig = "[--set <key>=<value>]... [--feature-gates <ids>] [--strict-compat]";
const configUsage = `--config <uri>... ${overConfig}`;

const printConfig: Command = {
  summary: "Print the configuration with every default filled in.",
  usage: `${configUsage} [--format yaml|json] [--mode redacted|unredacted] [--validate=false] [--origin]`,
  load: async () => (await import("./print_config.ts")).printConfigCommand,
};

const commands: Readonly<Record<string, Command>> = {
  validate: {
    summary: "Check a configuration without running it.",
    usage: configUsage,
    load: async () => (await import("./validate.ts")).validate,
  },
  components: {
    summary: "List the components and how stable they are, as YAML.",
    usage: "",
    load: async () => (await import("./list_components.ts")).listComponents,
  },
  "print-config": printConfig,
  "print-initial-config": { ...printConfig, hidden: true },
  featuregate: {
    summary: "List the feature gates of the Collector, or describe one.",
    usage: "[id]",
    load: async () => (await import("./list_gates.ts")).listGates,
  },
  migrate: {
    summary: "Rewrite a configuration file for today, comments and layout kept.",
    usage:
      "<file> [--write]\n\nExit code: 0 when nothing was old, 2 when something was and is rewritten, 1 after an error.",
    load: async () => (await import("./migrate.ts")).migrate,
  },
  docs: {
    summary: "Print the reference page of a component.",
    usage: "<kind> <type>",
    load: async () => (await import("./docs.ts")).docs,
  },
  queue: {
    summary: "Look at the queues in the directory of a file_storage, or check and repair them.",
    usage: "inspect <directory> [--json]\n  otelpipe queue fsck <directory> [--repair] [--json]",
    load: async () => (await import("./queue.ts")).queueCommand,
  },
  gpu: {
    summary: "Say which GPUs there are, which engine would aggregate, and what to install next.",
    usage: `check [--config <uri>...] ${overConfig}`,
    load: async () => (await import("./gpu.ts")).gpuCommand,
  },
  completion: {
    summary: "Print a script that completes commands and flags in a shell.",
    usage: "bash|fish|powershell|zsh",
    load: async () => {
      const { completion } = await import("./completion.ts");
      return async (args) => completion(args, vocabulary());
    },
  },
  generate: {
    summary: "Send a synthetic LLM workload.",
    usage: "[--help]",
    load: async () => (await import("./generate.ts")).generate,
  },
  quickstart: {
    summary: "Run the quickstart configuration together with a synthetic workload.",
    usage: "",
    load: async () => (await import("./quickstart.ts")).quickstart,
  },
};

/**
 * The command line of otelpipe: `argv` without the program's name. Everything heavy is imported by the command that
 * needs it, so `--version` costs no more than starting Node.
 *
 * @returns the exit code: 0, or 1 after any error, which has been printed.
 */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    process.stderr.write(await errorText(error));
    return 1;
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const at = commandIndex(argv);
  const name = argv[at];
  const rest = argv.filter((_, index) => index !== at);
  if (name === undefined) return runRoot(argv);
  if (name === "help") return say(rest[0] === undefined ? helpText() : usageText(rest[0], await commandNamed(rest[0])));
  const command = await commandNamed(name);
  if (asksForHelp(rest) && name !== "generate") return say(usageText(name, command));
  const run = await command.load();
  return run(rest);
}

/** Without a command: the version, help, or a configuration to run. */
async function runRoot(argv: readonly string[]): Promise<number> {
  if (argv.length === 0) throw new UsageError("at least one config flag must be provided; otelpipe --help says more");
  if (asksForHelp(argv)) return say(helpText());
  if (argv.includes("-v") || argv.includes("--version")) return say(`otelpipe version ${version}\n`);
  const { runCommand } = await import("./run_command.ts");
  return runCommand(argv);
}

const withoutValue = ["--help", "--version", "--strict-compat", "--watch", "--write"];

/** Where the command stands: the first word that is neither a flag nor a flag's value; -1 when there is none. */
function commandIndex(argv: readonly string[]): number {
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? "";
    if (word === "--") return -1;
    if (!word.startsWith("-")) return index;
    if (word.startsWith("--") && !word.includes("=") && !withoutValue.includes(word)) index += 1;
  }
  return -1;
}

function asksForHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

async function commandNamed(name: string): Promise<Command> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command;
  const { unknownText } = await import("./arguments.ts");
  throw new UsageError(`${unknownText("command", name, Object.keys(commands))}; otelpipe --help lists them`);
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function helpText(): string {
  const shown = Object.entries(commands).filter(([, command]) => command.hidden !== true);
  const lines = shown.map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}`);
  return `otelpipe ${version}: an OpenTelemetry Collector for teams that run LLM inference.

Usage:
  otelpipe --config <uri>...    Run a configuration until Ctrl-C.
  otelpipe <command> [flags]

Commands:
${lines.join("\n")}

Flags:
  --config <uri>         A path, or a file:, env:, yaml:, http: or https: URI. Given several times, later ones are merged
                         over earlier ones.
  --set <key>=<value>    One setting over all of them: --set processors.batch.timeout=2s. The value is YAML.
  --feature-gates <ids>  Comma-separated gates to turn on, or off with a dash before: -gate. See featuregate.
  --watch                Apply changes of the configuration's files while running, as SIGHUP does.
  --strict-compat        Refuse what the Collector refuses, old spellings included.
  -v, --version          Print the version.
  -h, --help             Print this, or the usage of a command.
`;
}

/** The words a shell can complete, from what the help says. */
function vocabulary(): Vocabulary {
  const flagsIn = (text: string): string[] => [...new Set(text.match(/--[a-z-]+/g))];
  const shown = Object.entries(commands).filter(([, command]) => command.hidden !== true);
  return new Map([
    ["", { summary: "", flags: flagsIn(helpText()) }],
    ...shown.map(([name, { summary, usage }]) => [name, { summary, flags: flagsIn(`${usage} --help`) }] as const),
  ]);
}

function usageText(name: string, { summary, usage }: Command): string {
  return `${summary}\n\nUsage:\n  otelpipe ${name} ${usage}`.trimEnd().concat("\n");
}

/**
 * What the user or the world did wrong as a message; anything else, a bug, with its stack. Errors are known by name: in
 * the packed build what runs a config is a bundle of its own, with classes of its own.
 */
async function errorText(error: unknown): Promise<string> {
  if (!(error instanceof Error)) return `Error: ${String(error)}\n`;
  if (error.name === "ConfigError")
    return (await import("./config_error_text.ts")).configErrorText(error as ConfigError);
  if (error.name === "Error" || error.name === "UsageError") return `Error: ${error.message}\n`;
  return `Error: this is a bug in otelpipe: ${error.stack ?? error.message}\n`;
}
