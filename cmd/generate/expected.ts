import type { Totals, Truth, UsageRow } from "./truth.ts";
import { totalsBy, totalsOf } from "./truth.ts";

/** What a reader of the GenAI conventions finds of a call: nothing, the call without its tokens, or all of it. */
type Readable = "nothing" | "call" | "all";

/**
 * How much of a call can be read behind a `gen_ai_normalizer` with the given sources, or without one (no sources).
 * Vercel's SDK writes the conventions' names beside its own, for chats; Langfuse writes none, and no source knows its.
 */
function readable({ dialect, operation }: UsageRow, sources: readonly string[]): Readable {
  switch (dialect) {
    case "current":
      return "all";
    case "older":
    case "langsmith":
      return sources.includes("older_gen_ai") ? "all" : "call";
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
 * The requests that figures and tables must show behind a `gen_ai_normalizer` with these sources: those of the truth
 * whose dialect can be read there.
 */
export function expectedRequests(
  truth: Pick<Truth, "usage">,
  sources: readonly string[],
): { readonly all: Totals; readonly byModel: Readonly<Record<string, Totals>> } {
  const rows = truth.usage
    .filter((row) => row.role === "request" && readable(row, sources) !== "nothing")
    .map((row) => (readable(row, sources) === "all" ? row : { ...row, inputTokens: 0, outputTokens: 0 }));
  return { all: totalsOf(rows), byModel: totalsBy(rows, ({ model }) => model) };
}
