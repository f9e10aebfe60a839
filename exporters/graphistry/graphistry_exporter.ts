import type { GraphShown, GraphSource, SpanDetail } from "../../pipeline/board.ts";
import type { Exporter } from "../../pipeline/component.ts";
import type { Delivery } from "../../pipeline/delivery.ts";
import { pauseOn } from "../../pipeline/frame/engine.ts";
import { SpanFeed } from "../../pipeline/frame/span_feed.ts";
import type { ExporterHost, Timer } from "../../pipeline/host.ts";
import type { Traces } from "../../pipeline/pdata/index.ts";
import type { GraphistrySettings } from "./config.ts";
import { Publisher } from "./publisher.ts";
import type { Fetch } from "./rest/client.ts";
import { undoTimeoutMs } from "./rest/upload.ts";
import { spanDetail } from "./span_detail.ts";
import { snapshotOf, type TraceGraph, traceGraph } from "./trace_graph.ts";
import { TraceStore } from "./trace_store.ts";

/** The graph takes no more than this part of the bytes that the whole process may hold. */
const largestShare = 4;

/**
 * Keeps the last traces and shows them as a graph.
 *
 * A span counts as sent, and its delivery is acked, once it is in the graph. Uploads and files are pictures of the graph
 * as it is then, not deliveries: a span that left the graph before one was made is no drop, and neither is a failed one.
 */
export class GraphistryExporter implements Exporter<Traces>, GraphSource {
  readonly #settings: GraphistrySettings;
  readonly #host: ExporterHost;
  readonly #store: TraceStore;
  readonly #feed: SpanFeed;
  readonly #publisher: Publisher;
  #graph: { readonly version: number; readonly graph: Promise<TraceGraph> } | undefined;
  #snapshot: { readonly version: number; readonly snapshot: Promise<GraphShown> } | undefined;
  #publishedVersion = 0;
  #publishing: Promise<void> = Promise.resolve();
  #aborter = new AbortController();
  #timer: Timer | undefined;
  #withdraw: () => void = () => {};
  #stopped = true;

  constructor(settings: GraphistrySettings, host: ExporterHost, fetch: Fetch = globalThis.fetch) {
    this.#settings = settings;
    this.#host = host;
    const { maxSpans, maxBytes } = settings;
    const limits = { maxSpans, maxBytes: Math.min(maxBytes, host.budget.limitBytes / largestShare) };
    this.#store = new TraceStore(limits, host.budget);
    this.#feed = new SpanFeed(host, (part) => this.#keep(part));
    this.#publisher = new Publisher(settings, host, fetch);
  }

  async start(): Promise<void> {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#aborter = new AbortController();
    await this.#publisher.open();
    this.#withdraw = this.#host.board.publish("graph", this.#host.id, this);
    this.#arm();
  }

  consume(delivery: Delivery<Traces>): void {
    this.#feed.push(delivery.data, () => delivery.ack());
  }

  /** Uploads and writes what is new, as far as the time allows. */
  async drain(deadlineMs: number): Promise<void> {
    const { clock } = this.#host;
    await this.#feed.settled();
    this.#disarm();
    const leftMs = Math.max(0, deadlineMs - clock.monotonicMs() - undoTimeoutMs);
    const timer = Number.isFinite(leftMs) ? clock.setTimer(() => this.#aborter.abort(outOfTime()), leftMs) : undefined;
    try {
      await this.#publishing;
      this.#disarm();
      await this.#publish();
    } finally {
      if (timer !== undefined) clock.clearTimer(timer);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#disarm();
    this.#aborter.abort(new Error("otelpipe is stopping"));
    await this.#publishing;
    this.#withdraw();
    this.#store.clear();
    this.#graph = undefined;
    this.#snapshot = undefined;
  }

  get version(): number {
    return this.#store.version;
  }

  get viewerUrl(): string | undefined {
    return this.#publisher.uploaded?.viewerUrl;
  }

  snapshot(): Promise<GraphShown> {
    const { version } = this.#store;
    if (this.#snapshot?.version !== version) {
      this.#snapshot = { version, snapshot: this.#currentGraph().then(snapshotOf) };
    }
    return this.#snapshot.snapshot;
  }

  span(traceId: string, spanId: string, reveal?: string): SpanDetail | undefined {
    const span = this.#store.find(traceId, spanId);
    return span === undefined ? undefined : spanDetail(span, reveal);
  }

  facts(): readonly { readonly label: string; readonly text: string }[] {
    const facts = [
      { label: "", text: this.#destination() },
      { label: "spans", text: String(this.#store.spanCount) },
      { label: "traces", text: String(this.#store.traceCount) },
    ];
    const { problem } = this.#publisher;
    return problem === undefined ? facts : [...facts, { label: "", text: problem }];
  }

  #destination(): string {
    const { account } = this.#settings;
    if (account !== undefined) return new URL(account.server).host;
    return this.#publisher.writesFiles ? "local files, no account" : "here only, no account";
  }

  #keep(part: Traces): void {
    const without = this.#store.add(part);
    this.#host.sent(part.itemCount - without);
    if (without > 0) this.#host.drop(without, "no_span_id");
  }

  #currentGraph(): Promise<TraceGraph> {
    const { version } = this.#store;
    if (this.#graph?.version !== version) this.#graph = { version, graph: this.#makeGraph() };
    return this.#graph.graph;
  }

  async #makeGraph(): Promise<TraceGraph> {
    const pause = pauseOn(this.#host.clock);
    await this.#store.readFacts(pause);
    return await traceGraph(this.#store.spans(), pause);
  }

  #arm(): void {
    if (this.#stopped || this.#publisher.isIdle) return;
    this.#timer = this.#host.clock.setTimer(() => {
      this.#timer = undefined;
      this.#publishing = this.#publish()
        .catch((error: Error) => this.#host.fatal(error))
        .finally(() => this.#arm());
    }, this.#settings.uploadIntervalMs);
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#host.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  async #publish(): Promise<void> {
    const { version } = this.#store;
    if (this.#publisher.isIdle || this.#store.spanCount === 0 || version === this.#publishedVersion) return;
    const isDone = await this.#publisher.publish(await this.#currentGraph(), this.#aborter.signal);
    if (isDone) this.#publishedVersion = version;
  }
}

function outOfTime(): Error {
  return new Error("no time left at shutdown");
}
