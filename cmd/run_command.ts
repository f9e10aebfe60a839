import { flushCompileCache } from "node:module";
import { loadConfig } from "../pipeline/config/load.ts";
import { sourceName } from "../pipeline/config/source.ts";
import { parseArguments } from "./arguments.ts";
import { catalog } from "./catalog.ts";
import { configFlags, readConfigFlags } from "./config_flags.ts";

/**
 * `otelpipe --config …`: loads the configuration and runs it until a signal. A wrong one starts nothing.
 *
 * `keepCompiled` is called when all runs, so that the next start is quick also when this process is killed, and when it
 * lives so long that V8 forgets what only a start needs.
 */
export async function runCommand(
  args: readonly string[],
  keepCompiled: () => void = flushCompileCache,
): Promise<number> {
  const { sources, options } = await readConfigFlags(parseArguments("otelpipe", args, configFlags).values);
  const config = await loadConfig(sources, catalog, undefined, options);
  const { run } = await import("./run.ts");
  const onReady = () => {
    keepCompiled();
    return async () => {};
  };
  const { gates } = options;
  return run({ config, configSources: sources.map(sourceName), onReady, ...(gates !== undefined && { gates }) });
}
