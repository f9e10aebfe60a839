import { type Totals, type Truth, totalsBy, totalsOf, type UsageRow } from "./truth.ts";

/** What a reader of the GenAI conventions finds of a span: nothing, that it is a call of a model, or its tokens too. */
type Readable = "nothing" | "call" | "all";

/**
 * How much can be read behind a `gen_ai_normalizer` with the given sources, or without one (no sources). Vercel's SDK
 * writes the conventions' names beside its own, for chats; Langfuse writes none, and no source knows its own. Engines
 * use the names of the older conventions, without the model that was asked for.
 */
function readable({ role, dialect, operation }: UsageRow, sources: readonly string[]): Readable {
  const older = sources.includes("older_gen_ai") ? "all" : "call";
  if (role === "engine") return older;
  switch (dialect) {
    case "current":
      return "all";
    case "older":
    case "langsmith":
      return role === "request" ? older : "nothing";
    case "openllmetry":
    case "openinference":
    case "llamatelemetry":
      return sources.includes(dialect) ? "all" : "nothing";
    case "vercel":
      return operation === "chat" ? "all" : "nothing";
    case "langfuse":
      return "nothing";
  }
}

/**
 * The rows of the truth as they can be read behind a `gen_ai_normalizer` with these sources: what an aggregation by
 * service, `gen_ai.request.model` and status must show. It sums over every span, so agents that repeat the tokens of
 * their calls (role `sum`) and engines (`engine`) count there as well.
 */
export function expectedUsage(truth: Pick<Truth, "usage">, sources: readonly string[]): UsageRow[] {
  return truth.usage
    .filter((row) => readable(row, sources) !== "nothing")
    .map((row) => (readable(row, sources) === "all" ? row : { ...row, inputTokens: 0, outputTokens: 0 }));
}

/** The requests that figures must show there: the rows with the role `request`. */
export function expectedRequests(
  truth: Pick<Truth, "usage">,
  sources: readonly string[],
): { readonly all: Totals; readonly byModel: Readonly<Record<string, Totals>> } {
  const rows = expectedUsage(truth, sources).filter(({ role }) => role === "request");
  return { all: totalsOf(rows), byModel: totalsBy(rows, ({ model }) => model) };
}
