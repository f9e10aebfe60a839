import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { catalog } from "../../cmd/catalog.ts";
import forward from "../../connectors/forward/index.ts";
import { loadConfig } from "../../pipeline/config/load.ts";
import { ConsumeError } from "../../pipeline/delivery.ts";
import type { ConnectorHost } from "../../pipeline/host.ts";
import type { Pdata, Signal } from "../../pipeline/pdata/index.ts";
import { batches } from "../support/otlp_batches.ts";
import { recordedDelivery, simulatedHost } from "../support/simulated_host.ts";
import { accept, collector, testGraph } from "../support/test_graph.ts";
import { someSpans } from "../support/traces.ts";

const connectors = { forward: (host: ConnectorHost) => forward.create({}, host) };
const through = { traces: { receivers: ["in"], exporters: ["forward"] } };
const empty = { in: 0, out: 0, refused: 0, held: 0, dropped: {} };
const node = "connector:traces_to_traces:forward";

describe("the forward connector", () => {
  for (const signal of ["traces", "metrics", "logs", "profiles"] as const satisfies Signal[]) {
    it(`passes ${signal} on as they are, with who sent them`, () => {
      const offered: unknown[] = [];
      const outlet = {
        offer(data: Pdata, caller: { client: object }, answer: () => void) {
          offered.push([data, caller.client]);
          answer();
        },
      };
      const host = simulatedHost({ signal, outlets: { [signal]: outlet } });
      const { delivery, answers } = recordedDelivery<Pdata>(batches[signal]);
      forward.create({}, host as unknown as ConnectorHost).consume(delivery);
      assert.deepEqual(offered, [[batches[signal], delivery.client]]);
      assert.deepEqual(answers, ["ack"]);
    });
  }

  it("gives what several pipelines export to every pipeline that receives from it, and keeps books", async () => {
    const one = collector(accept);
    const two = collector(accept);
    const { offer, books, edges, drain } = testGraph({
      connectors,
      exporters: { one: one.create, two: two.create },
      pipelines: {
        "traces/a": { receivers: ["a"], exporters: ["forward"] },
        "traces/b": { receivers: ["b"], exporters: ["forward"] },
        "traces/one": { receivers: ["forward"], exporters: ["one"] },
        "traces/two": { receivers: ["forward"], exporters: ["two"] },
      },
    });
    assert.deepEqual([...offer(someSpans(2), "a"), ...offer(someSpans(3), "b")], ["ack", "ack"]);
    assert.deepEqual(books(node), { ...empty, in: 5, out: 5 });
    for (const exporter of ["one", "two"]) {
      assert.deepEqual(books(`exporter:traces:${exporter}`), { ...empty, in: 5, out: 5 });
    }
    assert.deepEqual(edges().sort(), [
      `${node} -> exporter:traces:one: 5`,
      `${node} -> exporter:traces:two: 5`,
      `receiver:a -> ${node}: 2`,
      `receiver:b -> ${node}: 3`,
    ]);
    const { unanswered, faults } = await drain();
    assert.deepEqual([unanswered, faults], [0, 0]);
  });

  it("answers when every pipeline behind it has, and refuses as they do", () => {
    const one = collector();
    const two = collector();
    const { offer, books } = testGraph({
      connectors,
      exporters: { one: one.create, two: two.create },
      pipelines: { ...through, "traces/behind": { receivers: ["forward"], exporters: ["one", "two"] } },
    });
    const answers = offer(someSpans(2));
    one.taken[0]!.nack(new ConsumeError("later", { retryable: true, delayMs: 7 }));
    assert.equal(answers.length, 0);
    assert.deepEqual(books(node), { ...empty, in: 2, held: 2 });
    two.taken[0]!.ack();
    const [refusal] = answers;
    assert.ok(refusal instanceof ConsumeError && refusal.retryable && refusal.delayMs === 7);
    assert.deepEqual(books(node), { ...empty, in: 2, refused: 2 });
    assert.deepEqual(books("receiver:in"), { ...empty, in: 2, refused: 2 });
  });

  it("takes no second share of the budget for the bytes it passes on", () => {
    const out = collector();
    const data = someSpans(10);
    const { offer, host } = testGraph({
      connectors,
      exporters: { out: out.create },
      pipelines: { ...through, "traces/behind": { receivers: ["forward"], exporters: ["out"] } },
    });
    offer(data);
    assert.equal(host.budget.usedBytes, data.memoryBytes);
    out.taken[0]!.ack();
    assert.equal(host.budget.usedBytes, 0);
  });

  // Scenario: an exporter behind it retries for ever, as its settings say.
  // Guarantees: the delivery in front of the connector is no more overdue than the one behind it.
  it("lets a delivery wait that a setting behind it holds", async () => {
    const patient = collector((delivery) => delivery.mayWait?.());
    const { offer, graph, host, drain } = testGraph({
      connectors,
      exporters: { patient: patient.create },
      pipelines: { ...through, "traces/behind": { receivers: ["forward"], exporters: ["patient"] } },
    });
    const answers = offer(someSpans(1));
    host.advance(3_600_000);
    assert.deepEqual([answers.length, graph.ledger.faults], [0, 0]);
    const { unanswered, faults } = await drain();
    assert.deepEqual([answers.length, unanswered, faults], [1, 1, 0]);
    assert.equal(host.clock.pendingTimers, 0);
  });

  it("is refused where it leads in a circle, with the Collector's words", async () => {
    const yaml = `
receivers: { nop: }
exporters: { nop: }
processors: { batch/2: }
connectors: { forward: , forward/b: }
service:
  pipelines:
    traces: { receivers: [nop, forward/b], exporters: [forward] }
    traces/2: { receivers: [forward], processors: [batch/2], exporters: [forward/b, nop] }
`;
    await assert.rejects(loadConfig(["pipeline.yaml"], catalog, { environment: {}, readFile: () => yaml }), {
      message:
        /cycle detected: connector "forward" \(traces to traces\) -> processor "batch\/2" in pipeline "traces\/2" -> connector "forward\/b" \(traces to traces\) -> connector "forward" \(traces to traces\)/,
    });
  });

  it("is refused between pipelines of different signals", async () => {
    const yaml = `
receivers: { nop: }
exporters: { nop: }
connectors: { forward: }
service:
  pipelines:
    traces: { receivers: [nop], exporters: [forward] }
    metrics: { receivers: [forward], exporters: [nop] }
`;
    await assert.rejects(loadConfig(["pipeline.yaml"], catalog, { environment: {}, readFile: () => yaml }), {
      message: /connector "forward" used as exporter in \[traces\] pipeline but not used in any supported receiver/,
    });
  });
});
