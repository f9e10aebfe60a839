import { flushCompileCache } from "node:module";
import { loadConfig } from "../pipeline/config/load.ts";
import { processSurroundings, type Surroundings, sourceName } from "../pipeline/config/source.ts";
import type { FileWatch } from "../pipeline/process/file_watch.ts";
import type { ServiceView } from "../pipeline/view.ts";
import { parseArguments } from "./arguments.ts";
import { catalog } from "./catalog.ts";
import { configFlags, readConfigFlags } from "./config_flags.ts";

/**
 * `otelpipe --config …`: loads the configuration and runs it until a signal. A wrong one starts nothing. With `--watch`
 * it is loaded again when a file that it was read from changes.
 *
 * `keepCompiled` is called when all runs, so that the next start is quick also when this process is killed, and when it
 * lives so long that V8 forgets what only a start needs.
 */
export async function runCommand(
  args: readonly string[],
  keepCompiled: () => void = flushCompileCache,
): Promise<number> {
  const { values } = parseArguments("otelpipe", args, { ...configFlags, watch: { type: "boolean" } });
  const { sources, options } = await readConfigFlags(values);
  const watch = values.watch ? await makeWatch() : undefined;
  const load = () => {
    watch?.clear();
    return loadConfig(sources, catalog, watch && watchedFiles(watch), options);
  };
  const config = await load();
  const { run } = await import("./run.ts");
  const onReady = (service: ServiceView) => {
    keepCompiled();
    watch?.start(() => void service.reload?.());
    return async () => watch?.stop();
  };
  const { gates } = options;
  const configSources = sources.map(sourceName);
  return run({ config, load, configSources, onReady, ...(gates !== undefined && { gates }) });
}

async function makeWatch(): Promise<FileWatch> {
  const [{ FileWatch }, { systemClock }] = await Promise.all([
    import("../pipeline/process/file_watch.ts"),
    import("../pipeline/process/clock.ts"),
  ]);
  return new FileWatch({ clock: systemClock });
}

/** The surroundings of this process, whose files are watched from the moment they are read. */
function watchedFiles(watch: FileWatch): Surroundings {
  const surroundings = processSurroundings();
  return {
    ...surroundings,
    readFile(path) {
      watch.add(path);
      return surroundings.readFile(path);
    },
  };
}
