import type { Signal } from "../signal.ts";
import type { MessageType } from "./field.ts";
import { many, message, one } from "./field.ts";
import {
  exponentialHistogramDataPoint,
  histogramDataPoint,
  logRecord,
  numberDataPoint,
  resourceLogs,
  resourceMetrics,
  resourceSpans,
  span,
  summaryDataPoint,
} from "./messages.ts";
import { profilesDictionary, resourceProfiles, sample } from "./profile_messages.ts";

/** The export request of each signal: the message a batch is. */
export const requestType: Readonly<Record<Signal, MessageType>> = {
  traces: message("opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest", {
    resourceSpans: many(1, () => resourceSpans),
  }),
  metrics: message("opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest", {
    resourceMetrics: many(1, () => resourceMetrics),
  }),
  logs: message("opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest", {
    resourceLogs: many(1, () => resourceLogs),
  }),
  profiles: message("opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest", {
    resourceProfiles: many(1, () => resourceProfiles),
    dictionary: one(2, () => profilesDictionary),
  }),
};

/** The messages that are a batch's items: spans, log records, data points, profile samples. */
export const itemTypes: ReadonlySet<MessageType> = new Set([
  span,
  logRecord,
  numberDataPoint,
  histogramDataPoint,
  exponentialHistogramDataPoint,
  summaryDataPoint,
  sample,
]);

/** Every message a request of any signal may hold, the requests included. */
export function allMessages(): MessageType[] {
  const seen = new Set<MessageType>();
  const visit = (type: MessageType): void => {
    if (seen.has(type)) return;
    seen.add(type);
    for (const field of type.fields) if (field.kind === "message") visit(field.type());
  };
  Object.values(requestType).forEach(visit);
  return [...seen];
}
