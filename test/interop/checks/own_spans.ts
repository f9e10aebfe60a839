import { check, type Findings } from "../check.ts";
import { compare } from "../scenarios.ts";
import { observeOwnSpans } from "./own_spans/load.ts";

/** Own spans after the same requests: names, kinds, scopes, attributes, events, and which is inside which. */
export const ownSpans = check({
  name: "own_spans",
  area: "Own spans",
  needs: ["collector_released"],
  run: ({ collector_released }): Promise<Findings> => compare(collector_released, observeOwnSpans),
});
