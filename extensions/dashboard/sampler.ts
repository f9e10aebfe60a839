import type {
  BooksRow,
  DropState,
  EdgeState,
  FigureState,
  GraphState,
  NodeState,
  Tick,
} from "../../dashboard/wire/messages.ts";
import type { Board } from "../../pipeline/board.ts";
import type { NodeView, ServiceView } from "../../pipeline/view.ts";
import { QueueHistory } from "./queue_history.ts";
import { sentenceOf } from "./sentence.ts";

/** Which published figures and graph a dashboard shows; undefined is all figures, the first graph. */
export interface Selection {
  readonly figures: readonly string[] | undefined;
  readonly graph: string | undefined;
}

/** How far back a rate looks. Long enough that a batch timeout does not make it jump. */
const rateWindowMs = 5_000;

interface Sample {
  readonly monotonicMs: number;
  readonly counters: ReadonlyMap<string, number>;
}

/** Takes the service's counters once a second and turns them into what the page shows, rates included. */
export class Sampler {
  readonly #service: ServiceView;
  readonly #board: Board;
  readonly #selection: Selection;
  readonly #samples: Sample[] = [];
  readonly #queues = new QueueHistory();

  constructor(service: ServiceView, board: Board, selection: Selection) {
    this.#service = service;
    this.#board = board;
    this.#selection = selection;
  }

  /** Reads everything once. `monotonicMs` times the rates, `unixMs` is what people are shown. */
  take(monotonicMs: number, unixMs: number): Tick {
    const views = this.#service.nodes();
    const edgeViews = this.#service.edges();
    this.#remember({ monotonicMs, counters: countersOf(views, edgeViews) });
    const states = views.map((view) => ({ view, state: this.#node(view) }));
    // What was removed while running is not shown any more, but counts in the totals.
    const nodes = states.filter(({ view }) => !view.isRemoved).map(({ state }) => state);
    const edges = edgeViews.map(
      (edge): EdgeState => ({
        from: edge.from,
        to: edge.to,
        pipelineId: edge.pipelineId,
        signal: edge.signal,
        items: edge.items,
        rate: this.#rate(edgeKey(edge)),
      }),
    );
    this.#queues.add(monotonicMs, nodes);
    const books = booksOf(states.map(({ state }) => state));
    const facts = {
      unixMs,
      startedUnixMs: this.#service.startedUnixMs,
      state: this.#service.state(),
      nodes,
      edges,
      books,
    };
    return {
      ...facts,
      command: this.#service.command,
      version: this.#service.version,
      configSources: this.#service.configSources,
      sentence: sentenceOf({
        ...facts,
        lastReload: this.#service.lastReload(),
        queueFullInMs: (key) => this.#queues.fullInMs(key),
      }),
      process: this.#service.process(),
      figures: this.#figures(),
      graph: this.#graph(),
    };
  }

  #remember(sample: Sample): void {
    this.#samples.push(sample);
    while (this.#samples.length > 2 && sample.monotonicMs - (this.#samples[1]?.monotonicMs ?? 0) >= rateWindowMs) {
      this.#samples.shift();
    }
  }

  /** Items per second of a counter; 0 until two samples exist. Edges give back what was refused, so never below 0. */
  #rate(key: string): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.monotonicMs <= first.monotonicMs) return 0;
    const items = (last.counters.get(key) ?? 0) - (first.counters.get(key) ?? 0);
    return Math.max(0, (items * 1000) / (last.monotonicMs - first.monotonicMs));
  }

  #node(view: NodeView): NodeState {
    const { books, key } = view;
    return {
      key,
      kind: view.kind,
      id: view.id,
      pipelineId: view.pipelineId,
      in: books.in,
      out: books.out,
      refused: books.refused,
      held: books.held,
      inRate: this.#rate(`${key} in`),
      outRate: this.#rate(`${key} out`),
      refusedRate: this.#rate(`${key} refused`),
      dropped: [...books.dropped].map(([reason, items]) => ({
        reason,
        items,
        rate: this.#rate(`${key} dropped ${reason}`),
        lost: isLoss(view.kind, reason),
      })),
      facts: [...view.facts(), ...this.#tableFacts(view)],
    };
  }

  /** Which engine computes a processor's tables, and why: a processor tells nothing but what it publishes. */
  #tableFacts({ kind, id }: NodeView): NodeState["facts"] {
    if (kind !== "processor") return [];
    return this.#board.find("tables", id)?.facts?.() ?? [];
  }

  #figures(): FigureState[] {
    const sources = [...this.#board.all("figures")];
    const wanted = this.#selection.figures;
    return sources
      .filter(([component]) => wanted === undefined || wanted.includes(component))
      .flatMap(([component, source]) =>
        source.figures().map(({ name, title, version, windowMs }) => ({ component, name, title, version, windowMs })),
      );
  }

  #graph(): GraphState | undefined {
    const sources = this.#board.all("graph");
    const component = this.#selection.graph ?? [...sources.keys()][0];
    const source = component === undefined ? undefined : sources.get(component);
    if (component === undefined || source === undefined) return undefined;
    return { component, version: source.version, viewerUrl: source.viewerUrl };
  }
}

function countersOf(nodes: readonly NodeView[], edges: ReturnType<ServiceView["edges"]>): ReadonlyMap<string, number> {
  const counters = new Map<string, number>();
  for (const { key, books } of nodes) {
    counters.set(`${key} in`, books.in);
    counters.set(`${key} out`, books.out);
    counters.set(`${key} refused`, books.refused);
    for (const [reason, items] of books.dropped) counters.set(`${key} dropped ${reason}`, items);
  }
  for (const edge of edges) counters.set(edgeKey(edge), edge.items);
  return counters;
}

function edgeKey(edge: { from: string; to: string; pipelineId: string }): string {
  return `${edge.from} > ${edge.to} in ${edge.pipelineId}`;
}

/** Whether a drop is a loss: at an exporter always, elsewhere when its reason tells of a failure, not of a setting. */
export function isLoss(kind: NodeView["kind"], reason: string): boolean {
  return kind === "exporter" || /fail|error|full|overflow|expired|deadline|shutdown|rejected|unanswered/.test(reason);
}

/** The books of all components as one row: what came in at receivers, what left at exporters, and the rest. */
export function booksOf(nodes: readonly NodeState[]): BooksRow {
  const sum = (of: readonly NodeState[], value: (node: NodeState) => number) =>
    of.reduce((total, node) => total + value(node), 0);
  const receivers = nodes.filter((node) => node.kind === "receiver");
  const exporters = nodes.filter((node) => node.kind === "exporter");
  const dropped = new Map<string, DropState>();
  for (const drop of nodes.flatMap((node) => node.dropped)) {
    const key = `${drop.reason} ${drop.lost}`;
    const before = dropped.get(key) ?? { ...drop, items: 0, rate: 0 };
    dropped.set(key, { ...before, items: before.items + drop.items, rate: before.rate + drop.rate });
  }
  const drops = [...dropped.values()];
  return {
    received: sum(receivers, (node) => node.in),
    delivered: sum(exporters, (node) => node.out),
    refused: sum(receivers, (node) => node.refused),
    held: sum(nodes, (node) => Math.max(0, node.held)),
    dropped: drops.filter((drop) => !drop.lost),
    lost: drops.reduce((total, drop) => total + (drop.lost ? drop.items : 0), 0),
    unbalanced: nodes.flatMap((node) => {
      const left = node.out + node.refused + node.held + node.dropped.reduce((total, drop) => total + drop.items, 0);
      const difference = node.held < 0 ? node.held : node.in - left;
      return difference === 0 ? [] : [{ key: node.key, difference }];
    }),
  };
}
