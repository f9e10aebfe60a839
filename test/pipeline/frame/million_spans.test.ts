import assert from "node:assert/strict";
import { it } from "node:test";
import { SpanAggregation } from "../../../pipeline/frame/aggregation.ts";
import type { Aggregation } from "../../../pipeline/frame/engine.ts";
import { aggregateConfig, aggregateSettings } from "../../../pipeline/frame/settings.ts";
import { receive } from "../../../pipeline/pdata/index.ts";
import { seededRandom, simulatedHost } from "../../support/simulated_host.ts";
import { keyOf, naiveAnswer, type Row } from "./naive_aggregation.ts";
import { runningClock } from "./running_clock.ts";
import { rowsOfTable } from "./tables.ts";
import { type GeneratedSpan, traceRequest } from "./wire_writer.ts";

const seed = Number(process.env["OTELPIPE_SEED"] ?? 17);
const spanCount = 1_000_000;
const spansPerBatch = 2_000;
const windowMs = 10_000;
const services = ["api", "batch", "chat"];
const models = ["gemma-3-270m", "qwen2.5-3b", "llama-3.1-8b", "gpt-oss-20b", undefined];

const aggregations = [
  { as: "requests", fn: "count" },
  { as: "tokens", fn: "sum", column: "tokens" },
  { as: "mean_ms", fn: "mean", column: "duration" },
  { as: "std_ms", fn: "std", column: "duration" },
  { as: "min_ms", fn: "min", column: "duration" },
  { as: "max_ms", fn: "max", column: "duration" },
  { as: "p50_ms", fn: "quantile", column: "duration", q: 0.5 },
  { as: "p95_ms", fn: "quantile", column: "duration", q: 0.95 },
  { as: "p99_tokens", fn: "quantile", column: "tokens", q: 0.99 },
  { as: "models", fn: "nunique", column: "model" },
] as const;

const columns = {
  requests: "count",
  tokens: "sum(gen_ai.usage.output_tokens)",
  mean_ms: "mean(duration)",
  std_ms: "std(duration)",
  min_ms: "min(duration)",
  max_ms: "max(duration)",
  p50_ms: "quantile(duration, 0.5)",
  p95_ms: "quantile(duration, 0.95)",
  p99_tokens: "quantile(gen_ai.usage.output_tokens, 0.99)",
  models: "nunique(gen_ai.request.model)",
};

/** What is asked of the same spans. Within one status an error rate is 0 or 1, within one model there is one: so a second one. */
const questions: readonly Question[] = [
  {
    groupBy: { "resource.service.name": "service", "gen_ai.request.model": "model", status: "status" },
    columns,
    aggregations,
  },
  {
    groupBy: { "resource.service.name": "service" },
    columns: { requests: "count", models: "nunique(gen_ai.request.model)", errors: "error_rate" },
    aggregations: [
      { as: "requests", fn: "count" },
      { as: "models", fn: "nunique", column: "model" },
      { as: "errors", fn: "mean", column: "failed" },
    ],
  },
];

interface Question {
  /** Columns of the plain rows by what a config calls them. */
  readonly groupBy: Readonly<Record<string, string>>;
  /** As a config names them. */
  readonly columns: Readonly<Record<string, string>>;
  /** The same of the plain rows, in the same order. */
  readonly aggregations: readonly Aggregation[];
}

// Scenario: a million spans over 100 s, out of order within the lateness, through the whole of `aggregate`.
// Guarantees: every window equals a computation over plain objects that shares no code with it, to the last digit; means
// and deviations of durations, which are sums in another order, to 1e-9.
it(`aggregates ${spanCount} spans as a plain computation does (OTELPIPE_SEED=${seed})`, {
  timeout: 300_000,
}, async () => {
  const random = seededRandom(seed);
  const host = simulatedHost({ budgetBytes: 1e10 });
  const clock = runningClock(host.clock);
  const startNano = BigInt(clock.nowMs()) * 1_000_000n;
  clock.advance(200_000);
  const asked = questions.map((question) => {
    const config = { group_by: Object.keys(question.groupBy), columns: question.columns, allowed_lateness: "5s" };
    return { question, aggregation: new SpanAggregation(aggregateSettings(aggregateConfig.parse(config)), host) };
  });
  const rows: Row[] = [];
  for (let batch = 0; batch < spanCount / spansPerBatch; batch++) {
    const service = services[Math.floor(random() * services.length)]!;
    const spans = Array.from({ length: spansPerBatch }, () => generate(batch, startNano, random));
    for (const span of spans) rows.push(rowOf(service, span, startNano));
    const request = traceRequest(service, spans);
    for (const { aggregation } of asked) aggregation.take(receive("traces", request));
  }
  for (const { aggregation } of asked) await aggregation.flush();
  assert.deepEqual(host.fatals, []);
  assert.deepEqual(
    host.logs.filter(({ level }) => level !== "info"),
    [],
  );
  for (const { question, aggregation } of asked) {
    assert.equal(compare(question, aggregation, rows), spanCount);
    await aggregation.stop();
  }
});

/** A span of batch number `batch`, which ends within 4 s before or after its turn. */
function generate(batch: number, startNano: bigint, random: () => number): GeneratedSpan {
  const offsetNano = batch * 200_000_000 + Math.floor(random() * 4e9);
  return {
    endUnixNano: startNano + BigInt(offsetNano),
    durationNano: Math.floor(Math.exp(13 + random() * 10)),
    status: Math.floor(random() * 3),
    model: models[Math.floor(random() * models.length)],
    tokens: random() < 0.1 ? undefined : Math.floor(random() * 4000),
  };
}

function rowOf(service: string, span: GeneratedSpan, startNano: bigint): Row {
  return {
    window: Math.floor(Number((span.endUnixNano - startNano) / 1_000_000n) / windowMs),
    service,
    model: span.model,
    status: ["UNSET", "OK", "ERROR"][span.status],
    failed: Number(span.status === 2),
    duration: span.durationNano / 1e6,
    tokens: span.tokens,
  };
}

/** Compares all windows and returns the number of spans in them. */
function compare(question: Question, aggregation: SpanAggregation, rows: readonly Row[]): number {
  const { groupBy, aggregations: asked } = question;
  const want = naiveAnswer(rows, ["window", ...Object.values(groupBy)], asked);
  const windows = aggregation.tables.windows();
  const first = windows[0]?.startUnixMs ?? 0;
  let compared = 0;
  let spans = 0;
  for (const window of windows) {
    const number = (window.startUnixMs - first) / windowMs;
    for (const row of rowsOfTable(window)) {
      const group = [number, ...Object.keys(groupBy).map((column) => row[column])];
      const expected = want.get(keyOf(group));
      const got = [...group, ...asked.map(({ as }) => row[as])];
      for (const [place, value] of got.entries()) {
        const name = asked[place - group.length]?.as ?? "";
        const isExact = !/^(mean|std)_/.test(name);
        const isSame = isExact ? value === expected?.[place] : isClose(value, expected?.[place]);
        assert.ok(isSame, `${keyOf(group)} ${name}: ${value}, want ${expected?.[place]}`);
      }
      compared++;
      spans += Number(row["requests"]);
    }
  }
  assert.equal(compared, want.size);
  return spans;
}

function isClose(got: unknown, want: unknown): boolean {
  return typeof got === "number" && typeof want === "number" && Math.abs(got - want) <= 1e-9 * Math.abs(want);
}
