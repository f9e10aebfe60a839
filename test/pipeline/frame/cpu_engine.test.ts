import assert from "node:assert/strict";
import { it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { NumberBuilder } from "../../../pipeline/frame/builders.ts";
import { openCpuEngine } from "../../../pipeline/frame/cpu/engine.ts";
import { SimulatedClock } from "../../support/simulated_host.ts";
import { engineConformance } from "./engine_conformance.ts";
import { runningClock } from "./running_clock.ts";

engineConformance("cpu", () => openCpuEngine({ clock: runningClock() }));

// Scenario: a group-by over 400 000 rows, on a clock that stands still.
// Guarantees: no single step works through more than a slice; between two of them others run.
it("pauses between slices of a large table", async () => {
  const clock = new SimulatedClock();
  const engine = await openCpuEngine({ clock });
  const builder = new NumberBuilder();
  for (let row = 0; row < 400_000; row++) builder.push(row);
  const query = { groupBy: [], aggregations: [{ as: "p50", fn: "quantile", column: "n", q: 0.5 }] } as const;
  let answered = false;
  const answer = engine.aggregate([builder.finish("n")], query).finally(() => void (answered = true));
  let pauses = 0;
  for (;;) {
    await setImmediate();
    if (answered) break;
    assert.ok(clock.pendingTimers > 0, "works on without a pause");
    pauses++;
    clock.advance(0);
  }
  assert.equal((await answer)[0]?.values[0], 199_999.5);
  assert.ok(pauses >= 18, `${pauses} pauses for 6 passes over 4 slices`);
});
