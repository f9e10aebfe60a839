import assert from "node:assert/strict";
import { it } from "node:test";
import { seededRandom } from "../../support/simulated_host.ts";
import { bad, down, type HarnessOptions, harness, settled } from "./harness.ts";
import { numbered } from "./spans.ts";

const seed = Number(process.env["OTELPIPE_SEED"] ?? Math.floor(Math.random() * 1e9));

/**
 * Runs an exporter with random settings against a destination that takes, refuses, fails or stays silent at random,
 * while batches of all sizes come in at random times, then drains it.
 */
async function simulate(random: () => number) {
  const pick = <V>(...values: readonly V[]) => values[Math.floor(random() * values.length)] as V;
  const wait_for_result = pick(true, false);
  const queue = pick<object | null>(null, {
    num_consumers: pick(1, 3),
    queue_size: pick(2, 20),
    sizer: pick("requests", undefined),
    block_on_overflow: pick(true, false),
    wait_for_result,
    ...pick({}, { batch: { flush_timeout: "100ms", min_size: pick(0, 5), max_size: pick(0, 7), sizer: "items" } }),
  });
  const timeoutMs = pick(0, 500);
  const { host, exporter, sent, push } = harness({
    queue,
    timeoutMs,
    seed: Math.floor(random() * 1e9),
    retry: pick({}, { enabled: false }, { initial_interval: "50ms", max_interval: "1s", max_elapsed_time: "3s" }),
    reply: () => pick<ReturnType<NonNullable<HarnessOptions["reply"]>>>(undefined, undefined, down, bad, "wait"),
  });
  const answers = [];
  let offered = 0;
  for (let step = 0; step < 40; step++) {
    const count = Math.floor(random() * 12);
    offered += count;
    answers.push(push(...numbered(`${step}.`, count)));
    host.advance(pick(0, 10, 100, 700));
    for (const attempt of sent) if (random() < 0.1) await attempt.finish(pick(undefined, down, bad));
  }
  const drained = exporter.drain?.(host.clock.monotonicMs() + 5_000);
  for (let step = 0; step < 10; step++) {
    for (const attempt of sent) if (random() < 0.3) await attempt.finish();
    host.advance(500);
    await settled();
  }
  host.advance(5_000);
  await drained;
  await exporter.stop?.();
  return { host, answers, offered };
}

// Guarantees, whatever happens: every delivery is answered exactly once; every item is sent, refused or dropped by a
// reason, and counted as one of them only; all memory is given back; no timer is left.
for (let round = 0; round < 150; round++) {
  it(`books, answers and memory add up (OTELPIPE_SEED=${seed + round})`, async () => {
    const { host, answers, offered } = await simulate(seededRandom(seed + round));
    assert.deepEqual(
      answers.filter((each) => each.length !== 1),
      [],
    );
    const dropped = [...host.dropped.values()].reduce((sum, items) => sum + items, 0);
    assert.equal(host.books.sent + host.books.refused + dropped, offered);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(host.clock.pendingTimers, 0);
  });
}
