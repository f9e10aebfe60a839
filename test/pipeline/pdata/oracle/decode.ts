import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { decode, type Pdata, receive, type Signal, WireError } from "../../../../pipeline/pdata/index.ts";
import { bytesOf, forTapes, type Origin, seed } from "./property.ts";
import { itemsIn, oracleVerdict } from "./verdict.ts";

/** How many byte strings of each origin one signal is tried with: 25 000 in all, 100 000 over the four signals. */
export const runs: Record<Origin, number> = {
  ordinary: 4000,
  odd: 6000,
  wild: 4000,
  mutated: 7000,
  random: 3000,
  deep: 1000,
};

/** The same verdict as protobufjs and, where accepted, the same values; `alsoCheck` has the signal's cursors. */
export function describeDecoding<S extends Signal>(
  signal: S,
  alsoCheck: (data: ReturnType<typeof receive<S>>, request: Record<string, unknown>) => void,
): void {
  describe(`${signal} from any bytes (OTELPIPE_SEED=${seed})`, () => {
    for (const [origin, count] of Object.entries(runs) as [Origin, number][]) {
      it(`gives protobufjs's verdict and values for ${count} ${origin} byte strings`, () => {
        let accepted = 0;
        forTapes(count, origin === "ordinary" ? 600 : 260, (tape) => {
          const bytes = bytesOf(signal, origin, tape);
          const data = compare(signal, bytes);
          if (data === undefined) return;
          accepted += 1;
          alsoCheck(data.received, data.request);
        });
        assert.ok(accepted > 0, "no byte string was accepted");
      });
    }
  });
}

/** Compares verdicts and values; the batch when both accept. */
function compare<S extends Signal>(signal: S, bytes: Buffer) {
  const expected = oracleVerdict(signal, bytes);
  const before = Buffer.from(bytes);
  let received: ReturnType<typeof receive<S>>;
  try {
    received = receive(signal, bytes);
  } catch (error) {
    assert.ok(error instanceof WireError, `threw ${String(error)}: ${bytes.toString("hex")}`);
    assert.ok(error.offset >= 0 && error.offset <= bytes.length, `offset ${error.offset} of ${bytes.length}`);
    assert.ok("refusal" in expected, `refused although valid (${error.message}): ${bytes.toString("hex")}`);
    return undefined;
  }
  if ("refusal" in expected) assert.fail(`accepted although ${expected.refusal}: ${bytes.toString("hex")}`);
  assert.ok(before.equals(bytes), `the input was written into: ${before.toString("hex")}`);
  const values = decode(received);
  if (!isDeepStrictEqual(values, expected.request)) assert.deepEqual(values, expected.request, bytes.toString("hex"));
  assert.equal((received as Pdata).itemCount, itemsIn(signal, expected.request), bytes.toString("hex"));
  return { received, request: expected.request };
}
