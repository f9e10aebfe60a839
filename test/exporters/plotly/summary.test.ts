import assert from "node:assert/strict";
import { it } from "node:test";
import { RequestStore, requestsPerBlock } from "../../../exporters/plotly/request_store.ts";
import { summarize } from "../../../exporters/plotly/summary.ts";
import { Budget } from "../../../pipeline/process/memory.ts";

const toUnixMs = 1_800_000_000_000;
const window = { toUnixMs, windowMs: 900_000, maxPoints: 1_000 };

/** One request in the window, behind enough others outside it that every pass over the store pauses. */
function oneRequest() {
  const store = new RequestStore(1_000_000, new Budget(1e9));
  for (let row = 0; row < 9 * requestsPerBlock; row++) store.add(toUnixMs - 9e8, 1, 0, 0, false, "gemma");
  return { store, number: store.add(toUnixMs - 1_000, 500, 1, 1, false, "gemma") };
}

// Scenario: a request turns out to repeat another one while a summary counts, or while it draws.
// Guarantees: that summary sees it in both passes, the next one in none.
for (const at of [1, 2]) {
  for (const share of ["repeats", "tokens"] as const) {
    it(`shows what it counted when a request is taken back (${share}) in pause ${at}`, async () => {
      const { store, number } = oneRequest();
      let pauses = 0;
      const summary = await summarize(store, window, async () => {
        if (++pauses === at) store.takeBack(number, share);
      });
      assert.equal(pauses, 2);
      assert.deepEqual([summary.requests, summary.sample.length, summary.p50Ms, summary.p95Ms], [1, 1, 500, 500]);
      const next = await summarize(store, window, async () => {});
      assert.deepEqual([next.requests, next.sample.length, next.p50Ms], [0, 0, undefined]);
    });
  }
}

it("takes back at once after a summary that failed", async () => {
  const { store, number } = oneRequest();
  await assert.rejects(
    summarize(store, window, () => Promise.reject(new Error("stopped"))),
    /stopped/,
  );
  store.takeBack(number, "repeats");
  assert.equal((await summarize(store, window, async () => {})).requests, 0);
});
