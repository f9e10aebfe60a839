import type { ProcessorSettings } from "../../config/telemetry/exporter.ts";
import type { FinishedSpan } from "../tracing/tracing.ts";
import { openDestination } from "./destination.ts";
import type { SendingOptions } from "./logs.ts";
import { RecordBatches } from "./record_batches.ts";
import { type SdkSpan, sdkResource, sdkTime } from "./sdk_types.ts";

/** Own spans on their way out. */
export interface SpanSender {
  add(span: FinishedSpan): void;
  /** Sends what waits. */
  stop(): Promise<void>;
}

/** Sends own spans as OTLP, to each of `processors`. @throws {Error} when one cannot be opened. */
export async function openSpanSender(
  processors: readonly ProcessorSettings[],
  options: SendingOptions,
): Promise<SpanSender> {
  const { JsonTraceSerializer, ProtobufTraceSerializer } = await import("./opentelemetry.ts");
  const { clock, logger } = options;
  const toSdk = sdkSpanMaker(sdkResource(options.resource, options.schemaUrl));
  const ways = await Promise.all(
    processors.map(async (settings) => {
      const destination = await openDestination(settings.exporter, "traces", options);
      const send = async (spans: readonly SdkSpan[]) => {
        const request = {
          protobuf: () => ProtobufTraceSerializer.serializeRequest([...spans]),
          json: () => JsonTraceSerializer.serializeRequest([...spans]),
        };
        await destination.send(request, settings.timeoutMs).catch((error: unknown) => {
          logger.warn({ error, dropped_spans: spans.length }, "Sending own spans failed.");
        });
      };
      const onDropped = () => logger.warn({}, "Own spans come faster than they are sent; some are not sent.");
      return { batches: new RecordBatches(settings, clock, send, onDropped), destination };
    }),
  );
  return {
    add(span) {
      const record = toSdk(span);
      for (const { batches } of ways) batches.add(record);
    },
    async stop() {
      await Promise.all(ways.map(({ batches }) => batches.stop()));
      for (const { destination } of ways) destination.close();
    },
  };
}

/** The numbers of OpenTelemetry's API. */
const kinds = { internal: 0, server: 1, client: 2 } as const;
const statusUnset = 0;
const statusError = 2;

function sdkSpanMaker(resource: SdkSpan["resource"]): (span: FinishedSpan) => SdkSpan {
  // The SDK groups spans by the identity of their scope.
  const scopes = new Map<string, SdkSpan["instrumentationScope"]>();
  const scopeOf = ({ scope, component }: FinishedSpan) => {
    const key = JSON.stringify([scope, component]);
    const known = scopes.get(key);
    if (known !== undefined) return known;
    const made = { ...scope, attributes: component };
    scopes.set(key, made);
    return made;
  };
  return (span) => ({
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => sdkContext(span.context),
    ...(span.parent !== undefined && { parentSpanContext: sdkContext(span.parent) }),
    startTime: sdkTime(span.startUnixMs),
    endTime: sdkTime(span.endUnixMs),
    duration: sdkTime(span.endUnixMs - span.startUnixMs),
    ended: true,
    status: span.error === undefined ? { code: statusUnset } : { code: statusError, message: span.error },
    attributes: span.attributes,
    links: [],
    events: span.events.map(({ name, unixMs, attributes }) => ({ name, time: sdkTime(unixMs), attributes })),
    resource,
    instrumentationScope: scopeOf(span),
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  });
}

function sdkContext({ traceId, spanId, isSampled, isRemote, traceState }: FinishedSpan["context"]) {
  const state = traceState === undefined ? {} : { traceState: { serialize: () => traceState } };
  return { traceId, spanId, traceFlags: isSampled ? 1 : 0, isRemote, ...state } as ReturnType<SdkSpan["spanContext"]>;
}
