import { valueBytes } from "../../pipeline/attributes_actions/value_text.ts";
import { attributeKeys, editRecords, type LogRecordEditor, type Logs } from "../../pipeline/pdata/index.ts";
import { type Bits56, thresholdOf, thresholdText, toHex } from "./bits56.ts";
import { fnv1a, hashRandomness, seededState } from "./hash.ts";
import { type Candidate, judge, type Sampler } from "./sampler.ts";
import type { Tally } from "./tally.ts";
import { idRandomness } from "./traces.ts";
import { parseRandomness, parseThreshold } from "./tracestate.ts";

export interface LogSettings {
  readonly hashSeed: number;
  readonly precision: number;
  /** Where hash_seed mode looks: `record` leaves the trace id out. */
  readonly attributeSource: "traceID" | "record";
  /** The attribute that is hashed; empty: none. */
  readonly fromAttribute: string;
  /** The attribute that holds a percentage of its own; empty: none. */
  readonly samplingPriority: string;
}

/**
 * Samples log records by trace id or by an attribute, and writes the threshold, and in hash_seed mode the randomness,
 * into the attributes `sampling.threshold` and `sampling.randomness` of those kept.
 */
export function logSampler(sampler: Sampler, settings: LogSettings): (data: Logs, tally: Tally) => Logs {
  const keys = attributeKeys({
    threshold: "sampling.threshold",
    randomness: "sampling.randomness",
    source: settings.fromAttribute,
    priority: settings.samplingPriority,
  });
  const state = seededState(settings.hashSeed);

  function hashed(record: LogRecordEditor): Candidate["own"] {
    if (settings.attributeSource === "traceID" && !record.traceId.isEmpty) {
      return { bits: hashRandomness(record.traceId.fnv1a(settings.hashSeed)), policy: "trace_id_hash" };
    }
    if (settings.fromAttribute === "") return undefined;
    const bytes = valueBytes(record.value(keys.source));
    if (bytes.length === 0) return undefined;
    return { bits: hashRandomness(fnv1a(bytes, state)), policy: settings.fromAttribute };
  }

  function own(record: LogRecordEditor): Candidate["own"] {
    if (sampler.mode === "hash_seed") return hashed(record);
    if (record.traceId.isEmpty) return undefined;
    return { bits: idRandomness(record.traceId.hex()), policy: "trace_id_w3c" };
  }

  function arrived(record: LogRecordEditor): Candidate["arrived"] {
    const randomness = record.string(keys.randomness);
    const threshold = record.string(keys.threshold);
    try {
      return {
        randomness: randomness ? parseRandomness(randomness) : undefined,
        threshold: threshold ? parseThreshold(threshold) : undefined,
      };
    } catch (error) {
      return error as Error;
    }
  }

  function forced(record: LogRecordEditor): Bits56 | undefined {
    if (settings.samplingPriority === "") return undefined;
    const value = record.value(keys.priority);
    const isNumber = typeof value === "number" || typeof value === "bigint";
    return isNumber ? thresholdOf(Number(value) / 100, settings.precision) : undefined;
  }

  return (data, tally) =>
    editRecords(data, (record) => {
      const verdict = judge(sampler, { own: own(record), arrived: arrived(record), forced: forced(record) });
      tally.add(verdict.policy, verdict.keep, verdict.problem);
      if (!verdict.keep) record.drop();
      const { marks } = verdict;
      if (marks?.randomness !== undefined) record.set(keys.randomness, toHex(marks.randomness));
      if (marks?.threshold !== undefined) record.set(keys.threshold, thresholdText(marks.threshold));
    });
}
