import type { Column, NumberColumn, StringColumn } from "../../pipeline/frame/columns.ts";
import type { Query } from "../../pipeline/frame/engine.ts";
import { seededRandom } from "../../test/support/simulated_host.ts";

export const million = 1_000_000;

const services = ["api", "batch", "chat", "search"];
const models = ["gemma-3-270m", "qwen2.5-3b", "llama-3.1-8b", "gpt-oss-20b", "mistral-24b"];
const statuses = ["UNSET", "OK", "ERROR"];

const values = ["duration", "input_tokens", "output_tokens"];

/** A million spans as columns, seeded: 60 groups, durations spread over four orders of magnitude, tokens over one. */
export function millionSpans(): readonly Column[] {
  const random = seededRandom(17);
  const texts = (name: string, dictionary: readonly string[]): StringColumn => {
    const codes = Int32Array.from({ length: million }, () => Math.floor(random() * dictionary.length));
    return { name, type: "string", length: million, values: codes, dictionary };
  };
  const numbers = (name: string, next: () => number): NumberColumn => {
    return { name, type: "f64", length: million, values: Float64Array.from({ length: million }, next) };
  };
  return [
    texts("service", services),
    texts("model", models),
    texts("status", statuses),
    numbers("duration", () => Math.floor(Math.exp(13 + random() * 10)) / 1e6),
    numbers("input_tokens", () => Math.floor(random() * 4_000)),
    numbers("output_tokens", () => Math.floor(random() * random() * 900)),
  ];
}

/** By service, model and status: count, and of three columns count, sum, mean, p50, p95 and p99. */
export const question: Query = {
  groupBy: ["service", "model", "status"],
  aggregations: [
    { as: "spans", fn: "count" },
    ...values.flatMap((column) => [
      ...(["count", "sum", "mean"] as const).map((fn) => ({ as: `${fn} ${column}`, fn, column })),
      ...[0.5, 0.95, 0.99].map((q) => ({ as: `${q} ${column}`, fn: "quantile" as const, column, q })),
    ]),
  ],
};
