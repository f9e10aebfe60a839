import { encode } from "../../pipeline/pdata/index.ts";

/** One batch of each signal. */
export const batches = {
  traces: encode("traces", {
    resourceSpans: [
      { scopeSpans: [{ spans: [{ name: "chat", traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 1) }] }] },
    ],
  }),
  metrics: encode("metrics", {
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "tokens", gauge: { dataPoints: [{ asInt: 5n }] } }] }] }],
  }),
  logs: encode("logs", { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "hello" } }] }] }] }),
  profiles: encode("profiles", { resourceProfiles: [{ scopeProfiles: [{ profiles: [{ samples: [{}] }] }] }] }),
};
