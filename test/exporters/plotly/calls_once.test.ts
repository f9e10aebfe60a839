import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import plotly from "../../../exporters/plotly/index.ts";
import { bytesPerBlock } from "../../../exporters/plotly/request_store.ts";
import { bytesOfNestedCalls } from "../../../pipeline/llm/nested_calls.ts";
import { runningClock } from "../../pipeline/frame/running_clock.ts";
import { type MadeSpan, traces } from "../../support/dashboard_data.ts";
import { recordedDelivery, simulatedHost } from "../../support/simulated_host.ts";

const cleanups: (() => Promise<void> | undefined)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gemma" };
const usage = { "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 30 };

/** What the figures say of spans of one trace, each of which comes in a batch of its own. */
async function metaOf(spans: readonly Pick<MadeSpan, "spanId" | "parentSpanId" | "durationMs" | "attributes">[]) {
  const host = simulatedHost({ id: "plotly" });
  runningClock(host.clock);
  const exporter = plotly.traces!(plotly.config.parse({ directory: "" }), host);
  await exporter.start?.();
  cleanups.push(() => exporter.stop?.() as Promise<void> | undefined);
  const common = {
    traceId: "ab".repeat(16),
    name: "chat",
    status: "OK",
    startUnixMs: host.clock.nowMs() - 500,
  } as const;
  for (const span of spans) exporter.consume(recordedDelivery(traces([{ ...common, ...span }])).delivery);
  await exporter.drain?.(Number.POSITIVE_INFINITY);
  const figure = host.board
    .find("figures", "plotly")
    ?.figures()
    .find(({ name }) => name === "request_rate");
  return JSON.parse(String(figure?.json())).layout.meta;
}

const sdk = { spanId: "1".repeat(16), parentSpanId: "", durationMs: 500, attributes: { ...chat, ...usage } };
const http = { spanId: "2".repeat(16), parentSpanId: "1".repeat(16), durationMs: 490, attributes: {} };
const gateway = { spanId: "3".repeat(16), parentSpanId: "2".repeat(16), durationMs: 480, attributes: sdk.attributes };

describe("a call that an SDK and a gateway trace", () => {
  for (const spans of [
    [sdk, http, gateway],
    [gateway, http, sdk],
    [gateway, sdk, http],
  ]) {
    it(`counts once, as the gateway saw it, in the order ${spans.map(({ durationMs }) => durationMs).join(", ")}`, async () => {
      const { requests, input_tokens, output_tokens, drawn, latency } = await metaOf(spans);
      assert.deepEqual([requests, input_tokens, output_tokens, drawn, latency.max_ms], [1, 12, 30, 1, 480]);
    });
  }

  it("has the SDK's tokens where the gateway reports none", async () => {
    const { requests, input_tokens, output_tokens, drawn } = await metaOf([
      { ...gateway, attributes: chat },
      http,
      sdk,
    ]);
    assert.deepEqual([requests, input_tokens, output_tokens, drawn], [1, 12, 30, 1]);
  });
});

it("what remembers the calls is charged from the first spans until the exporter stops", async () => {
  const host = simulatedHost({ id: "plotly" });
  runningClock(host.clock);
  const exporter = plotly.traces!(plotly.config.parse({ directory: "" }), host);
  await exporter.start?.();
  assert.equal(host.budget.usedBytes, 0);
  const span = { ...sdk, traceId: "ab".repeat(16), name: "chat", status: "OK", startUnixMs: host.clock.nowMs() - 500 };
  exporter.consume(recordedDelivery(traces([span as MadeSpan])).delivery);
  await exporter.drain?.(Number.POSITIVE_INFINITY);
  assert.equal(host.budget.usedBytes, bytesOfNestedCalls + bytesPerBlock);
  await exporter.stop?.();
  assert.equal(host.budget.usedBytes, 0);
});
