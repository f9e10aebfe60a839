import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countAxis, logCountAxis, logDurationAxis } from "../../../exporters/plotly/axes.ts";
import { perBucket, timeBuckets } from "../../../exporters/plotly/time_buckets.ts";

describe("axes", () => {
  it("have four to seven round ticks for any count, from 0 to below the top", () => {
    for (let highest = 5; highest < 1e12; highest *= 1.37) {
      const { tickvals, ticktext, range } = countAxis(highest) as {
        tickvals: number[];
        ticktext: string[];
        range: number[];
      };
      assert.ok(tickvals.length >= 4 && tickvals.length <= 7, `${tickvals} for ${highest}`);
      assert.equal(tickvals[0], 0);
      assert.ok(tickvals.at(-1)! <= highest && range[1]! > highest);
      assert.equal(new Set(ticktext).size, ticktext.length, `${ticktext}`);
    }
  });

  it("never cut a count of one into parts", () => {
    assert.deepEqual((countAxis(1) as { tickvals: number[] }).tickvals, [0, 1]);
    assert.deepEqual((countAxis(0) as { tickvals: number[] }).tickvals, [0]);
  });

  it("name times and tokens on logarithmic axes", () => {
    const spaces = (texts: string[]) => texts.map((text) => text.replaceAll("\u00a0", " "));
    const latency = logDurationAxis(2, 4.5) as { ticktext: string[] };
    assert.deepEqual(spaces(latency.ticktext), ["100 ms", "300 ms", "1 s", "3 s", "10 s", "30 s"]);
    const tokens = logCountAxis(5000, "y") as { ticktext: string[] };
    assert.deepEqual(spaces(tokens.ticktext), ["0", "10", "100", "1 k"]);
  });
});

describe("time buckets", () => {
  for (const { windowMs, bucketMs } of [
    { windowMs: 1000, bucketMs: 100 },
    { windowMs: 60_000, bucketMs: 1000 },
    { windowMs: 15 * 60_000, bucketMs: 10_000 },
    { windowMs: 3_600_000, bucketMs: 60_000 },
    { windowMs: 86_400_000, bucketMs: 15 * 60_000 },
    { windowMs: 30 * 86_400_000, bucketMs: 12 * 3_600_000 },
    { windowMs: 365 * 86_400_000, bucketMs: 88 * 3_600_000 },
  ]) {
    it(`are ${bucketMs} ms wide for a window of ${windowMs} ms, and reach over all of it`, () => {
      const toUnixMs = Date.UTC(2026, 0, 1, 2, 15, 3, 217);
      const buckets = timeBuckets(toUnixMs, windowMs);
      assert.equal(buckets.bucketMs, bucketMs);
      assert.equal(buckets.fromUnixMs % bucketMs, 0);
      assert.ok(buckets.fromUnixMs <= toUnixMs - windowMs);
      const count = perBucket(buckets.requests).length;
      assert.ok(count <= 102 && buckets.fromUnixMs + count * bucketMs > toUnixMs);
    });
  }
});
