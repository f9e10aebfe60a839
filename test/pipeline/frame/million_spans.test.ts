import assert from "node:assert/strict";
import { it } from "node:test";
import { SpanAggregation } from "../../../pipeline/frame/aggregation.ts";
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

// Scenario: a million spans over 100 s, out of order within the lateness, through the whole of `aggregate`.
// Guarantees: every window equals a computation over plain objects that shares no code with it. Counts, sums of tokens,
// extremes and distinct counts to the last digit, the others to 1e-9.
it(`aggregates ${spanCount} spans as a plain computation does (OTELPIPE_SEED=${seed})`, {
  timeout: 300_000,
}, async () => {
  const random = seededRandom(seed);
  const host = simulatedHost({ budgetBytes: 1e10 });
  const clock = runningClock(host.clock);
  const startNano = BigInt(clock.nowMs()) * 1_000_000n;
  clock.advance(200_000);
  const config = { group_by: ["resource.service.name", "gen_ai.request.model", "status"], columns };
  const aggregation = new SpanAggregation(
    aggregateSettings(aggregateConfig.parse({ ...config, allowed_lateness: "5s" })),
    host,
  );
  const rows: Row[] = [];
  for (let batch = 0; batch < spanCount / spansPerBatch; batch++) {
    const service = services[Math.floor(random() * services.length)]!;
    const spans = Array.from({ length: spansPerBatch }, () => generate(batch, startNano, random));
    for (const span of spans) rows.push(rowOf(service, span, startNano));
    aggregation.take(receive("traces", traceRequest(service, spans)));
  }
  await aggregation.flush();
  assert.deepEqual(host.fatals, []);
  assert.deepEqual(
    host.logs.filter(({ level }) => level !== "info"),
    [],
  );
  assert.equal(compare(aggregation, rows), spanCount);
  await aggregation.stop();
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
    duration: span.durationNano / 1e6,
    tokens: span.tokens,
  };
}

/** Compares all windows and returns the number of spans in them. */
function compare(aggregation: SpanAggregation, rows: readonly Row[]): number {
  const want = naiveAnswer(rows, ["window", "service", "model", "status"], aggregations);
  const windows = aggregation.tables.windows();
  const first = windows[0]?.startUnixMs ?? 0;
  let compared = 0;
  let spans = 0;
  for (const window of windows) {
    const number = (window.startUnixMs - first) / windowMs;
    for (const row of rowsOfTable(window)) {
      const group = [number, row["resource.service.name"], row["gen_ai.request.model"], row["status"]];
      const expected = want.get(keyOf(group));
      const got = [...group, ...aggregations.map(({ as }) => row[as])];
      for (const [place, value] of got.entries()) {
        const name = aggregations[place - 4]?.as ?? "";
        const isExact = !/^(mean|std|p\d+)_/.test(name);
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
