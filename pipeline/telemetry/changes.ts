import { isDeepStrictEqual } from "node:util";
import type { TelemetryConfig } from "../config/telemetry.ts";

/** What it takes to go from one `service::telemetry` to another in a running service. */
export interface TelemetryChanges {
  /** Whether those who read own metrics are started anew. */
  readonly readers: boolean;
  /** Settings that only a start applies. The level of logs is none of them: that is changed as it is. */
  readonly later: readonly string[];
}

export function telemetryChanges(former: TelemetryConfig, next: TelemetryConfig): TelemetryChanges {
  const { level } = next.logs;
  const onStart: Readonly<Record<string, readonly [unknown, unknown]>> = {
    logs: [{ ...former.logs, level }, next.logs],
    "metrics::level": [former.metrics.level, next.metrics.level],
    "metrics::views": [former.metrics.views, next.metrics.views],
    traces: [former.traces, next.traces],
    resource: [former.resource, next.resource],
  };
  return {
    readers: !isDeepStrictEqual(former.metrics.readers, next.metrics.readers),
    later: Object.entries(onStart).flatMap(([name, [was, is]]) => (isDeepStrictEqual(was, is) ? [] : [name])),
  };
}
