import type { ProcessorSettings } from "../../config/telemetry/exporter.ts";
import type { FinishedSpan } from "../tracing/tracing.ts";
import { openRecordSender, type RecordSender, type SendingOptions } from "./record_sender.ts";
import { type SdkSpan, sameScopes, sdkResource, sdkTime } from "./sdk_types.ts";

/** Own spans on their way out. */
export type SpanSender = RecordSender<FinishedSpan>;

/** Sends own spans as OTLP, to each of `processors`. @throws {Error} when one cannot be opened. */
export async function openSpanSender(
  processors: readonly ProcessorSettings[],
  options: SendingOptions,
): Promise<SpanSender> {
  const { JsonTraceSerializer, ProtobufTraceSerializer } = await import("./opentelemetry.ts");
  const toSdk = sdkSpanMaker(sdkResource(options.resource, options.schemaUrl));
  const sender = await openRecordSender<SdkSpan>(
    {
      signal: "traces",
      encode: (spans) => ({
        protobuf: () => ProtobufTraceSerializer.serializeRequest(spans),
        json: () => JsonTraceSerializer.serializeRequest(spans),
      }),
      failed: (error, spans) => [{ error, dropped_spans: spans }, "Sending own spans failed."],
      overflow: "Own spans come faster than they are sent; some are not sent.",
    },
    processors,
    options,
  );
  return { add: (span) => sender.add(toSdk(span)), stop: () => sender.stop() };
}

/** The numbers of OpenTelemetry's API. */
const kinds = { internal: 0, server: 1, client: 2 } as const;
const statusUnset = 0;
const statusError = 2;

function sdkSpanMaker(resource: SdkSpan["resource"]): (span: FinishedSpan) => SdkSpan {
  const scopeOf = sameScopes<SdkSpan["instrumentationScope"]>();
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
    instrumentationScope: scopeOf(span.scope, span.component),
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  });
}

function sdkContext({ traceId, spanId, isSampled, isRemote, traceState }: FinishedSpan["context"]) {
  const state = traceState === undefined ? {} : { traceState: { serialize: () => traceState } };
  return { traceId, spanId, traceFlags: isSampled ? 1 : 0, isRemote, ...state } as ReturnType<SdkSpan["spanContext"]>;
}
