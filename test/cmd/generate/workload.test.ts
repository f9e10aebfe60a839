import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { startWorkload, type Truth, type Workload } from "../../../cmd/generate/workload.ts";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import { decode, type Metrics, type Traces } from "../../../pipeline/pdata/index.ts";
import { type Offer, startReceiver, stopReceivers } from "../../receivers/otlp/harness.ts";
import { eventually } from "../../support/turns.ts";
import { seed } from "./collect.ts";

console.log(`seed ${seed}`);
after(stopReceivers);

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

const transports = [
  { protocol: "grpc", endpoint: ({ grpc }: Receiver) => grpc },
  { protocol: "http", endpoint: ({ http }: Receiver) => `http://${http}` },
  { protocol: "http/json", endpoint: ({ http }: Receiver) => `http://${http}/` },
] as const;

/** A receiver of which `refuse` decides what becomes of the n-th batch, and the batches it took. */
async function startServer(refuse: (count: number) => ConsumeError | undefined = () => undefined) {
  const taken: Offer[] = [];
  let count = 0;
  const receiver = await startReceiver({
    answer(offer, answer) {
      const error = offer.signal === "traces" ? refuse(++count) : undefined;
      if (error === undefined) taken.push(offer);
      answer(error);
    },
  });
  return { receiver, taken };
}

/** Enough for several requests, as fast as it goes. */
const burst = { seed, spansPerSecond: 100_000, maxSpans: 3000, send: "whole" } as const;

function spanIds(taken: readonly Offer[]): string[] {
  return taken
    .filter(({ signal }) => signal === "traces")
    .flatMap(({ data }) => Array.from((data as Traces).spans(), (span) => span.spanId.hex()));
}

async function finish(workload: Workload): Promise<Truth> {
  await workload.finished;
  return workload.stop();
}

describe("a workload", () => {
  for (const { protocol, endpoint } of transports) {
    // Scenario: the server is busy for every third batch and says when to come back.
    // Guarantees: everything arrives, once, and the truth counts what arrived.
    it(`arrives exactly once over ${protocol} although a server refuses some of it for now`, async () => {
      const busy = new ConsumeError("busy", { retryable: true, delayMs: 5 });
      const { receiver, taken } = await startServer((count) => (count % 3 === 0 ? busy : undefined));
      const workload = startWorkload({ ...burst, failures: 0, protocol, endpoint: endpoint(receiver) });
      const truth = await finish(workload);
      const ids = spanIds(taken);
      const progress = workload.progress();
      assert.ok(progress.retries > 0);
      assert.equal(new Set(ids).size, ids.length);
      assert.ok(ids.length >= 3000);
      assert.equal(truth.spans, ids.length);
      assert.equal(progress.accepted, ids.length);
      assert.equal(progress.refused, 0);
    });
  }

  it("counts in the truth only what a server accepted", async () => {
    const wrong = new ConsumeError("wrong", { retryable: false });
    const { receiver, taken } = await startServer((count) => (count === 2 ? wrong : undefined));
    const workload = startWorkload({ ...burst, failures: 0, endpoint: receiver.grpc, maxInFlight: 1 });
    const truth = await finish(workload);
    const progress = workload.progress();
    assert.equal(truth.spans, spanIds(taken).length);
    assert.equal(progress.accepted, truth.spans);
    assert.ok(progress.refused > 0);
    assert.equal(progress.sent, progress.accepted + progress.refused);
    assert.match(progress.error ?? "", /wrong/);
  });

  it("sends the metrics of one application, whose sums are those of its spans", async () => {
    const { receiver, taken } = await startServer();
    const workload = startWorkload({ ...burst, failures: 0, endpoint: receiver.grpc });
    const truth = await finish(workload);
    const last = taken.findLast(({ signal }) => signal === "metrics")?.data as Metrics;
    const metrics = decode(last).resourceMetrics.flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap((each) => each.metrics),
    );
    const points = (name: string) => metrics.find((metric) => metric.name === name)?.histogram?.dataPoints ?? [];
    const tokens = points("gen_ai.client.token.usage").reduce((total, point) => total + (point.sum ?? 0), 0);
    const calls = points("gen_ai.client.operation.duration").reduce((total, point) => total + Number(point.count), 0);
    const current = truth.requestsByDialect.current;
    assert.equal(tokens, (current?.inputTokens ?? 0) + (current?.outputTokens ?? 0));
    assert.equal(calls, current?.requests);
    assert.ok(truth.metricPoints >= last.itemCount);
  });

  it("ends when asked, with what has arrived until then", async () => {
    const { receiver, taken } = await startServer();
    const workload = startWorkload({ seed, spansPerSecond: 500, endpoint: receiver.grpc });
    await eventually(() => workload.progress().accepted > 50);
    const truth = await workload.stop();
    assert.equal(truth.spans, spanIds(taken).length);
    assert.equal(workload.progress().accepted, truth.spans);
    assert.deepEqual(await workload.stop(), truth);
  });

  it("dates spans so that they end when they are sent", async () => {
    const { receiver, taken } = await startServer();
    const beganMs = Date.now();
    const workload = startWorkload({ seed, spansPerSecond: 500, failures: 0, endpoint: receiver.grpc });
    await eventually(() => workload.progress().accepted > 100);
    await workload.stop();
    const endedMs = Date.now();
    const spans = taken
      .filter(({ signal }) => signal === "traces")
      .flatMap(({ data }) => Array.from((data as Traces).spans(), (span) => span.endUnixMs));
    assert.ok(spans.every((endMs) => endMs > beganMs - 1100 && endMs <= endedMs + 1));
  });

  it("gives up when nobody listens, and says why", async () => {
    const { receiver } = await startServer();
    await receiver.receiver.stop();
    const workload = startWorkload({ ...burst, endpoint: receiver.grpc, retryForMs: 50 });
    await workload.finished;
    const { accepted, error } = workload.progress();
    assert.equal(accepted, 0);
    assert.match(error ?? "", /connection refused/);
  });

  it("ends at once when the endpoint is none", async () => {
    const workload = startWorkload({ ...burst, protocol: "http", endpoint: "nowhere" });
    await workload.finished;
    assert.match(workload.progress().error ?? "", /is not a URL/);
  });
});
