import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  always,
  fromHex,
  never,
  passes,
  probabilityOf,
  thresholdOf,
  thresholdText,
  toHex,
} from "../../../processors/probabilistic_sampler/bits56.ts";
import { fnv1a, hashRandomness, keptBuckets, seededState } from "../../../processors/probabilistic_sampler/hash.ts";

describe("thresholds of 56 bits", () => {
  // Figures: T = 2^56 (1 - p), as the tracestate specification of OpenTelemetry and the Collector's tests give them.
  for (const { percent, precision, want } of [
    { percent: 100, precision: 4, want: "0" },
    { percent: 75, precision: 4, want: "4" },
    { percent: 50, precision: 4, want: "8" },
    { percent: 25, precision: 4, want: "c" },
    { percent: 1, precision: 14, want: "fd70a3d70a3d71" },
    { percent: 1, precision: 4, want: "fd70a" },
    { percent: 1, precision: 3, want: "fd71" },
    { percent: 40, precision: 3, want: "99a" },
    { percent: 40, precision: 6, want: "99999a" },
    { percent: 20, precision: 6, want: "cccccd" },
    { percent: 100 / 2 ** 14, precision: 4, want: "fffc" },
    { percent: 100 / 2 ** 28, precision: 4, want: "fffffff" },
  ]) {
    it(`writes ${percent} % at ${precision} digits as ${want}`, () => {
      assert.equal(thresholdText(thresholdOf(percent / 100, precision) ?? never), want);
    });
  }

  it("refuses probabilities that 56 bits cannot hold", () => {
    assert.equal(thresholdOf(2 ** -57, 4), undefined);
    assert.equal(thresholdOf(1.01, 4), undefined);
    assert.equal(thresholdOf(Number.NaN, 4), undefined);
  });

  it("reads what it writes, with the zeros that were left out", () => {
    assert.deepEqual(fromHex("c"), { high: 0xc000000, low: 0 });
    assert.equal(toHex(fromHex("0123456789abcd") ?? never), "0123456789abcd");
    assert.equal(fromHex("xyz"), undefined);
    assert.equal(fromHex("123456789abcdef"), undefined);
    assert.equal(thresholdText(always), "0");
    assert.equal(thresholdText(never), "");
    assert.equal(probabilityOf(fromHex("c") ?? never), 0.25);
  });

  it("compares both halves", () => {
    const threshold = fromHex("80000000000001") ?? never;
    assert.equal(passes(fromHex("80000000000001") ?? always, threshold), true);
    assert.equal(passes(fromHex("80000000000000") ?? always, threshold), false);
    assert.equal(passes(fromHex("8000000f") ?? always, threshold), true);
  });
});

describe("the hash of hash_seed mode", () => {
  it("is FNV-1a over the seed's four bytes, lowest first, and the data", () => {
    assert.equal(fnv1a(new Uint8Array(0), seededState(0)) & 0x3fff, 0x3515);
    assert.equal(fnv1a(new Uint8Array(16), seededState(0)) & 0x3fff, 0x2455);
    assert.notEqual(seededState(1), seededState(0x01000000));
  });

  // The values are what contrib's processor v0.161.0 wrote for these trace ids and seeds.
  for (const { traceId, seed, want } of [
    { traceId: "804c1b31f14288b15c70181a18c511e7", seed: 0, want: "1dbc0e348df890" },
    { traceId: "804c1b31f14288b15c70181a18c511e7", seed: 22, want: "c4041056148efe" },
    { traceId: "3cc8001eebfb691f91537ee8ae5bbb6b", seed: 0, want: "f0043ac6b203fe" },
  ]) {
    it(`makes 56 bits of it as the Collector does: ${want}`, () => {
      assert.equal(toHex(hashRandomness(fnv1a(Buffer.from(traceId, "hex"), seededState(seed)))), want);
    });
  }

  it("counts buckets in 32-bit floats, rounded down", () => {
    assert.equal(keptBuckets(100), 0x4000);
    assert.equal(keptBuckets(200), 0x4000);
    assert.equal(keptBuckets(50), 0x2000);
    assert.equal(keptBuckets((3 / 2 ** 16) * 100), 0);
  });
});
