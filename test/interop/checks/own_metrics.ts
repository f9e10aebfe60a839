import { check, type Findings } from "../check.ts";
import { compare } from "../scenarios.ts";
import { ownMetricReasons } from "./own_metrics/differences.ts";
import { observeOwnMetrics } from "./own_metrics/load.ts";

/** Names, types, help, labels and values of own metrics after the same load, at each level. */
export const ownMetrics = check({
  name: "own_metrics",
  area: "Own metrics",
  needs: ["collector_released"],
  run: ({ collector_released }): Promise<Findings> => compare(collector_released, observeOwnMetrics, ownMetricReasons),
});
