import type { OwnSpansView, OwnSpanView } from "../../view.ts";
import type { FinishedSpan } from "./tracing.ts";

/** Upper bounds of the latency buckets in milliseconds; the last has none. @see Go: `contrib/zpages`. */
export const latencyBoundsMs: readonly number[] = [0.01, 0.1, 1, 10, 100, 1_000, 10_000, 100_000];

/** As many are kept of a name in each bucket, and of its failures. */
const keptSpans = 10;
/** Names past these are not looked at: a name may hold the path of a stranger's request. */
const mostNames = 200;

interface Kept {
  running: number;
  readonly buckets: { count: number; readonly spans: OwnSpanView[] }[];
  readonly failed: { count: number; readonly spans: OwnSpanView[] };
}

/** The last own spans, by name and by how long they took. */
export class RecentSpans implements OwnSpansView {
  readonly #names = new Map<string, Kept>();

  started(name: string): void {
    const kept = this.#of(name);
    if (kept !== undefined) kept.running += 1;
  }

  ended(span: FinishedSpan): void {
    const kept = this.#of(span.name);
    if (kept === undefined) return;
    kept.running -= 1;
    const view = viewOf(span);
    const at = latencyBoundsMs.findIndex((bound) => view.durationMs < bound);
    const bucket = span.error === undefined ? kept.buckets[at < 0 ? latencyBoundsMs.length : at] : kept.failed;
    if (bucket === undefined) return;
    bucket.count += 1;
    bucket.spans.push(view);
    if (bucket.spans.length > keptSpans) bucket.spans.shift();
  }

  summaries() {
    return [...this.#names]
      .map(([name, { running, buckets, failed }]) => {
        return { name, running, latencies: buckets.map(({ count }) => count), errors: failed.count };
      })
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  spans(name: string, which: "failed" | number): readonly OwnSpanView[] {
    const kept = this.#names.get(name);
    return (which === "failed" ? kept?.failed : kept?.buckets[which])?.spans ?? [];
  }

  #of(name: string): Kept | undefined {
    const known = this.#names.get(name);
    if (known !== undefined || this.#names.size >= mostNames) return known;
    const empty = () => ({ count: 0, spans: [] });
    const buckets = Array.from({ length: latencyBoundsMs.length + 1 }, empty);
    const made: Kept = { running: 0, buckets, failed: empty() };
    this.#names.set(name, made);
    return made;
  }
}

function viewOf({ context, parent, startUnixMs, endUnixMs, attributes, events, error }: FinishedSpan): OwnSpanView {
  const durationMs = endUnixMs - startUnixMs;
  const { traceId, spanId } = context;
  const marks = events.map(({ name, unixMs }) => ({ name, afterMs: unixMs - startUnixMs }));
  return { startUnixMs, durationMs, traceId, spanId, parentSpanId: parent?.spanId, attributes, events: marks, error };
}
