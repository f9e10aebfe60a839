import { loadConfig } from "../pipeline/config/load.ts";
import { sourceName } from "../pipeline/config/source.ts";
import type { Clock } from "../pipeline/host.ts";
import { Service } from "../pipeline/service.ts";
import { createLoggers } from "../pipeline/telemetry/logger.ts";
import { parseArguments } from "./arguments.ts";
import { catalog } from "./catalog.ts";
import { configFlags, readConfigFlags } from "./config_flags.ts";
import { version } from "./version.ts";

/**
 * `otelpipe validate --config …`: loads the configuration and builds every component without starting any. Silent when
 * all is well; warnings go to stderr.
 */
export async function validate(args: readonly string[]): Promise<number> {
  const { sources, options } = await readConfigFlags(parseArguments("validate", args, configFlags).values);
  const config = await loadConfig(sources, catalog, undefined, options);
  for (const warning of config.warnings) process.stderr.write(`Warning: ${warning}\n`);
  const loggers = createLoggers({
    clock: stillClock,
    level: "error",
    encoding: "console",
    write: (text) => void process.stderr.write(text),
  });
  new Service(config, { version, configSources: sources.map(sourceName), loggers, clock: stillClock });
  return 0;
}

/** A clock whose timers never fire: what is built but not started must not keep the process alive. */
const stillClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => 0,
  setTimer: () => ({}),
  clearTimer: () => {},
};
