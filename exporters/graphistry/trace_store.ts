import type { Pause } from "../../pipeline/frame/engine.ts";
import type { ByteBudget } from "../../pipeline/host.ts";
import type { Span, Traces } from "../../pipeline/pdata/index.ts";
import { HeldChunk, type HeldSpan } from "./held_chunk.ts";
import { perStep } from "./in_steps.ts";
import type { SpanFacts } from "./span_facts.ts";

export interface StoreLimits {
  readonly maxSpans: number;
  readonly maxBytes: number;
}

/**
 * The last traces, whole. Above a limit the trace that has had no new span for longest leaves; of a single trace that is
 * over it alone, its first spans. A span that comes again replaces itself. Memory is charged to the byte budget.
 */
export class TraceStore {
  readonly #limits: StoreLimits;
  readonly #budget: ByteBudget;
  /** By trace id, the least recently extended first; spans by span id. */
  readonly #traces = new Map<string, Map<string, HeldSpan>>();
  readonly #chunks = new Set<HeldChunk>();
  #latest = "";
  #spanCount = 0;
  #sizeBytes = 0;
  #version = 0;

  constructor(limits: StoreLimits, budget: ByteBudget) {
    this.#limits = limits;
    this.#budget = budget;
  }

  /** Rises with every change. */
  get version(): number {
    return this.#version;
  }

  get spanCount(): number {
    return this.#spanCount;
  }

  get traceCount(): number {
    return this.#traces.size;
  }

  /** Bytes of the buffers held. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Keeps the spans that have both ids, and returns how many have not. The batch is held, not copied. */
  add(traces: Traces): number {
    let without = 0;
    for (const chunk of traces.chunks) {
      const held = new HeldChunk(chunk);
      for (const span of held.spans()) if (!this.#keep(held, span)) without++;
      this.#chunks.add(held);
      this.#account(held.sizeBytes);
      this.#settle(held);
    }
    this.#evict();
    this.#version++;
    return without;
  }

  /** Reads what the graph says of the spans that are held, with pauses, so that `spans` has it. */
  async readFacts(pause: Pause): Promise<void> {
    let read = 0;
    for (const chunk of [...this.#chunks]) {
      read += chunk.readFacts();
      if (read < perStep) continue;
      read = 0;
      await pause();
    }
  }

  /** What the graph says of every span, trace by trace. */
  spans(): readonly SpanFacts[] {
    for (const chunk of this.#chunks) chunk.readFacts();
    const all: SpanFacts[] = [];
    for (const trace of this.#traces.values()) {
      for (const { facts } of trace.values()) if (facts !== undefined) all.push(facts);
    }
    return all;
  }

  /** A span with all it has, as a cursor that is valid until the next read. */
  find(traceId: string, spanId: string): Span | undefined {
    const span = this.#traces.get(traceId)?.get(spanId);
    return span?.chunk.open(span);
  }

  clear(): void {
    this.#traces.clear();
    this.#chunks.clear();
    this.#account(-this.#sizeBytes);
    this.#spanCount = 0;
    this.#latest = "";
    this.#version++;
  }

  #keep(chunk: HeldChunk, cursor: Span): boolean {
    if (cursor.traceId.isEmpty || cursor.spanId.isEmpty) {
      chunk.push(cursor.sizeBytes, undefined);
      return false;
    }
    const traceId = cursor.traceId.hex();
    const spanId = cursor.spanId.hex();
    const trace = this.#touch(traceId);
    const before = trace.get(spanId);
    if (before !== undefined) this.#release([before]);
    const span = chunk.push(cursor.sizeBytes, { traceId, spanId });
    if (span !== undefined) trace.set(spanId, span);
    this.#spanCount++;
    return true;
  }

  #touch(traceId: string): Map<string, HeldSpan> {
    const trace = this.#traces.get(traceId) ?? new Map<string, HeldSpan>();
    if (this.#latest !== traceId) {
      this.#traces.delete(traceId);
      this.#traces.set(traceId, trace);
      this.#latest = traceId;
    }
    return trace;
  }

  #evict(): void {
    const { maxSpans, maxBytes } = this.#limits;
    while (this.#spanCount > maxSpans || this.#sizeBytes > maxBytes) {
      const [oldest] = this.#traces;
      if (oldest === undefined) return;
      const [traceId, trace] = oldest;
      if (this.#traces.size > 1) {
        this.#traces.delete(traceId);
        this.#release([...trace.values()]);
      } else if (!this.#shorten(trace)) {
        return;
      }
    }
  }

  /** Gives up the first spans of the only trace; false when a single span is left. */
  #shorten(trace: Map<string, HeldSpan>): boolean {
    const { maxSpans } = this.#limits;
    const surplus = trace.size > maxSpans ? trace.size - maxSpans : Math.ceil(trace.size / 8);
    const first: HeldSpan[] = [];
    for (const span of trace.values()) {
      if (first.length === surplus || first.length === trace.size - 1) break;
      first.push(span);
    }
    for (const { spanId } of first) trace.delete(spanId);
    this.#release(first);
    return first.length > 0;
  }

  #release(spans: readonly HeldSpan[]): void {
    const touched = new Set<HeldChunk>();
    for (const span of spans) {
      const { chunk } = span;
      if (this.#chunks.has(chunk) && !touched.has(chunk)) {
        this.#account(-chunk.sizeBytes);
        touched.add(chunk);
      }
      chunk.release(span);
    }
    this.#spanCount -= spans.length;
    for (const chunk of touched) {
      chunk.compact();
      this.#account(chunk.sizeBytes);
      this.#settle(chunk);
    }
  }

  /** Forgets a chunk without spans. */
  #settle(chunk: HeldChunk): void {
    if (chunk.sizeBytes === 0) this.#chunks.delete(chunk);
  }

  #account(bytes: number): void {
    this.#sizeBytes += bytes;
    if (bytes >= 0) this.#budget.take(bytes);
    else this.#budget.give(-bytes);
  }
}
