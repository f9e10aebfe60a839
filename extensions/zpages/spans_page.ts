import type { OwnSpansView, OwnSpanView } from "../../pipeline/view.ts";
import type { Page, Table } from "./pages.ts";

const buckets = [">0s", ">10µs", ">100µs", ">1ms", ">10ms", ">100ms", ">1s", ">10s", ">1m40s"];

/** What `ztype` says: 1 those of a latency bucket, 2 those that failed. @see Go: `contrib/zpages`. */
const byLatency = "1";
const byFailure = "2";

/** Own spans by name and latency; `zspanname`, `ztype` and `zlatencybucket` show some of them. */
export function spansPage(spans: OwnSpansView | undefined, query: URLSearchParams): Page {
  const title = "Trace Spans";
  if (spans === undefined) {
    const note = "No own spans are recorded: service::telemetry::traces has no processors.";
    return { title, tables: [{ rows: [[note]] }], data: { spans: [] } };
  }
  const summaries = spans.summaries();
  const name = query.get("zspanname") ?? "";
  const bucket = Number(query.get("zlatencybucket") ?? 0);
  const chosen = chosenSpans(spans, name, query.get("ztype") ?? "", bucket);
  return {
    title,
    tables: [
      {
        columns: ["Span Name", "Running", ...buckets.map((label) => `Latency ${label}`), "Error"],
        rows: summaries.map((one) => [
          one.name,
          String(one.running),
          ...one.latencies.map((count, index) => countCell(count, one.name, byLatency, index)),
          countCell(one.errors, one.name, byFailure, 0),
        ]),
      },
      ...(chosen === undefined ? [] : [spansTable(name, chosen)]),
    ],
    data: {
      spans: summaries,
      latencyBuckets: buckets,
      ...(chosen !== undefined && { chosen: { name, spans: chosen } }),
    },
  };
}

function chosenSpans(
  spans: OwnSpansView,
  name: string,
  type: string,
  bucket: number,
): readonly OwnSpanView[] | undefined {
  if (name === "" || (type !== byLatency && type !== byFailure)) return undefined;
  return spans.spans(name, type === byFailure ? "failed" : bucket);
}

function countCell(count: number, name: string, type: string, bucket: number) {
  if (count === 0) return "0";
  const query = new URLSearchParams({ zspanname: name, ztype: type, zlatencybucket: String(bucket) });
  return { label: String(count), to: `?${query}` };
}

function spansTable(name: string, spans: readonly OwnSpanView[]): Table {
  return {
    name,
    columns: ["When", "Elapsed", "Trace, span and parent", "Attributes, events and error"],
    rows: spans.map(({ startUnixMs, durationMs, traceId, spanId, parentSpanId = "", attributes, events, error }) => [
      new Date(startUnixMs).toISOString(),
      `${durationMs.toFixed(3)} ms`,
      { parts: [traceId, spanId, parentSpanId] },
      {
        parts: [
          ...Object.entries(attributes).map(([key, value]) => `${key}: ${value}`),
          ...events.map((event) => `${event.afterMs.toFixed(3)} ms ${event.name}`),
          ...(error === undefined ? [] : [`error: ${error}`]),
        ],
      },
    ]),
  };
}
