import {
  type Decoded,
  decode,
  type Logs,
  type Metrics,
  type PdataOf,
  type Profiles,
  type Traces,
} from "../../pipeline/pdata/index.ts";
import { detailedLogs } from "./detailed_logs.ts";
import { detailedMetrics } from "./detailed_metrics.ts";
import { detailedProfiles } from "./detailed_profiles.ts";
import { detailedTraces } from "./detailed_traces.ts";
import { normalLogs, normalMetrics, normalProfiles, normalTraces } from "./normal_text.ts";
import type { Numbering } from "./numbering.ts";

/** How one signal is printed: a line with counts for every batch, and its content at two depths. */
export interface Printed<S extends keyof Decoded> {
  readonly title: string;
  counts(data: PdataOf[S]): Readonly<Record<string, number>>;
  normal(request: Decoded[S], numbering: Numbering): string;
  detailed(request: Decoded[S], numbering: Numbering): string;
}

/** The four signals, in the Collector's words. */
export const printed: { readonly [S in keyof Decoded]: Printed<S> } = {
  traces: {
    title: "Traces",
    counts: (data: Traces) => ({ "resource spans": lengthOf(data.resources()), spans: data.itemCount }),
    normal: normalTraces,
    detailed: detailedTraces,
  },
  metrics: {
    title: "Metrics",
    counts: (data: Metrics) => ({
      "resource metrics": lengthOf(data.resources()),
      metrics: data.metricCount,
      "data points": data.itemCount,
    }),
    normal: normalMetrics,
    detailed: detailedMetrics,
  },
  logs: {
    title: "Logs",
    counts: (data: Logs) => ({ "resource logs": lengthOf(data.resources()), "log records": data.itemCount }),
    normal: normalLogs,
    detailed: detailedLogs,
  },
  profiles: {
    title: "Profiles",
    counts: (data: Profiles) => ({
      "resource profiles": decode<"profiles">(data).resourceProfiles.length,
      "sample records": data.itemCount,
    }),
    normal: normalProfiles,
    detailed: detailedProfiles,
  },
};

function lengthOf(items: Iterable<unknown>): number {
  let length = 0;
  for (const _ of items) length += 1;
  return length;
}
