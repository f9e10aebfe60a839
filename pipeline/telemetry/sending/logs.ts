import type { ProcessorSettings } from "../../config/telemetry/exporter.ts";
import type { Clock, Logger } from "../../host.ts";
import type { LogEntry, LogLevel } from "../logger.ts";
import type { Resource } from "../resource.ts";
import { openDestination } from "./destination.ts";
import { RecordBatches } from "./record_batches.ts";
import { type SdkLogRecord, sdkResource, sdkTime } from "./sdk_types.ts";

/** What sends own telemetry needs to know of it. */
export interface SendingOptions {
  readonly clock: Clock;
  /** Gets what goes wrong. Its lines are not sent. */
  readonly logger: Logger;
  readonly userAgent: string;
  readonly resource: Resource;
  readonly schemaUrl: string | undefined;
  /** Gets what the console exporter says; standard output unless given. */
  readonly print?: (text: string) => void;
}

/** Own log records on their way out. */
export interface LogSender {
  add(entry: LogEntry): void;
  /** Sends what waits. */
  stop(): Promise<void>;
}

/** Sends own log lines as OTLP, to each of `processors`. @throws {Error} when one cannot be opened. */
export async function openLogSender(
  processors: readonly ProcessorSettings[],
  options: SendingOptions,
): Promise<LogSender> {
  const { JsonLogsSerializer, ProtobufLogsSerializer } = await import("./opentelemetry.ts");
  const { clock, logger } = options;
  const resource = sdkResource(options.resource, options.schemaUrl);
  const toRecord = recordMaker(resource, clock);
  const ways = await Promise.all(
    processors.map(async (settings) => {
      const destination = await openDestination(settings.exporter, "logs", options);
      const send = async (records: readonly SdkLogRecord[]) => {
        const request = {
          protobuf: () => ProtobufLogsSerializer.serializeRequest([...records]),
          json: () => JsonLogsSerializer.serializeRequest([...records]),
        };
        await destination.send(request, settings.timeoutMs).catch((error: unknown) => {
          logger.warn({ error, dropped_records: records.length }, "Sending own logs failed.");
        });
      };
      const onDropped = () => logger.warn({}, "Own log lines come faster than they are sent; some are not sent.");
      return { batches: new RecordBatches(settings, clock, send, onDropped), destination };
    }),
  );
  return {
    add(entry) {
      const record = toRecord(entry);
      for (const { batches } of ways) batches.add(record);
    },
    async stop() {
      await Promise.all(ways.map(({ batches }) => batches.stop()));
      for (const { destination } of ways) destination.close();
    },
  };
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
  // The SDK groups records by the identity of their scope.
  const scopes = new Map<string, SdkLogRecord["instrumentationScope"]>();
  const scopeOf = (component: LogEntry["component"]) => {
    const key = JSON.stringify(component);
    const known = scopes.get(key);
    if (known !== undefined) return known;
    const made = { name: scopeName, attributes: component };
    scopes.set(key, made);
    return made;
  };
  return ({ level, unixMs, message, component, fields }) => ({
    hrTime: sdkTime(unixMs),
    hrTimeObserved: sdkTime(clock.nowMs()),
    severityNumber: severities[level],
    severityText: level,
    body: message,
    attributes: attributesOf(fields),
    droppedAttributesCount: 0,
    instrumentationScope: scopeOf(component),
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
