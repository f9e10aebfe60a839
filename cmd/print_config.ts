import { readConfig, resolveConfig } from "../pipeline/config/load.ts";
import { printConfig } from "../pipeline/config/print.ts";
import { parseArguments } from "./arguments.ts";
import { catalog } from "./catalog.ts";
import { configFlags, readConfigFlags } from "./config_flags.ts";
import { UsageError } from "./usage_error.ts";

const flags = {
  ...configFlags,
  format: { type: "string", default: "yaml" },
  mode: { type: "string", default: "redacted" },
  validate: { type: "boolean", default: true },
  origin: { type: "boolean" },
} as const;

/** `otelpipe print-config`: the configuration with every default filled in, on stdout. */
export async function printConfigCommand(args: readonly string[]): Promise<number> {
  const { values } = parseArguments("print-config", args, flags);
  const { sources, options } = await readConfigFlags(values);
  const format = values.format.toLowerCase();
  if (format !== "yaml" && format !== "json") throw new UsageError(`unrecognized print format: ${values.format}`);
  const mode = values.mode.toLowerCase();
  if (mode !== "redacted" && mode !== "unredacted") {
    throw new UsageError(`invalid mode ${JSON.stringify(values.mode)}: modes are: redacted, unredacted`);
  }
  if (values.origin && format === "json") throw new UsageError("--origin prints YAML only");
  const expanded = await readConfig(sources, undefined, options);
  const config = await resolveConfig(expanded, catalog, { ...options, check: values.validate });
  for (const warning of config.warnings) process.stderr.write(`Warning: ${warning}\n`);
  const origins = values.origin ? { origins: expanded.root } : {};
  process.stdout.write(printConfig(config, { format, redacted: mode === "redacted", ...origins }));
  return 0;
}
