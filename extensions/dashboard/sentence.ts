import type { BooksRow, DropState, EdgeState, NodeState, Run, Sentence, Tick } from "../../dashboard/wire/messages.ts";
import { age, count, gap, rate, share } from "../../pipeline/number_text.ts";
import type { ReloadVerdict } from "../../pipeline/view.ts";
import { queueShare } from "./queue_history.ts";

/** What the sentence is made from. */
export interface Situation {
  readonly unixMs: number;
  readonly startedUnixMs: number;
  readonly state: Tick["state"];
  readonly nodes: readonly NodeState[];
  readonly edges: readonly EdgeState[];
  readonly books: BooksRow;
  /** What came of the latest change of the configuration. */
  readonly lastReload?: ReloadVerdict | undefined;
  queueFullInMs(key: string): number | undefined;
}

/** A queue this full is worth a warning. */
const queueWarning = 0.5;

type Rule = (situation: Situation) => Sentence | undefined;

/** The worst first: the sentence is about one thing. */
const rules: readonly Rule[] = [notRunning, booksBroken, losing, bottleneck, refusing, reloadRefused, silent];

/** The one line that says whether everything flows, and if not, where and what happens next. */
export function sentenceOf(situation: Situation): Sentence {
  for (const rule of rules) {
    const sentence = rule(situation);
    if (sentence !== undefined) return sentence;
  }
  return flowing(situation);
}

function notRunning({ state }: Situation): Sentence | undefined {
  switch (state) {
    case "running":
      return undefined;
    case "starting":
      return about("unknown", state, [text("Starting.")], "Receivers open when everything behind them stands.");
    case "draining":
      return about("warning", state, [text("Draining.")], "Nothing new is taken; what is held is being sent.");
    case "stopped":
      return about("warning", state, [text("Stopped.")], "Nothing is taken and nothing is held.");
    case "failed":
      return about("error", state, [text("Failed.")], "An unexpected error ended the service; its log names it.");
  }
}

function booksBroken({ books, nodes }: Situation): Sentence | undefined {
  const worst = books.unbalanced[0];
  const node = nodes.find(({ key }) => key === worst?.key);
  if (worst === undefined || node === undefined) return undefined;
  return about(
    "error",
    `books ${node.key}`,
    [text("The books of "), code(node.id), text(` are off by ${count(Math.abs(worst.difference))}.`)],
    "In is not out + dropped + refused + held: that is a bug in otelpipe. Please report it.",
    node,
  );
}

function losing({ nodes }: Situation): Sentence | undefined {
  const losses = nodes.flatMap((node) =>
    node.dropped.filter((drop) => drop.lost && drop.rate > 0).map((drop) => ({ node, drop })),
  );
  const worst = losses.sort((one, other) => other.drop.rate - one.drop.rate)[0];
  if (worst === undefined) return undefined;
  const { node, drop } = worst;
  return about(
    "error",
    `losing ${node.key} ${drop.reason}`,
    [code(node.id), text(` loses ${rate(drop.rate)} /s.`)],
    `Reason: ${words(drop.reason)}. ${count(drop.items)} lost since the start.`,
    node,
  );
}

function bottleneck({ nodes, queueFullInMs, books }: Situation): Sentence | undefined {
  const filling = nodes
    .map((node) => ({ node, full: queueShare(node) ?? 0, inMs: queueFullInMs(node.key) }))
    .filter(({ full, inMs }) => full >= queueWarning || (full >= 0.1 && inMs !== undefined))
    .sort((one, other) => other.full - one.full)[0];
  if (filling === undefined) return undefined;
  const { node, full, inMs } = filling;
  const next = inMs === undefined ? "." : ` and overflows in about ${age(inMs)}.`;
  return about(
    full >= 0.995 ? "error" : "warning",
    `bottleneck ${node.key}`,
    [code(node.id), text(` is the bottleneck. Its queue is ${share(full)} full${next}`)],
    `${lostSoFar(books)} When the queue is full, senders are told to come back.`,
    node,
  );
}

function refusing({ nodes, books }: Situation): Sentence | undefined {
  // Each component on the way back counts a refusal; the one furthest down the stream is where it began.
  const began = nodes.filter((node) => node.refusedRate > 0 && node.kind !== "receiver");
  const node =
    began.find(({ kind }) => kind === "exporter") ?? began.at(-1) ?? nodes.find((any) => any.refusedRate > 0);
  if (node === undefined) return undefined;
  return about(
    "warning",
    `refusing ${node.key}`,
    [code(node.id), text(` refuses ${rate(node.refusedRate)} /s.`)],
    `Senders are told and may come back. ${lostSoFar(books)}`,
    node,
  );
}

function reloadRefused({ lastReload }: Situation): Sentence | undefined {
  if (lastReload?.outcome !== "refused") return undefined;
  const [first, ...others] = lastReload.problems;
  const what = [first?.place, first?.path, first?.message].filter((part) => part !== undefined && part !== "");
  const more = others.length === 0 ? "" : ` And ${count(others.length)} more; the log has all.`;
  return about("warning", "reload refused", [text(lastReload.text)], `${what.join(": ")}.${more}`);
}

function silent({ books, edges }: Situation): Sentence | undefined {
  if (books.received > 0) return undefined;
  const signal = edges.some((edge) => edge.signal === "traces") ? "spans" : "data";
  return {
    level: "unknown",
    meaning: "nothing received",
    headline: [text(`No ${signal} yet.`)],
    detail: [text("Send OTLP to "), code("localhost:4317"), text(", or run "), code("otelpipe generate"), text(".")],
  };
}

function flowing(situation: Situation): Sentence {
  const { unixMs, startedUnixMs, books, edges } = situation;
  const still = edges.every((edge) => edge.rate === 0);
  const since = `since the start ${age(unixMs - startedUnixMs)} ago`;
  const ledger =
    books.lost === 0
      ? `Nothing was lost ${since}; the books balance.`
      : `${count(books.lost)} lost ${since}; the books balance.`;
  return {
    level: "ok",
    meaning: still ? "nothing arrives" : "flowing",
    headline: [text(still ? "Everything stands ready" : "Everything is flowing")],
    detail: [...(still ? [text("Nothing arrives at the moment. ")] : settingDrops(situation)), text(ledger)],
  };
}

/** What settings of the user's keep: `probabilistic_sampler` keeps 25 %. */
function settingDrops({ nodes }: Situation): Run[] {
  const samplers = nodes.filter((node) => node.in > 0 && node.dropped.some((drop) => !drop.lost && drop.items > 0));
  return samplers.slice(0, 2).flatMap((node) => {
    const left = node.dropped.reduce((total, drop) => total + drop.items, 0);
    const settled = node.out + left;
    return settled === 0 ? [] : [code(node.id), text(` keeps ${share(node.out / settled)}. `)];
  });
}

function lostSoFar({ lost }: BooksRow): string {
  return lost === 0 ? "Nothing is lost so far." : `${count(lost)} lost so far.`;
}

function about(level: Sentence["level"], meaning: string, headline: Run[], detail: string, node?: NodeState): Sentence {
  return { level, meaning, headline, detail: [text(detail)], ...(node !== undefined && { node: node.key }) };
}

/** `sampled_out` as words. */
export function words(reason: DropState["reason"]): string {
  return reason.replaceAll("_", " ");
}

function text(content: string): Run {
  return { text: content.replaceAll(" /s", `${gap}/s`) };
}

function code(content: string): Run {
  return { text: content, code: true };
}
