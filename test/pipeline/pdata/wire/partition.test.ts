import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytesField } from "../../../../pipeline/net/protobuf.ts";
import {
  attributeKeys,
  concat,
  decode,
  encode,
  type Metrics,
  partition,
  receive,
  type Traces,
} from "../../../../pipeline/pdata/index.ts";

const { key } = attributeKeys({ key: "tenant" });
const resourceOf = (tenant: string | undefined) => ({
  attributes: tenant === undefined ? [] : [{ key: "tenant", value: { stringValue: tenant } }],
});

/** A resource with `spans` spans for each tenant. */
function tracesOf(...groups: readonly (readonly [tenant: string | undefined, spans: number])[]): Traces {
  return encode("traces", {
    resourceSpans: groups.map(([tenant, spans]) => ({
      resource: resourceOf(tenant),
      scopeSpans: [{ spans: Array.from({ length: spans }, (_, index) => ({ name: `${tenant} ${index}` })) }],
    })),
  });
}

describe("partition", () => {
  it("gives each resource whole to the batch of its key, in order, over several requests", () => {
    const data = concat([
      tracesOf(["a", 2], ["b", 1], ["a", 0], ["c", 3], ["a", 1]),
      tracesOf(["b", 2], [undefined, 4]),
    ]);
    const parts = partition(data, (resource) => resource.string(key));
    const seen = [...parts].map(([tenant, part]) => [tenant, part.itemCount, decode(part).resourceSpans]);
    const of = (tenant: string) =>
      decode(data).resourceSpans.filter(({ resource }) => resource?.attributes[0]?.value?.stringValue === tenant);
    assert.deepEqual(seen, [
      ["a", 3, of("a")],
      ["b", 3, of("b")],
      ["c", 3, of("c")],
    ]);
    for (const part of parts.values()) assert.equal([...part.spans()].length, part.itemCount);
  });

  it("counts data points, and shares a request that has one key only", () => {
    const metric = (points: number) => ({
      name: "m",
      gauge: { dataPoints: Array.from({ length: points }, () => ({ asInt: 1n })) },
    });
    const data: Metrics = encode("metrics", {
      resourceMetrics: [
        { resource: resourceOf("a"), scopeMetrics: [{ metrics: [metric(2), metric(0)] }, { metrics: [metric(1)] }] },
        { resource: resourceOf("b"), scopeMetrics: [{ metrics: [metric(5)] }] },
      ],
    });
    const parts = partition(data, (resource) => resource.string(key));
    assert.deepEqual(
      [...parts].map(([tenant, { itemCount, metricCount }]) => [tenant, itemCount, metricCount]),
      [
        ["a", 3, 3],
        ["b", 5, 1],
      ],
    );
    const whole = partition(data, () => "all").get("all");
    assert.equal(whole?.chunks[0], data.chunks[0]);
    assert.equal(partition(data, () => undefined).size, 0);
  });

  it("keeps fields it does not know inside of resources", () => {
    const news = bytesField(900, "news");
    const resource = (tenant: string) => Buffer.concat([tracesOf([tenant, 1]).toBuffer().subarray(2), news]);
    const request = Buffer.concat(["a", "b"].map((tenant) => bytesField(1, resource(tenant))));
    const parts = partition(receive("traces", request), (each) => each.string(key));
    for (const tenant of ["a", "b"])
      assert.ok(
        parts
          .get(tenant)
          ?.toBuffer()
          .equals(bytesField(1, resource(tenant))),
      );
  });
});
