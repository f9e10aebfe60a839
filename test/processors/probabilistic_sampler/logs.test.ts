import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex } from "../../../processors/probabilistic_sampler/bits56.ts";
import { fnv1a, hashRandomness, seededState } from "../../../processors/probabilistic_sampler/hash.ts";
import { configured, logs, sampleLogs, type TestRecord } from "./support.ts";

const half = "fefefefefefefefefe80000000000000";
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });

function attributesOf(records: readonly { attributes: readonly { key: string; value?: object }[] }[]) {
  return records.map(({ attributes }) =>
    Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value ?? {})[0]])),
  );
}

describe("probabilistic_sampler on log records", () => {
  // The hundred records of the Collector's own test, and how many of them it keeps.
  const hundred = logs(
    Array.from({ length: 100 }, (_, index): TestRecord => {
      const traceId = "00".repeat(8) + index.toString(16).padStart(2, "0").repeat(8);
      const bytes = Buffer.from(traceId, "hex");
      return {
        traceId,
        attributes: [
          { key: "rando", value: { intValue: BigInt(fnv1a(bytes, seededState(123))) } },
          ...(index % 2 === 0
            ? [{ key: "foo", value: { bytesValue: bytes } }, text("bar", index === 0 ? "" : traceId)]
            : []),
          ...(index % 4 === 0 ? [{ key: "priority", value: { doubleValue: 100 } }] : []),
        ],
      };
    }),
  );
  for (const { name, settings, kept } of [
    { name: "half by trace id", settings: { sampling_percentage: 50, mode: "hash_seed" }, kept: 45 },
    { name: "nothing", settings: { sampling_percentage: 0 }, kept: 0 },
    {
      name: "half by a bytes attribute",
      settings: { sampling_percentage: 50, attribute_source: "record", from_attribute: "foo" },
      kept: 23,
    },
    {
      name: "half by a text attribute",
      settings: { sampling_percentage: 50, attribute_source: "record", from_attribute: "bar" },
      kept: 29,
    },
    {
      name: "only those with a priority",
      settings: {
        sampling_percentage: 0,
        attribute_source: "record",
        from_attribute: "rando",
        sampling_priority: "priority",
      },
      kept: 25,
    },
    {
      name: "half by an int attribute, and those with a priority",
      settings: {
        sampling_percentage: 50,
        attribute_source: "record",
        from_attribute: "rando",
        sampling_priority: "priority",
      },
      kept: 64,
    },
    {
      name: "half by trace id, and those with a priority",
      settings: { sampling_percentage: 50, sampling_priority: "priority", fail_closed: false },
      kept: 57,
    },
  ]) {
    it(`keeps of a hundred: ${name}`, () => assert.equal(sampleLogs(settings, hundred).records.length, kept));
  }

  for (const { name, settings, record, want } of [
    {
      name: "writes the threshold",
      settings: { sampling_percentage: 100, mode: "proportional" },
      record: { traceId: half, attributes: [text("ignored", "value")] },
      want: { ignored: "value", "sampling.threshold": "0" },
    },
    {
      name: "writes the randomness of a hashed trace id",
      settings: { sampling_percentage: 100, hash_seed: 22 },
      record: { traceId: half },
      want: {
        "sampling.threshold": "0",
        "sampling.randomness": toHex(hashRandomness(fnv1a(Buffer.from(half, "hex"), seededState(22)))),
      },
    },
    {
      name: "takes a priority of 10.125 % with the randomness that came",
      settings: { sampling_percentage: 0, sampling_priority: "p", sampling_precision: 6 },
      record: {
        traceId: half,
        attributes: [text("sampling.randomness", "e6147c00000000"), { key: "p", value: { doubleValue: 10.125 } }],
      },
      want: { "sampling.randomness": "e6147c00000000", p: 10.125, "sampling.threshold": "e6147b" },
    },
    {
      name: "multiplies with what was sampled before",
      settings: { sampling_percentage: 50, mode: "proportional" },
      record: { traceId: "fefefefefefefefefef0000000000000", attributes: [text("sampling.threshold", "c")] },
      want: { "sampling.threshold": "e" },
    },
    {
      name: "never raises a share, not even for a priority",
      settings: { sampling_percentage: 50, mode: "equalizing", sampling_priority: "prio" },
      record: {
        traceId: "fe".repeat(16),
        attributes: [text("sampling.threshold", "c"), { key: "prio", value: { intValue: 37n } }],
      },
      want: { "sampling.threshold": "c", prio: 37n },
    },
    {
      name: "drops what should not have come",
      settings: { sampling_percentage: 50, mode: "equalizing" },
      record: { traceId: "fefefefefefefefefeb0000000000000", attributes: [text("sampling.threshold", "c")] },
      want: undefined,
    },
    {
      name: "leaves foreign randomness alone in hash_seed mode",
      settings: { sampling_percentage: 100, fail_closed: false },
      record: { traceId: half, attributes: [text("sampling.randomness", "f2341234123412")] },
      want: { "sampling.randomness": "f2341234123412" },
    },
    {
      name: "drops a record without trace id and attribute",
      settings: { sampling_percentage: 100, from_attribute: "unused" },
      record: { attributes: [text("unused", "")] },
      want: undefined,
    },
  ]) {
    it(name, () => {
      const { records } = sampleLogs(settings, logs([record]));
      assert.deepEqual(attributesOf(records)[0], want);
    });
  }
});

describe("the config of probabilistic_sampler", () => {
  for (const { settings, message } of [
    { settings: { sampling_percentage: -1 }, message: "sampling rate is negative: -1.000000%" },
    { settings: { sampling_percentage: 1e-15 }, message: "sampling rate is too small: 1e-15%" },
    { settings: { sampling_precision: 0 }, message: "invalid sampling precision: 0" },
    { settings: { sampling_precision: 15 }, message: "sampling precision is too great, should be <= 14: 15" },
    { settings: { mode: "dunno" }, message: 'unsupported sampler mode "dunno"' },
    { settings: { attribute_source: "span" }, message: "invalid attribute source: span. Expected: traceID or record" },
  ]) {
    it(`refuses ${JSON.stringify(settings)}`, () => {
      assert.throws(
        () => configured(settings),
        (error: { issues: { message: string }[] }) => {
          assert.deepEqual(
            error.issues.map((issue) => issue.message),
            [message],
          );
          return true;
        },
      );
    });
  }
});
