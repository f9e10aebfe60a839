import type { Clock, Timer } from "../host.ts";
import type { Span, Traces } from "../pdata/index.ts";
import type { Plan } from "./plan.ts";
import { SpanFrame } from "./span_frame.ts";

/** A window that takes no more spans. Times are half-open: a span that ends at `endUnixMs` is in the next one. */
export interface ClosedWindow {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly frame: SpanFrame;
  /**
   * It held `maxSpans` before its time was over: it ends with the latest of its spans, at least 1 µs after its
   * start, and what comes after is in another. Spans come in any order: it may hold some that end at its end or before its start.
   */
  readonly isFull: boolean;
}

export interface WindowSettings {
  readonly windowMs: number;
  readonly allowedLatenessMs: number;
  readonly maxGroups: number;
  /** With so many spans a window closes early. */
  readonly maxSpans: number;
}

/** Spans that were looked at but are in no window. */
export interface Skipped {
  /** Their window had closed. */
  late: number;
  /** They end further in the future than a window and the lateness allow. */
  ahead: number;
}

/** Parts of a full window last at least this long, so that no two begin together: 1 µs, which a double still tells apart. */
const shortestPartMs = 0.001;

/** An entry of a map of numbers, about. */
const cutBytes = 48;

/** What an open window holds, or what it holds since it was full. */
interface Part {
  readonly frame: SpanFrame;
  readonly startUnixMs: number;
  latestEndMs: number;
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
 *
 * A window that is full closes at once, up to its latest span, and the rest of its time becomes a window of its own: memory
 * is bounded, and every span is counted.
 */
export class SpanWindows {
  readonly #settings: WindowSettings;
  readonly #plan: Plan;
  readonly #clock: Clock;
  readonly #onClose: (window: ClosedWindow) => void;
  readonly #open = new Map<number, Part>();
  /** Where the next part of a window begins that was full. */
  readonly #cuts = new Map<number, number>();
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

  /** Memory held by open windows, and by where the parts of full ones begin. */
  get sizeBytes(): number {
    let size = this.#cuts.size * cutBytes;
    for (const { frame } of this.#open.values()) size += frame.sizeBytes;
    return size;
  }

  /** Puts spans into their windows; those that fit none are counted in `skipped`. Closes what is full; for the others see `advance`. */
  append(traces: Traces, skipped: Skipped): void {
    const { windowMs, allowedLatenessMs, maxSpans } = this.#settings;
    const nowMs = this.#clock.nowMs();
    const furthestMs = nowMs + windowMs + allowedLatenessMs;
    let latestMs = Number.NEGATIVE_INFINITY;
    let lastWindow = Number.NaN;
    let part: Part | undefined;
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
      if (window !== lastWindow || part === undefined) part = this.#partOf(window);
      lastWindow = window;
      part.frame.append(span);
      if (endMs > part.latestEndMs) part.latestEndMs = endMs;
      if (part.frame.rowCount < maxSpans) continue;
      this.#closeFull(window, part);
      part = undefined;
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
    for (const window of this.#cuts.keys()) this.#firstOpen = Math.max(this.#firstOpen, window + 1);
    this.#cuts.clear();
    this.#stopTimer();
  }

  /** Forgets open windows. Returns how many spans they held. */
  discard(): number {
    let spans = 0;
    for (const { frame } of this.#open.values()) spans += frame.rowCount;
    this.#open.clear();
    this.#cuts.clear();
    this.#stopTimer();
    return spans;
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  #partOf(window: number): Part {
    let part = this.#open.get(window);
    if (part === undefined) {
      const startUnixMs = this.#cuts.get(window) ?? window * this.#settings.windowMs;
      part = { frame: new SpanFrame(this.#plan, this.#settings.maxGroups), startUnixMs, latestEndMs: startUnixMs };
      this.#open.set(window, part);
    }
    return part;
  }

  #closeFull(window: number, { frame, startUnixMs, latestEndMs }: Part): void {
    const windowEndMs = (window + 1) * this.#settings.windowMs;
    const endUnixMs = Math.min(windowEndMs, Math.max(latestEndMs, startUnixMs + shortestPartMs));
    this.#open.delete(window);
    this.#cuts.set(window, endUnixMs);
    this.#onClose({ startUnixMs, endUnixMs, frame, isFull: true });
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
      const { frame, startUnixMs } = this.#open.get(window)!;
      this.#open.delete(window);
      this.#firstOpen = Math.max(this.#firstOpen, window + 1);
      this.#onClose({ startUnixMs, endUnixMs: (window + 1) * windowMs, frame, isFull: false });
    }
    for (const window of this.#cuts.keys()) if (window < this.#firstOpen) this.#cuts.delete(window);
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
