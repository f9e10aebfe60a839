import type { Reasons } from "../../scenarios.ts";

const uncounted = "Node 24 does not count what has been allocated since the start; from Node 26 on otelpipe tells it.";
const allocated = "otelcol_process_runtime_total_alloc_bytes";

/** What otelpipe measures otherwise on purpose. */
export const ownMetricReasons: Reasons = {
  [`own metrics, level basic: ${allocated}`]: uncounted,
  [`own metrics, level normal: ${allocated}`]: uncounted,
  [`own metrics, level detailed: ${allocated}`]: uncounted,
  [`own metrics, with suffixes and scopes: ${allocated}_total`]: uncounted,
  [`own metrics, with a constant label: ${allocated}`]: uncounted,
};
