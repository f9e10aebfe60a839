import type { Clock, Timer } from "../host.ts";
import type { Span, Traces } from "../pdata/index.ts";
import type { Plan } from "./plan.ts";
import { SpanFrame } from "./span_frame.ts";

/** A window that takes no more spans. Times are half-open: a span that ends at `endUnixMs` is in the next one. */
export interface ClosedWindow {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly frame: SpanFrame;
}

export interface WindowSettings {
  readonly windowMs: number;
  readonly allowedLatenessMs: number;
  readonly maxGroups: number;
  readonly maxSpans: number;
}

/** Spans that were looked at but are in no window. */
export interface Skipped {
  /** Their window had closed. */
  late: number;
  /** They end further in the future than a window and the lateness allow. */
  ahead: number;
  /** Their window holds `maxSpans` already. */
  full: number;
}

/**
 * Tumbling windows over spans, by the time a span **ends**: spans are sent when they end, so a long request would be
 * late by its whole length if its start counted. (One without an end counts by its start.)
 *
 * A window closes when the watermark reaches its end. The watermark is the latest end seen, less the allowed lateness;
 * once nothing later has come for the length of a window, it moves on with the wall clock. So with data it follows the
 * data, live or replayed, and senders that batch for some seconds are not late; without data the last window closes too.
 * An end in the future counts as now, or one sender with a wrong clock would make all others late; for the same reason
 * the watermark moves between batches, not within one.
 */
export class SpanWindows {
  readonly #settings: WindowSettings;
  readonly #plan: Plan;
  readonly #clock: Clock;
  readonly #onClose: (window: ClosedWindow) => void;
  readonly #open = new Map<number, SpanFrame>();
  #latestEndMs = Number.NEGATIVE_INFINITY;
  #latestSeenAtMs = 0;
  /** Windows below this number have closed. */
  #firstOpen = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(settings: WindowSettings, plan: Plan, clock: Clock, onClose: (window: ClosedWindow) => void) {
    this.#settings = settings;
    this.#plan = plan;
    this.#clock = clock;
    this.#onClose = onClose;
  }

  /** Memory held by open windows. */
  get sizeBytes(): number {
    let size = 0;
    for (const frame of this.#open.values()) size += frame.sizeBytes;
    return size;
  }

  /** Puts spans into their windows; those that fit none are counted in `skipped`. Closes nothing: see `advance`. */
  append(traces: Traces, skipped: Skipped): void {
    const { windowMs, allowedLatenessMs, maxSpans } = this.#settings;
    const nowMs = this.#clock.nowMs();
    const furthestMs = nowMs + windowMs + allowedLatenessMs;
    let latestMs = Number.NEGATIVE_INFINITY;
    let lastWindow = Number.NaN;
    let frame: SpanFrame | undefined;
    for (const span of traces.spans()) {
      const endMs = eventTimeMs(span);
      if (endMs > furthestMs) {
        skipped.ahead++;
        continue;
      }
      if (endMs > latestMs) latestMs = endMs;
      const window = Math.floor(endMs / windowMs);
      if (window < this.#firstOpen) {
        skipped.late++;
        continue;
      }
      if (window !== lastWindow || frame === undefined) frame = this.#frameOf(window);
      lastWindow = window;
      if (frame.rowCount < maxSpans) frame.append(span);
      else skipped.full++;
    }
    this.#saw(Math.min(latestMs, nowMs));
  }

  /** Closes the windows the watermark has passed, oldest first, and wakes up when the next one is due. */
  advance(): void {
    this.#closeBelow(Math.floor(this.#watermarkMs() / this.#settings.windowMs));
    this.#wakeForNext();
  }

  /** Closes every window, however young. */
  closeAll(): void {
    this.#closeBelow(Number.POSITIVE_INFINITY);
    this.#stopTimer();
  }

  /** Forgets open windows. Returns how many spans they held. */
  discard(): number {
    let spans = 0;
    for (const frame of this.#open.values()) spans += frame.rowCount;
    this.#open.clear();
    this.#stopTimer();
    return spans;
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  #frameOf(window: number): SpanFrame {
    let frame = this.#open.get(window);
    if (frame === undefined) {
      frame = new SpanFrame(this.#plan, this.#settings.maxGroups);
      this.#open.set(window, frame);
    }
    return frame;
  }

  #saw(latestMs: number): void {
    if (latestMs <= this.#latestEndMs + this.#idleMs()) return;
    this.#latestEndMs = latestMs;
    this.#latestSeenAtMs = this.#clock.monotonicMs();
  }

  /** How far the wall clock has carried the watermark past the latest end. */
  #idleMs(): number {
    return Math.max(0, this.#clock.monotonicMs() - this.#latestSeenAtMs - this.#settings.windowMs);
  }

  #watermarkMs(): number {
    return this.#latestEndMs + this.#idleMs() - this.#settings.allowedLatenessMs;
  }

  #closeBelow(limit: number): void {
    const due = [...this.#open.keys()].filter((window) => window < limit).sort((a, b) => a - b);
    if (limit !== Number.POSITIVE_INFINITY) this.#firstOpen = Math.max(this.#firstOpen, limit);
    const { windowMs } = this.#settings;
    for (const window of due) {
      const frame = this.#open.get(window)!;
      this.#open.delete(window);
      this.#firstOpen = Math.max(this.#firstOpen, window + 1);
      this.#onClose({ startUnixMs: window * windowMs, endUnixMs: (window + 1) * windowMs, frame });
    }
  }

  #wakeForNext(): void {
    if (this.#open.size === 0) {
      this.#stopTimer();
      return;
    }
    const { windowMs, allowedLatenessMs } = this.#settings;
    const nextEndMs = (Math.min(...this.#open.keys()) + 1) * windowMs;
    const atMs = this.#latestSeenAtMs + windowMs + nextEndMs + allowedLatenessMs - this.#latestEndMs;
    if (this.#timer !== undefined && this.#timerAtMs <= atMs) return;
    this.#stopTimer();
    this.#timerAtMs = atMs;
    this.#timer = this.#clock.setTimer(
      () => {
        this.#timer = undefined;
        this.#timerAtMs = Number.POSITIVE_INFINITY;
        this.advance();
      },
      Math.ceil(atMs - this.#clock.monotonicMs()),
    );
  }
}

function eventTimeMs(span: Span): number {
  const endMs = span.endUnixMs;
  return endMs === 0 ? span.startUnixMs : endMs;
}
