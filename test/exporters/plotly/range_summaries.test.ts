import assert from "node:assert/strict";
import { it } from "node:test";
import { RangeSummaries } from "../../../exporters/plotly/range_summaries.ts";
import { RequestStore } from "../../../exporters/plotly/request_store.ts";
import { summarize } from "../../../exporters/plotly/summary.ts";
import { Budget } from "../../../pipeline/process/memory.ts";

it("computes a range once for all figures, until something has changed", async () => {
  const store = new RequestStore(1, new Budget(1e9));
  let computed = 0;
  const ranges = new RangeSummaries(({ rangeMs }) => {
    computed++;
    return summarize(store, { toUnixMs: 1_800_000_000_000, windowMs: rangeMs, maxPoints: 10 }, async () => {});
  });
  const first = await ranges.of({ rangeMs: 60_000 });
  assert.equal(await ranges.of({ rangeMs: 60_000 }), first);
  assert.equal(computed, 1);
  await ranges.of({ rangeMs: 60_000, endUnixMs: 1_800_000_000_000 });
  assert.equal(computed, 2);
  ranges.clear();
  assert.notEqual(await ranges.of({ rangeMs: 60_000 }), first);
  assert.equal(computed, 3);
});
