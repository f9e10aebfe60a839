import type { LoadOptions } from "../pipeline/config/load.ts";
import type { ConfigSource } from "../pipeline/config/source.ts";
import type { Flags, Values } from "./arguments.ts";
import { UsageError } from "./usage_error.ts";

/** The flags of every command that reads a configuration. */
export const configFlags = {
  config: { type: "string", multiple: true },
  set: { type: "string", multiple: true },
  "feature-gates": { type: "string", multiple: true },
  "strict-compat": { type: "boolean" },
} as const satisfies Flags;

/** What the flags ask for. */
export interface AskedConfig {
  /** Everything that is merged, in this order: what `--config` names, then what `--set` sets. */
  readonly sources: readonly ConfigSource[];
  readonly options: LoadOptions;
}

/**
 * The sources and options that the flags name. What there is to say of a feature gate goes to standard output, as the
 * Collector's does.
 *
 * @throws {UsageError} when there is no source, and for a `--set` or a feature gate that makes no sense.
 */
export async function readConfigFlags(values: Values<typeof configFlags>): Promise<AskedConfig> {
  const sets = values.set.map(sourceOfSet);
  const gates = values["feature-gates"].length === 0 ? undefined : await readGates(values["feature-gates"]);
  const sources = [...values.config, ...sets];
  if (sources.length === 0) throw new UsageError("at least one config flag must be provided");
  return { sources, options: { strictCompat: values["strict-compat"], ...(gates !== undefined && { gates }) } };
}

/**
 * `processors.batch.timeout=2s` as the YAML `processors::batch::timeout: 2s`.
 * @see Collector: `otelcol/flags.go`.
 */
function sourceOfSet(text: string): ConfigSource {
  const at = text.indexOf("=");
  if (at < 0) throw new UsageError(`invalid value ${JSON.stringify(text)} for --set: missing equal sign`);
  const key = text.slice(0, at).replaceAll(".", "::").trim();
  return { uri: `yaml:${key}: ${text.slice(at + 1).trim()}`, name: `--set ${text.slice(0, at).trim()}` };
}

async function readGates(lists: readonly string[]): Promise<ReadonlySet<string>> {
  const { enabledGates } = await import("./feature_gates.ts");
  const { enabled, notices } = enabledGates(lists);
  for (const notice of notices) process.stdout.write(`${notice}\n`);
  return enabled;
}
