import assert from "node:assert/strict";
import type { JaegerSpan, JaegerTag, JaegerTrace } from "../peers/jaeger.ts";
import { eventually } from "../peers/server.ts";
import { normalised, stamped } from "./expected.ts";
import type { Stage } from "./stage.ts";
import type { SentSpan } from "./truth.ts";

/** Compares every span with what Jaeger's API gives back for it: ids, parent, links, times, status, attributes, events, resource. */
export async function checkJaeger(stage: Stage, truth: readonly SentSpan[]): Promise<string> {
  let attributes = 0;
  let spans = 0;
  for (const [traceId, sent] of Map.groupBy(truth, (span) => span.traceId)) {
    const trace = await eventually(async () => {
      const found = await stage.jaeger.trace(traceId);
      return (found?.spans.length ?? 0) >= sent.length ? found : undefined;
    });
    assert.deepEqual(trace.spans.map(({ spanID }) => spanID).sort(), sent.map(({ spanId }) => spanId).sort());
    for (const span of sent) attributes += compareSpan(span, trace);
    spans += sent.length;
  }
  return `all ${spans} spans, ${attributes} attributes of spans and resources equal`;
}

/** Gives back how many attributes were compared. */
function compareSpan(sent: SentSpan, trace: JaegerTrace): number {
  const span = trace.spans.find(({ spanID }) => spanID === sent.spanId);
  assert.ok(span !== undefined);
  const { "w3c.tracestate": sampled, ...tags } = byKey(span.tags);
  // The sampler keeps everything at 100 % and says so.
  assert.match(String(sampled), /^ot=rv:[0-9a-f]{14};th:0$/);
  const expectedTags = asTags({ ...normalised(sent), ...derived(sent) });
  assert.deepEqual(tags, expectedTags, `${sent.name} ${sent.spanId}`);
  compareFrame(sent, span);
  compareEvents(sent, span);
  const process = trace.processes[span.processID];
  const { "service.name": service, ...resource } = stamped(sent);
  assert.equal(process?.serviceName, service);
  assert.deepEqual(byKey(process?.tags ?? []), asTags(resource));
  return Object.keys(tags).length + Object.keys(resource).length + 1;
}

function compareFrame(sent: SentSpan, span: JaegerSpan): void {
  assert.equal(span.operationName, sent.name);
  const parents = span.references.filter(({ refType }) => refType === "CHILD_OF").map(({ spanID }) => spanID);
  assert.deepEqual(parents, sent.parentSpanId === "" ? [] : [sent.parentSpanId]);
  const links = span.references.filter(({ refType }) => refType === "FOLLOWS_FROM");
  assert.deepEqual(
    links.map(({ traceID, spanID }) => ({ traceId: traceID, spanId: spanID })),
    sent.links,
  );
  assert.equal(span.startTime, Number(sent.startNano / 1000n));
  assert.equal(span.duration, Number((sent.endNano - sent.startNano) / 1000n));
}

function compareEvents(sent: SentSpan, span: JaegerSpan): void {
  const logs = span.logs.map(({ fields }) => byKey(fields));
  const events = sent.events.map(({ name, attributes }) => asTags({ event: name, ...attributes }));
  assert.deepEqual(logs, events);
}

const kinds = ["", "internal", "server", "client", "producer", "consumer"];
const statuses = ["", "OK", "ERROR"];

/** What Jaeger keeps as tags although OTLP has fields for it. */
function derived({ kind, statusCode, statusMessage, scope }: SentSpan): Record<string, unknown> {
  return {
    ...(kind > 0 ? { "span.kind": kinds[kind] } : {}),
    ...(statusCode > 0 ? { "otel.status_code": statuses[statusCode] } : {}),
    ...(statusCode === 2 ? { error: true } : {}),
    ...(statusMessage === "" ? {} : { "otel.status_description": statusMessage }),
    ...(scope.name === "" ? {} : { "otel.scope.name": scope.name }),
    ...(scope.version === "" ? {} : { "otel.scope.version": scope.version }),
  };
}

/** Plain values as Jaeger's JSON has them: numbers, and lists as JSON text. */
function asTags(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(values).map(([key, value]) => {
    if (typeof value === "bigint") return [key, Number(value)];
    return [key, Array.isArray(value) ? JSON.stringify(value) : value];
  });
  return Object.fromEntries(entries);
}

function byKey(tags: readonly JaegerTag[]): Record<string, unknown> {
  const keys = new Set(tags.map(({ key }) => key));
  assert.equal(keys.size, tags.length, "a tag came twice");
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}
