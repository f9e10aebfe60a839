import { Conversations } from "./conversation.ts";
import { type DefectName, plantDefect, type Shipment } from "./defects.ts";
import { dialects } from "./dialects/index.ts";
import type { DialectName } from "./dialects/names.ts";
import { markErrorOrigins } from "./errors.ts";
import { Random } from "./random.ts";
import { applications } from "./services.ts";
import type { GeneratorSettings } from "./settings.ts";
import { type ShapeName, shapeShares, shapes } from "./shapes/index.ts";
import { type Span, Trace } from "./span.ts";

/** A trace and when it comes to be. */
export interface PlannedTrace {
  readonly id: Buffer;
  readonly shape: ShapeName;
  /** Absent for noise. */
  readonly dialect: DialectName | undefined;
  readonly defect: DefectName | undefined;
  /** When its first span begins, in seconds of the run; below 0 when it began before. */
  readonly startSeconds: number;
}

/** Spans of one trace that are sent together, at `dueSeconds` of the run. */
export interface Parcel {
  readonly trace: PlannedTrace;
  readonly spans: readonly Span[];
  readonly dueSeconds: number;
  /** Whether they have been sent before. */
  readonly duplicate: boolean;
  /** Whether the trace is complete with this one, duplicates aside. */
  readonly last: boolean;
}

/** Spans that end within this time of each other are sent together. */
const exportSeconds = 1;
/** Spans held until they end; when there are more, further traces are sent whole. */
const mostHeld = 50_000;
/** How long before the run its longest traces begin, so that it starts in full swing; as far as that is cheap. */
const warmUpSeconds = 180;
const warmUpSpans = 20_000;
/** Spread of the time between two arrivals, as a multiple of its mean. */
const burstiness = 2;

/**
 * Makes traces, one after the other, from a seed alone: no clock, no shared state. `next` gives their spans in the order
 * in which they are to be sent.
 */
export class Generator {
  readonly #settings: GeneratorSettings;
  readonly #arrivals: Random;
  readonly #conversations = new Conversations();
  readonly #mix: Readonly<Record<DialectName, number>>;
  readonly #held = new ParcelQueue();
  #heldSpans = 0;
  #arrivalSeconds: number;
  #traceCount = 0;

  constructor(settings: GeneratorSettings) {
    this.#settings = settings;
    this.#arrivals = new Random(settings.seed, 0);
    this.#mix = withoutBatches(settings.dialects);
    const warmUp = settings.send === "ended" ? Math.min(warmUpSeconds, warmUpSpans / settings.spansPerSecond) : 0;
    this.#arrivalSeconds = -warmUp;
  }

  /** How many spans wait for the time at which they are sent. */
  get heldSpans(): number {
    return this.#heldSpans;
  }

  /** The next spans to send. There are always more. */
  next(): Parcel {
    for (;;) {
      const held = this.nextHeld(this.#arrivalSeconds);
      if (held !== undefined) return held;
      this.#plan();
    }
  }

  /** What is held of traces that have begun, in order, up to a time; undefined when there is nothing more. */
  nextHeld(untilSeconds = Number.POSITIVE_INFINITY): Parcel | undefined {
    const parcel = this.#held.pop(untilSeconds);
    this.#heldSpans -= parcel?.spans.length ?? 0;
    return parcel;
  }

  #plan(): void {
    const arrivalSeconds = this.#arrivalSeconds;
    const trace = new Trace(new Random(this.#settings.seed, ++this.#traceCount));
    const { shape, dialect } = this.#layOut(trace, arrivalSeconds);
    markErrorOrigins(trace.spans);
    const shipment = plantDefect(trace, this.#settings);
    for (const parcel of this.#parcels(trace, shipment, shape, dialect)) {
      if (parcel.dueSeconds < 0) continue;
      this.#held.push(parcel);
      this.#heldSpans += parcel.spans.length;
    }
    this.#arrivalSeconds += (trace.spans.length / this.#rateAt(arrivalSeconds)) * this.#arrivals.gamma(burstiness);
  }

  /** The load of the hour: a peak three times the trough. */
  #rateAt(seconds: number): number {
    const { spansPerSecond, daySeconds } = this.#settings;
    return daySeconds === 0
      ? spansPerSecond
      : spansPerSecond * (1 - 0.5 * Math.cos((2 * Math.PI * seconds) / daySeconds));
  }

  #layOut(trace: Trace, arrivalSeconds: number): { shape: ShapeName; dialect: DialectName | undefined } {
    const { random } = trace;
    const settings = this.#settings;
    const shape = random.weighted(shapeShares);
    const drawn = random.weighted(this.#mix);
    const name = shape === "batch" && settings.dialects.llamatelemetry > 0 ? "llamatelemetry" : drawn;
    const conversation = this.#conversations.next(name, arrivalSeconds, random);
    const captured = random.chance(settings.content ? 0.3 : 0.05);
    shapes[shape]({
      settings,
      random,
      trace,
      dialect: dialects[name],
      app: applications[name],
      arrivalSeconds,
      conversation,
      content: captured ? (settings.content ? "whole" : "short") : "none",
    });
    if (shape === "single_chat" || shape === "rag") {
      this.#conversations.turnEnded(name, conversation, 900, arrivalSeconds + trace.endNs / 1e9, random);
    }
    return { shape, dialect: shape === "noise" ? undefined : name };
  }

  #parcels(trace: Trace, shipment: Shipment, shape: ShapeName, dialect: DialectName | undefined): Parcel[] {
    const { spans, extra, defect } = shipment;
    const whole = this.#settings.send === "whole" || this.#heldSpans > mostHeld || defect === "out_of_order";
    const pieces = whole ? [spans] : byEnd(spans);
    const endOf = (piece: readonly Span[]) => piece.reduce((latest, { endNs }) => Math.max(latest, endNs), 0) / 1e9;
    const startSeconds = this.#arrivalSeconds - endOf(pieces[0] ?? []);
    const planned: PlannedTrace = { id: trace.id, shape, dialect, defect, startSeconds };
    const parcels: Parcel[] = pieces.map((piece) => ({
      trace: planned,
      spans: piece,
      dueSeconds: startSeconds + endOf(piece),
      duplicate: false,
      last: piece === pieces.at(-1) && (extra === undefined || extra.duplicate),
    }));
    const repeatsUnsent = extra?.duplicate === true && parcels.some(({ dueSeconds }) => dueSeconds < 0);
    if (extra !== undefined && !repeatsUnsent) {
      const dueSeconds = startSeconds + endOf(trace.spans) + extra.delaySeconds;
      const { duplicate } = extra;
      parcels.push({ trace: planned, spans: extra.spans, dueSeconds, duplicate, last: !duplicate });
    }
    return parcels;
  }
}

/** The mix for traces that are not batches: those are all in the notebook's dialect and take from its share. */
function withoutBatches(mix: GeneratorSettings["dialects"]): Record<DialectName, number> {
  const total = Object.values(mix).reduce((sum, weight) => sum + weight, 0);
  const batches = shapeShares.batch / (100 - shapeShares.noise);
  const others = total - mix.llamatelemetry;
  if (mix.llamatelemetry === 0 || others === 0) return { ...mix };
  return { ...mix, llamatelemetry: Math.max(0, mix.llamatelemetry - batches * total) };
}

/** Spans in the order of their ends, cut where a sender would have sent what it has. */
function byEnd(spans: readonly Span[]): Span[][] {
  const pieces: Span[][] = [];
  let firstEndNs = Number.NEGATIVE_INFINITY;
  for (const span of [...spans].sort((left, right) => left.endNs - right.endNs)) {
    if (span.endNs - firstEndNs > exportSeconds * 1e9) {
      pieces.push([]);
      firstEndNs = span.endNs;
    }
    pieces.at(-1)?.push(span);
  }
  return pieces;
}

/** Parcels by the time they are due; those due at the same time in the order they came. */
class ParcelQueue {
  readonly #heap: { readonly parcel: Parcel; readonly order: number }[] = [];
  #count = 0;

  push(parcel: Parcel): void {
    const heap = this.#heap;
    const entry = { parcel, order: this.#count++ };
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(entry, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = entry;
  }

  /** The first one, unless it is due after `untilSeconds`. */
  pop(untilSeconds: number): Parcel | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.parcel.dueSeconds > untilSeconds) return undefined;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return first.parcel;
  }

  #sink(entry: { readonly parcel: Parcel; readonly order: number }): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, entry)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = entry;
  }
}

type Entry = { readonly parcel: Parcel; readonly order: number };

function isBefore(left: Entry, right: Entry): boolean {
  return (
    left.parcel.dueSeconds < right.parcel.dueSeconds ||
    (left.parcel.dueSeconds === right.parcel.dueSeconds && left.order < right.order)
  );
}
