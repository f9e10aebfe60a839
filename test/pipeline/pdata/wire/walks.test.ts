import assert from "node:assert/strict";
import { it } from "node:test";
import { check } from "../../../../pipeline/pdata/check.ts";
import { WireError } from "../../../../pipeline/pdata/index.ts";
import { requests } from "../../../../pipeline/pdata/messages.ts";
import { toOrdinary } from "../../../../pipeline/pdata/ordinary.ts";
import { fillTraces } from "../../../../pipeline/pdata/rows_traces.ts";
import { refused } from "../../../../pipeline/pdata/walk_bytes.ts";
import { planOf, walkRequest } from "../../../../pipeline/pdata/walk_table.ts";
import { walkTraces } from "../../../../pipeline/pdata/walk_traces.ts";
import { randomRequest } from "./generate.ts";
import { addUnknownFields, encodeRequest } from "./protobuf.ts";
import { Random, seed } from "./random.ts";

const random = new Random(seed());
const signals = ["traces", "metrics", "logs"] as const;

/** A valid request, or one with some bytes changed, cut out or doubled. */
function bytesOf(signal: (typeof signals)[number]): Buffer {
  const request = randomRequest(signal, random);
  addUnknownFields(request, () => random.chance(0.1));
  let bytes: Buffer = encodeRequest(signal, request);
  for (let times = random.below(4); times > 0 && bytes.length > 0; times--) {
    const at = random.below(bytes.length);
    const to = at + random.below(30);
    if (random.chance(0.6))
      bytes[at] = random.chance(0.5) ? random.below(256) : (bytes[at] ?? 0) ^ (1 << random.below(8));
    else if (random.chance(0.5)) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    else bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
  }
  return bytes;
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// Scenario: valid and mutated requests of every signal go through the fast walks and the authoritative one.
// Guarantees: what a fast walk accepts is valid and ordinary, with the same number of items and the same rows.
it("a fast walk accepts nothing that the authoritative one would refuse or rewrite", () => {
  const seen = { accepted: 0, handedOver: 0, refused: 0, rewritten: 0 };
  for (let round = 0; round < 6000; round++) {
    const signal = random.pick(signals);
    const bytes = bytesOf(signal);
    const count = walkRequest(bytes, viewOf(bytes), planOf(requests[signal]));
    const rows = signal === "traces" ? walkTraces(bytes, viewOf(bytes)) : undefined;
    // The other way round is fine: of field 1000 the walk by hand knows where it is a deprecated list.
    if (signal === "traces" && count !== refused) assert.notEqual(rows, undefined);
    try {
      const verdict = check(bytes, requests[signal]);
      if (count === refused) seen.handedOver += 1;
      else {
        assert.deepEqual({ itemCount: count, isOrdinary: true }, verdict);
        seen.accepted += 1;
      }
      if (rows !== undefined) {
        assert.equal(verdict.isOrdinary, true);
        assert.deepEqual(rows, fillTraces(bytes, verdict.itemCount));
      }
      if (!verdict.isOrdinary) {
        const ordinary = toOrdinary(bytes, requests[signal]);
        assert.equal(check(ordinary, requests[signal]).isOrdinary, true);
        assert.deepEqual(toOrdinary(ordinary, requests[signal]), ordinary);
        seen.rewritten += 1;
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      assert.equal(count, refused, error.message);
      assert.equal(rows, undefined, error.message);
      assert.ok(error.offset >= 0 && error.offset <= bytes.length);
      seen.refused += 1;
    }
  }
  for (const [kind, times] of Object.entries(seen)) assert.ok(times > 0, `${kind}: ${times}`);
});
