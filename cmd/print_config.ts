import { readConfig, resolveConfig } from "../pipeline/config/load.ts";
import { printConfig } from "../pipeline/config/print.ts";
import { configFlags, parseArguments } from "./arguments.ts";
import { catalog } from "./catalog.ts";
import { UsageError } from "./usage_error.ts";

const flags = {
  ...configFlags,
  format: { type: "string", default: "yaml" },
  mode: { type: "string", default: "redacted" },
  validate: { type: "string", default: "true" },
} as const;

/** `otelpipe print-config`: the configuration with every default filled in, on stdout. */
export async function printConfigCommand(args: readonly string[]): Promise<number> {
  const { values } = parseArguments("print-config", args.map(withValue), flags);
  const format = values.format.toLowerCase();
  if (format !== "yaml" && format !== "json") throw new UsageError(`unrecognized print format: ${values.format}`);
  if (values.mode !== "redacted" && values.mode !== "unredacted") {
    throw new UsageError(`invalid mode ${JSON.stringify(values.mode)}: modes are: redacted, unredacted`);
  }
  if (values.validate !== "true" && values.validate !== "false") {
    throw new UsageError(`invalid value ${JSON.stringify(values.validate)} for --validate: true or false`);
  }
  const expanded = readConfig(values.config ?? []);
  const config = await resolveConfig(expanded, catalog, { check: values.validate === "true" });
  for (const warning of config.warnings) process.stderr.write(`Warning: ${warning}\n`);
  process.stdout.write(printConfig(config, { format, redacted: values.mode === "redacted" }));
  return 0;
}

/** A bare `--validate` means true, as in the Collector. */
function withValue(argument: string): string {
  return argument === "--validate" ? "--validate=true" : argument;
}
