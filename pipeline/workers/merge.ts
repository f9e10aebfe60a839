import type { Plan } from "../graph/plan.ts";
import type { Sample } from "../telemetry/meter.ts";
import { joinedBuckets } from "../telemetry/views.ts";
import type { Books, EdgeView, NodeView } from "../view.ts";
import { isGate } from "./gates.ts";

/** What one thread tells of itself: nodes with their books, edges, series. Facts are those of the moment. */
export interface Told {
  readonly nodes: readonly ToldNode[];
  readonly edges: readonly EdgeView[];
  readonly samples: readonly Sample[];
}

export type ToldNode = Omit<NodeView, "facts"> & { readonly facts: ReturnType<NodeView["facts"]> };

/** Why items are counted as dropped that a worker held when it ended unforeseen. */
const crashed = "worker_crashed";

/** One node for each key, with the sums of all books; gates are left out. */
export function mergeNodes(all: Iterable<ToldNode>): NodeView[] {
  const byKey = new Map<string, ToldNode[]>();
  for (const node of all) {
    if (isGate(node.id)) continue;
    const same = byKey.get(node.key) ?? [];
    same.push(node);
    byKey.set(node.key, same);
  }
  return [...byKey.values()].map(mergeNode);
}

function mergeNode(nodes: readonly ToldNode[]): NodeView {
  const present = nodes.find(({ isRemoved }) => !isRemoved);
  const first = present ?? (nodes[0] as ToldNode);
  return {
    ...first,
    isRemoved: present === undefined,
    books: nodes.map(({ books }) => books).reduce(addBooks),
    facts: () => mergeFacts(nodes.flatMap(({ facts }) => facts)),
  };
}

function addBooks(left: Books, right: Books): Books {
  const dropped = new Map(left.dropped);
  for (const [reason, items] of right.dropped) dropped.set(reason, (dropped.get(reason) ?? 0) + items);
  return {
    in: left.in + right.in,
    out: left.out + right.out,
    refused: left.refused + right.refused,
    held: left.held + right.held,
    passed: left.passed + right.passed,
    dropped,
  };
}

/** One fact for each label: what the threads say, where they differ one after the other, the most first. */
function mergeFacts(facts: ReturnType<NodeView["facts"]>): ReturnType<NodeView["facts"]> {
  const texts = new Map<string, Set<string>>();
  for (const { label, text } of facts) texts.set(label, (texts.get(label) ?? new Set()).add(text));
  const byNumber = new Intl.Collator("en", { numeric: true });
  const inOrder = (said: Iterable<string>) => [...said].sort((left, right) => byNumber.compare(right, left));
  return [...texts].map(([label, said]) => ({ label, text: inOrder(said).join(", ") }));
}

/** What becomes of components that both have, or one of them: what moved from one thread to another is built anew. */
export function mergePlans(main: Plan, workers: Plan): Plan {
  const merged = new Map([...main].filter(([key]) => !isGate(idOf(key))));
  for (const [key, change] of workers) {
    if (isGate(idOf(key))) continue;
    const both = [change, merged.get(key) ?? change];
    const isMoved = both.includes("rebuild") || (both.includes("add") && both.includes("remove"));
    merged.set(key, isMoved ? "rebuild" : both.includes("keep") ? "keep" : change);
  }
  return merged;
}

/** One edge for each way; two that meet at a gate are one. */
export function mergeEdges(main: readonly EdgeView[], workers: readonly EdgeView[]): EdgeView[] {
  const through = (edge: EdgeView) => {
    const gate = idOf(edge.to);
    if (!isGate(gate)) return [edge];
    return main.filter(({ from }) => idOf(from) === gate).map(({ to }) => ({ ...edge, to }));
  };
  return addEdges([...main.filter(({ from }) => !isGate(idOf(from))), ...workers.flatMap(through)]);
}

function addEdges(edges: readonly EdgeView[]): EdgeView[] {
  const sums = new Map<string, EdgeView>();
  for (const edge of edges) {
    const key = `${edge.pipelineId} ${edge.from} ${edge.to}`;
    sums.set(key, { ...edge, items: edge.items + (sums.get(key)?.items ?? 0) });
  }
  return [...sums.values()];
}

/** The component's id in a node's key. Pipelines in it have no colons. */
function idOf(nodeKey: string): string {
  return nodeKey.split(":").at(-1) ?? "";
}

/** One series for each name and labels, added up: totals, and of what lies somewhere the whole. Gates are left out. */
export function mergeSamples(all: Iterable<Sample>): Iterable<Sample> {
  const byName = new Map<string, Map<string, Sample>>();
  for (const sample of all) {
    const { name, labels } = sample;
    if (isGate(labels["receiver"]) || isGate(labels["exporter"])) continue;
    const series = byName.get(name) ?? new Map<string, Sample>();
    byName.set(name, series);
    const key = JSON.stringify(Object.entries(labels).sort());
    const known = series.get(key);
    series.set(key, known === undefined ? sample : addSamples(known, sample));
  }
  return [...byName.values()].flatMap((series) => [...series.values()]);
}

function addSamples(left: Sample, right: Sample): Sample {
  const sum = { ...left, value: left.value + right.value };
  const { buckets } = left;
  if (buckets === undefined || right.buckets === undefined) return sum;
  return { ...sum, buckets: joinedBuckets(buckets, right.buckets) };
}

/**
 * What counts of a worker that is no more, with what counted of those before it. What receivers held counts as refused,
 * since those who waited have lost their connection; what others held as dropped, since some of it had been acknowledged.
 */
export function afterTheEnd(told: Told, before: Told | undefined): Told {
  const settled = told.nodes.map((node) => ({ ...node, facts: [], books: settledBooks(node) }));
  const nodes = mergeNodes([...(before?.nodes ?? []), ...settled]).map((node) => ({ ...node, facts: [] }));
  const totals = told.samples.filter(({ type }) => type === "counter" || type === "histogram");
  return {
    nodes,
    edges: addEdges([...(before?.edges ?? []), ...told.edges]),
    samples: [...mergeSamples([...(before?.samples ?? []), ...totals])],
  };
}

function settledBooks({ kind, books }: ToldNode): Books {
  const { held } = books;
  if (held === 0) return books;
  if (kind === "receiver") return { ...books, held: 0, refused: books.refused + held };
  const dropped = new Map(books.dropped).set(crashed, (books.dropped.get(crashed) ?? 0) + held);
  return { ...books, held: 0, dropped };
}
