import type { Figure, FigureSource, TableSource, TimeRange } from "../../pipeline/board.ts";
import type { Exporter } from "../../pipeline/component.ts";
import type { Delivery } from "../../pipeline/delivery.ts";
import { type Pause, pauseOn } from "../../pipeline/frame/engine.ts";
import { SpanFeed } from "../../pipeline/frame/span_feed.ts";
import type { ExporterHost, Timer } from "../../pipeline/host.ts";
import { bytesOfNestedCalls, NestedCalls } from "../../pipeline/llm/nested_calls.ts";
import { gap } from "../../pipeline/number_text.ts";
import type { Traces } from "../../pipeline/pdata/index.ts";
import { PublishedFiles } from "../../pipeline/published_files.ts";
import { figureJson } from "./figure.ts";
import { type Drawing, LatestFigure } from "./latest_figure.ts";
import { pageFigures } from "./page_figures.ts";
import { RangeSummaries } from "./range_summaries.ts";
import { readRequests } from "./read_requests.ts";
import { RequestStore } from "./request_store.ts";
import { fileFigures } from "./seed_figures.ts";
import { type Summary, summarize } from "./summary.ts";
import { TableFigures } from "./table_figures.ts";

/** Where figures are written when the config does not say. */
export const defaultDirectory = "./otelpipe-output/figures";

/** Without new requests figures still move with the window, this often. */
const idleRefreshMs = 10_000;

export interface PlotlySettings {
  /** Empty for no files. */
  readonly directory: string;
  readonly windowMs: number;
  readonly refreshIntervalMs: number;
  readonly writeIntervalMs: number;
  readonly maxPoints: number;
  readonly maxRequests: number;
  /** Ids of `aggregate` components whose tables are drawn too. */
  readonly tables: readonly string[];
}

/** Keeps the requests of the window, and draws the figures anew in an interval while there is something new. */
export class PlotlyExporter implements Exporter<Traces>, FigureSource {
  readonly #settings: PlotlySettings;
  readonly #host: ExporterHost;
  readonly #store: RequestStore;
  #calls: NestedCalls | undefined;
  readonly #feed: SpanFeed;
  readonly #files: PublishedFiles;
  readonly #figures = new Map<string, LatestFigure>();
  readonly #ranges = new RangeSummaries((range) => this.#summarize(range));
  /** Tables that have been published, also after their aggregate has ended: its last windows are still to be drawn. */
  readonly #tables = new Map<string, TableSource>();
  readonly #tableFigures: ReadonlyMap<string, TableFigures>;
  readonly #missingTables = new Set<string>();
  #dirty = true;
  #refreshedAtMs = 0;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #withdraw: () => void = () => {};
  #stopped = true;

  constructor(settings: PlotlySettings, host: ExporterHost) {
    this.#settings = settings;
    this.#host = host;
    this.#store = new RequestStore(settings.maxRequests, host.budget);
    this.#feed = new SpanFeed(host, (part) => readRequests(part, host.clock.nowMs(), this.#store, this.#nested()));
    this.#tableFigures = new Map(settings.tables.map((id) => [id, new TableFigures(id)]));
    this.#files = new PublishedFiles({ directory: settings.directory, defaultDirectory, what: "figures" }, host);
  }

  async start(): Promise<void> {
    if (!this.#stopped) return;
    this.#stopped = false;
    await this.#files.open();
    this.#withdraw = this.#host.board.publish("figures", this.#host.id, this);
    // Nobody looks at figures while the service starts.
    this.#arm(0);
  }

  /** Looks at every span: requests go into the figures, the others are done with. */
  consume(delivery: Delivery<Traces>): void {
    this.#feed.push(delivery.data, () => {
      this.#dirty = true;
      this.#host.sent(delivery.data.itemCount);
      delivery.ack();
    });
  }

  /** Draws what has come, so that the files are complete. */
  async drain(): Promise<void> {
    await this.#feed.settled();
    this.#disarm();
    await this.#refreshing;
    this.#disarm();
    this.#dirty = true;
    this.#writtenAtMs = Number.NEGATIVE_INFINITY;
    await this.#refresh();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#disarm();
    await this.#refreshing;
    this.#withdraw();
    this.#store.clear();
    if (this.#calls !== undefined) this.#host.budget.give(bytesOfNestedCalls);
    this.#calls = undefined;
  }

  /** Made with the first spans: 10 MB, however many come. */
  #nested(): NestedCalls {
    if (this.#calls === undefined) {
      this.#host.budget.take(bytesOfNestedCalls);
      this.#calls = new NestedCalls((row, share) => this.#store.takeBack(row, share));
    }
    return this.#calls;
  }

  figures(): readonly Figure[] {
    return [...this.#figures.values()];
  }

  facts(): readonly { readonly label: string; readonly text: string }[] {
    const ageMs = this.#host.clock.monotonicMs() - this.#refreshedAtMs;
    const facts = [
      { label: "figures", text: String(this.#figures.size) },
      { label: "", text: `${(ageMs / 1000).toFixed(1)}${gap}s old` },
    ];
    return this.#files.failed ? [...facts, { label: "files", text: "cannot be written" }] : facts;
  }

  #arm(delayMs = this.#settings.refreshIntervalMs): void {
    if (this.#stopped) return;
    this.#timer = this.#host.clock.setTimer(() => {
      this.#timer = undefined;
      this.#refreshing = this.#refresh()
        .catch((error: Error) => this.#host.fatal(error))
        .finally(() => this.#arm());
    }, delayMs);
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#host.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  async #refresh(): Promise<void> {
    const { clock } = this.#host;
    const isIdle = !this.#dirty && clock.monotonicMs() - this.#refreshedAtMs < idleRefreshMs;
    if (!isIdle) await this.#redraw();
    await this.#redrawTables();
  }

  async #redraw(): Promise<void> {
    const { clock } = this.#host;
    const { windowMs } = this.#settings;
    this.#dirty = false;
    const summary = await this.#summarize({ rangeMs: windowMs });
    this.#ranges.clear();
    this.#store.expire(summary.fromUnixMs);
    this.#refreshedAtMs = clock.monotonicMs();
    for (const { name, title, draw } of pageFigures) {
      const part = async (range: TimeRange) => draw(await this.#ranges.of(range));
      this.#update(name, title, { whole: () => draw(summary), part }, windowMs);
    }
    await this.#write(summary, pauseOn(clock));
  }

  /** Of what is kept: a range that reaches further back shows less than was there. */
  #summarize({ rangeMs, endUnixMs }: TimeRange): Promise<Summary> {
    const { clock } = this.#host;
    const { maxPoints } = this.#settings;
    const toUnixMs = endUnixMs ?? clock.nowMs();
    const window = { toUnixMs, windowMs: rangeMs, maxPoints, isPast: endUnixMs !== undefined };
    return summarize(this.#store, window, pauseOn(clock));
  }

  async #write(summary: Summary, pause: Pause): Promise<void> {
    const nowMs = this.#host.clock.monotonicMs();
    if (!this.#files.areOn || nowMs - this.#writtenAtMs < this.#settings.writeIntervalMs) return;
    this.#writtenAtMs = nowMs;
    for (const { name, draw } of fileFigures) {
      const figure = draw(summary);
      await pause();
      await this.#files.replace(`${name}.json`, figureJson(figure));
    }
  }

  async #redrawTables(): Promise<void> {
    const pause = pauseOn(this.#host.clock);
    for (const [id, figures] of this.#tableFigures) {
      const source = this.#tablesOf(id);
      if (source === undefined) continue;
      for (const { name, title, drawing } of await figures.draw(source, pause)) {
        this.#update(name, title, drawing);
        if (this.#files.areOn) await this.#files.replace(`${name}.json`, figureJson(drawing.whole()));
      }
    }
  }

  #tablesOf(id: string): TableSource | undefined {
    const source = this.#host.board.find("tables", id) ?? this.#tables.get(id);
    if (source !== undefined) {
      this.#tables.set(id, source);
    } else if (!this.#missingTables.has(id)) {
      this.#missingTables.add(id);
      this.#host.logger.warn({ tables: id }, "No aggregate component of this id publishes tables.");
    }
    return source;
  }

  #update(name: string, title: string, drawing: Drawing, windowMs?: number): void {
    const figure = this.#figures.get(name) ?? new LatestFigure(name, title, drawing, windowMs);
    this.#figures.set(name, figure);
    figure.update(drawing);
  }
}
