import type { TableSource, TableWindow } from "../board.ts";
import type { BookedHost } from "../host.ts";
import type { Traces } from "../pdata/index.ts";
import { EarlyWindows } from "./early_windows.ts";
import { type AggregationEngine, pauseOn } from "./engine.ts";
import { openEngine } from "./engines.ts";
import { compilePlan, type Plan } from "./plan.ts";
import type { AggregateSettings } from "./settings.ts";
import { SkippedSpans } from "./skipped.ts";
import { SpanFeed } from "./span_feed.ts";
import { TableHistory } from "./tables.ts";
import { type ClosedWindow, SpanWindows } from "./windows.ts";

/** Windows computed between two pauses, 3 ms when they are small: old telemetry closes thousands at once. */
const windowsPerStep = 32;

/** A window's table and how many spans it is made of. */
export interface AggregatedWindow {
  readonly table: TableWindow;
  readonly spanCount: number;
}

type OnWindow = (window: AggregatedWindow) => void | Promise<void>;

/**
 * Spans in, tables out: reads spans into the columns of their windows, has the engine compute each window that closes,
 * one after the other, and publishes the tables. Memory of open and queued windows is charged to the process's byte
 * budget, so that receivers push back before it runs out.
 */
export class SpanAggregation {
  readonly #host: BookedHost;
  readonly #plan: Plan;
  readonly #engine: Promise<AggregationEngine>;
  readonly #feed: SpanFeed;
  readonly #windows: SpanWindows;
  readonly #skipped: SkippedSpans;
  readonly #early: EarlyWindows;
  readonly #history: TableHistory;
  readonly #onWindow: OnWindow;
  /** Closed windows still to be computed, in order. */
  #work: Promise<void> = Promise.resolve();
  #computedCount = 0;
  #queuedBytes = 0;
  #chargedBytes = 0;

  /** @param onWindow called with every closed window once it is computed; the next one waits until it is done. */
  constructor(settings: AggregateSettings, host: BookedHost, onWindow: OnWindow = () => {}) {
    this.#host = host;
    this.#onWindow = onWindow;
    this.#plan = compilePlan(settings.groupBy, settings.columns);
    this.#skipped = new SkippedSpans(host);
    this.#early = new EarlyWindows(host);
    this.#windows = new SpanWindows(settings, this.#plan, host.clock, (window) => this.#compute(window));
    this.#feed = new SpanFeed(host, (part) => this.#windows.append(part, this.#skipped.counts));
    this.#history = new TableHistory(settings.history, () => this.#facts(settings));
    this.#engine = openEngine(settings.engine, host).then((engine) => (this.#history.computedBy = engine));
  }

  /** The tables, for the board. */
  get tables(): TableSource {
    return this.#history;
  }

  /** Reads `traces` into their windows: at once, or in steps when it is long. `onRead` gets how many were skipped, and why. */
  take(traces: Traces, onRead: (skipped: ReadonlyMap<string, number>) => void = () => {}): void {
    this.#feed.push(traces, () => {
      onRead(this.#skipped.report());
      this.#windows.advance();
      this.#charge();
    });
  }

  /** Closes every window; resolves when all tables are out. */
  async flush(): Promise<void> {
    await this.#feed.settled();
    this.#windows.closeAll();
    await this.#work;
    this.#charge();
  }

  /** Resolves when the engine has answered its handshake; spans are taken before, too. */
  async ready(): Promise<void> {
    await this.#engine;
  }

  /** Drops windows that are still open and closes the engine. Returns the spans dropped. Safe to call twice. */
  async stop(): Promise<number> {
    const dropped = this.#windows.discard();
    this.#charge();
    await this.#work;
    await (await this.#engine).close();
    return dropped;
  }

  #compute({ startUnixMs, endUnixMs, frame, isFull }: ClosedWindow): void {
    const { sizeBytes, rowCount: spanCount } = frame;
    if (isFull) this.#early.closed(spanCount);
    this.#queuedBytes += sizeBytes;
    this.#skipped.overflowed(frame.overflowCount);
    const compute = async () => {
      if (++this.#computedCount % windowsPerStep === 0) await pauseOn(this.#host.clock)();
      const engine = await this.#engine;
      const columns = frame.answer(await engine.aggregate(frame.table(), this.#plan.query));
      const table = { startUnixMs, endUnixMs, rowCount: columns[0]?.length ?? 0, columns };
      this.#queuedBytes -= sizeBytes;
      this.#charge();
      this.#history.add(table);
      await this.#onWindow({ table, spanCount });
    };
    this.#work = this.#work.then(compute).catch((error: Error) => this.#host.fatal(error));
  }

  #charge(): void {
    const bytes = this.#windows.sizeBytes + this.#queuedBytes;
    const more = bytes - this.#chargedBytes;
    if (more > 0) this.#host.budget.take(more);
    if (more < 0) this.#host.budget.give(-more);
    this.#chargedBytes = bytes;
  }

  #facts({ windowMs }: AggregateSettings): readonly { readonly label: string; readonly text: string }[] {
    const { name, tally = "" } = this.#history.computedBy;
    return [
      { label: "engine", text: name },
      { label: "windows", text: `${windowMs / 1000} s` },
      ...(tally === "" ? [] : [{ label: "computed by", text: tally }]),
      { label: "late spans", text: String(this.#skipped.lateTotal) },
      ...(this.#early.total === 0 ? [] : [{ label: "full windows", text: String(this.#early.total) }]),
    ];
  }
}
