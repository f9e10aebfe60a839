import { type Chunk, filterSpans, receive, type Span, Traces } from "../../pipeline/pdata/index.ts";
import { readFacts, type SpanFacts } from "./span_facts.ts";

/** A span that is kept: where it lies, and what has been read of it. */
export interface HeldSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly sizeBytes: number;
  chunk: HeldChunk;
  /** Its place in the chunk. */
  index: number;
  facts: SpanFacts | undefined;
}

/**
 * One chunk of a batch as it came in, with those of its spans that are kept. It holds the chunk's buffer: nothing is
 * copied while most of its spans are kept, and the rest is copied out once they are less than half of its bytes.
 */
export class HeldChunk {
  #traces: Traces;
  #spans: (HeldSpan | undefined)[] = [];
  #allBytes = 0;
  #keptBytes = 0;
  #kept = 0;
  #isRead = false;

  constructor(chunk: Chunk) {
    this.#traces = new Traces([owned(chunk)]);
  }

  /** Memory held; 0 once no span is kept. */
  get sizeBytes(): number {
    return this.#kept === 0 ? 0 : (this.#traces.chunks[0]?.bytes.buffer.byteLength ?? 0);
  }

  /** Every span in order, by a reused cursor. */
  spans(): Iterable<Span> {
    return this.#traces.spans();
  }

  /** Keeps the span at the cursor, which is the next one in order. `undefined` passes one over. */
  push(sizeBytes: number, span: Pick<HeldSpan, "traceId" | "spanId"> | undefined): HeldSpan | undefined {
    this.#allBytes += sizeBytes;
    const held =
      span === undefined ? undefined : { ...span, sizeBytes, chunk: this, index: this.#spans.length, facts: undefined };
    this.#spans.push(held);
    if (held !== undefined) {
      this.#keptBytes += sizeBytes;
      this.#kept++;
    }
    return held;
  }

  /** Gives up a span. `compact` afterwards. */
  release(span: HeldSpan): void {
    this.#spans[span.index] = undefined;
    this.#keptBytes -= span.sizeBytes;
    this.#kept--;
  }

  /** Copies what is kept, when it is less than half, into a buffer of its own. */
  compact(): void {
    if (this.#kept === 0 || this.#keptBytes * 2 >= this.#allBytes) return;
    const spans = this.#spans;
    let index = 0;
    this.#traces = filterSpans(this.#traces, () => spans[index++] !== undefined);
    this.#spans = spans.filter((span) => span !== undefined);
    for (const [place, span] of this.#spans.entries()) if (span !== undefined) span.index = place;
    this.#allBytes = this.#keptBytes;
  }

  /** Reads the facts of the spans that are kept, once; returns how many spans it has read. */
  readFacts(): number {
    if (this.#isRead || this.#kept === 0) return 0;
    this.#isRead = true;
    let index = 0;
    for (const cursor of this.#traces.spans()) {
      const span = this.#spans[index++];
      if (span !== undefined) span.facts ??= readFacts(cursor, span.traceId, span.spanId);
    }
    return index;
  }

  /** The span as a cursor, valid until the next read. */
  open(span: HeldSpan): Span | undefined {
    let index = 0;
    for (const cursor of this.#traces.spans()) if (index++ === span.index) return cursor;
    return undefined;
  }
}

/** The chunk, copied when its bytes are a small part of a larger buffer. */
function owned(chunk: Chunk): Chunk {
  const { bytes } = chunk;
  if (bytes.buffer.byteLength <= bytes.length * 2) return chunk;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return receive("traces", copy).chunks[0] ?? chunk;
}
