import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Partitions } from "../../../pipeline/export/partitions.ts";
import type { Traces } from "../../../pipeline/pdata/index.ts";
import { SimulatedClock } from "../../support/simulated_host.ts";
import { harness } from "./harness.ts";
import { namesOf, spans } from "./spans.ts";

const from = (metadata: Readonly<Record<string, string>>) => ({
  metadata: new Map(Object.entries(metadata).map(([key, value]) => [key, [value]] as const)),
});

describe("a batch partitioned by client metadata", () => {
  const queue = { batch: { min_size: 2, partition: { metadata_keys: ["X-Tenant"] } } };

  it("never holds data of two values, and says whose it is", () => {
    const { sent, pushAs } = harness({ queue });
    pushAs(from({ "x-tenant": "one", authorization: "secret" }), "a");
    pushAs(from({ "x-tenant": "two" }), "b");
    assert.equal(sent.length, 0);
    pushAs(from({ "x-tenant": "one" }), "c");
    pushAs(from({ "x-tenant": "two" }), "d");
    assert.deepEqual(
      sent.map(({ names, attempt }) => [names, Object.fromEntries(attempt.client?.metadata ?? [])]),
      [
        [["a", "c"], { "x-tenant": ["one"] }],
        [["b", "d"], { "x-tenant": ["two"] }],
      ],
    );
  });

  it("tells an empty value from a missing one", () => {
    const { host, sent, push, pushAs } = harness({ queue });
    pushAs(from({ "x-tenant": "" }), "a");
    push("b");
    host.advance(200);
    assert.deepEqual(
      sent.map(({ names, attempt }) => [names, attempt.client?.metadata?.get("x-tenant")]),
      [
        [["a"], [""]],
        [["b"], undefined],
      ],
    );
  });

  it("is drained in every partition", async () => {
    const { host, exporter, sent, pushAs } = harness({ queue });
    for (const tenant of ["one", "two", "three"]) pushAs(from({ "x-tenant": tenant }), tenant);
    await exporter.drain?.(host.clock.monotonicMs() + 1000);
    assert.deepEqual(sent.map(({ names }) => names).sort(), [["one"], ["three"], ["two"]]);
    assert.equal(host.clock.pendingTimers, 0);
  });
});

describe("partitions", () => {
  const settings = { flush_timeout: 200, min_size: 10, max_size: 0, sizer: "items" } as const;
  const entry = (tenant: string) => ({
    data: spans(tenant),
    size: 1,
    client: { address: "", transport: "grpc" as const, ...from({ tenant }) },
  });
  const started = () => {
    const clock = new SimulatedClock();
    const sent: string[][] = [];
    const partitions = new Partitions<Traces>(settings, ["tenant"], clock, (batch) => {
      if ("data" in batch) sent.push(namesOf(batch.data));
    });
    return { clock, sent, partitions };
  };

  it("are forgotten when nothing came for ten flush timeouts", () => {
    const { clock, partitions } = started();
    partitions.add(entry("one"));
    clock.advance(1999);
    partitions.add(entry("two"));
    assert.equal(partitions.size, 2);
    clock.advance(1);
    partitions.add(entry("two"));
    assert.equal(partitions.size, 1);
  });

  it("are 10 000 at most: the one unused for longest is sent", () => {
    const { sent, partitions } = started();
    for (let index = 0; index < 10_000; index++) partitions.add(entry(`tenant-${index}`));
    assert.deepEqual(sent, []);
    partitions.add(entry("tenant-0"));
    partitions.add(entry("one-more"));
    assert.deepEqual(sent, [["tenant-1"]]);
    assert.equal(partitions.size, 10_000);
  });
});
