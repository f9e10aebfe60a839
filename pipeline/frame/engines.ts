import type { Clock, Logger } from "../host.ts";
import { openCpuEngine } from "./cpu/engine.ts";
import type { AggregationEngine, OpenEngine } from "./engine.ts";

/** What a config can name; `auto` is the best engine that answers. */
export const engineNames = ["auto", "cpu", "rapids", "node_rapids"] as const;

export type EngineName = (typeof engineNames)[number];

/** The engines of this build, best first. */
const engines: ReadonlyMap<EngineName, OpenEngine> = new Map([["cpu", openCpuEngine]]);

/**
 * Opens the engine a config asks for. One that is not in this build is answered by `cpu`, with one warning, so that a
 * config for a machine with a GPU runs anywhere.
 */
export async function openEngine(
  wanted: EngineName,
  surroundings: { readonly clock: Clock; readonly logger: Logger },
): Promise<AggregationEngine> {
  const [best = "cpu"] = engines.keys();
  const open = engines.get(wanted === "auto" ? best : wanted);
  if (open !== undefined) return open(surroundings);
  surroundings.logger.warn(
    { engine: wanted, used: "cpu" },
    "The aggregation engine is not in this build; cpu computes instead.",
  );
  return openCpuEngine(surroundings);
}
