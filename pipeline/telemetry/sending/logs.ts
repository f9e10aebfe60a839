import type { ProcessorSettings } from "../../config/telemetry/exporter.ts";
import type { Clock } from "../../host.ts";
import type { LogEntry, LogLevel } from "../logger.ts";
import { openRecordSender, type RecordSender, type SendingOptions } from "./record_sender.ts";
import { type SdkLogRecord, sameScopes, sdkResource, sdkTime } from "./sdk_types.ts";

/** Own log records on their way out. */
export type LogSender = RecordSender<LogEntry>;

/** Sends own log lines as OTLP, to each of `processors`. @throws {Error} when one cannot be opened. */
export async function openLogSender(
  processors: readonly ProcessorSettings[],
  options: SendingOptions,
): Promise<LogSender> {
  const { JsonLogsSerializer, ProtobufLogsSerializer } = await import("./opentelemetry.ts");
  const toRecord = recordMaker(sdkResource(options.resource, options.schemaUrl), options.clock);
  const sender = await openRecordSender<SdkLogRecord>(
    {
      signal: "logs",
      encode: (records) => ({
        protobuf: () => ProtobufLogsSerializer.serializeRequest(records),
        json: () => JsonLogsSerializer.serializeRequest(records),
      }),
      failed: (error, records) => [{ error, dropped_records: records }, "Sending own logs failed."],
      overflow: "Own log lines come faster than they are sent; some are not sent.",
    },
    processors,
    options,
  );
  return { add: (entry) => sender.add(toRecord(entry)), stop: () => sender.stop() };
}

const severities: Readonly<Record<LogLevel, number>> = {
  debug: 5,
  info: 9,
  warn: 13,
  error: 17,
  dpanic: 18,
  panic: 19,
  fatal: 21,
};

/** The scope of records of the service and its components, as in the Collector. */
const scopeName = "go.opentelemetry.io/collector/service";

function recordMaker(resource: SdkLogRecord["resource"], clock: Clock): (entry: LogEntry) => SdkLogRecord {
  const scopeOf = sameScopes<SdkLogRecord["instrumentationScope"]>();
  return ({ level, unixMs, message, component, fields }) => ({
    hrTime: sdkTime(unixMs),
    hrTimeObserved: sdkTime(clock.nowMs()),
    severityNumber: severities[level],
    severityText: level,
    body: message,
    attributes: attributesOf(fields),
    droppedAttributesCount: 0,
    instrumentationScope: scopeOf({ name: scopeName }, component),
    resource,
  });
}

/** The fields of a line as its JSON has them: an error is its message. */
function attributesOf(fields: object): SdkLogRecord["attributes"] {
  try {
    return JSON.parse(JSON.stringify(fields, (_key, value) => (value instanceof Error ? value.message : value)));
  } catch {
    return {};
  }
}
