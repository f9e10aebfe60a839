import assert from "node:assert/strict";
import { it } from "node:test";
import { FrameType } from "../../../../pipeline/net/http2/frames.ts";
import { seededRandom } from "../../../support/simulated_host.ts";
import { conversation, server } from "./server_side.ts";

const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);
const runs = Number(process.env["OTELPIPE_RUNS"] ?? 3000);

// Scenario: a conversation of every kind of frame, damaged in a few places, comes whole, and again in random pieces.
// Guarantees: nothing throws, both are understood alike, and what cannot go on says so in a GOAWAY, its last frame.
it(`understands damaged conversations alike however they arrive (OTELPIPE_SEED=${seed})`, () => {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let run = 0; run < runs; run++) {
    const bytes = damaged(conversation, below);
    const whole = server();
    whole.read(bytes);
    const pieces = server();
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + below(20));
      // The buffer is another's as soon as the call is over.
      const lent = Buffer.from(bytes.subarray(at, end));
      pieces.connection.read(lent, 0, lent.length);
      lent.fill(0xff);
      at = end;
    }
    const context = `run ${run} of OTELPIPE_SEED=${seed}: ${bytes.toString("hex")}`;
    assert.deepEqual(pieces.events, whole.events, context);
    assert.deepEqual(Buffer.concat(pieces.written), Buffer.concat(whole.written), context);
    if (whole.events.at(-1)?.startsWith("failed") === true) {
      assert.equal(whole.sent().at(-1)?.type, FrameType.goaway, context);
    }
  }
});

/** `bytes` behind the preface with a few of them changed, left out, doubled or cut off. */
function damaged(bytes: Buffer, below: (limit: number) => number): Buffer {
  let result = Buffer.from(bytes);
  for (let left = 1 + below(3); left > 0; left--) {
    const at = 24 + below(result.length - 24);
    const end = Math.min(result.length, at + 1 + below(30));
    const [before, piece, behind] = [result.subarray(0, at), result.subarray(at, end), result.subarray(end)];
    switch (below(5)) {
      case 0:
        result[at] = below(256);
        break;
      case 1:
        result[at] = (result[at] as number) ^ (1 << below(8));
        break;
      case 2:
        result = Buffer.concat([before, behind]);
        break;
      case 3:
        result = Buffer.concat([before, piece, piece, behind]);
        break;
      default:
        result = Buffer.concat([before, behind, piece]);
    }
  }
  return result;
}
