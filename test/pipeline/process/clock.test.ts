import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { systemClock } from "../../../pipeline/process/clock.ts";

const dayMs = 24 * 3600 * 1000;

describe("a timer of the machine's clock", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
  afterEach(() => mock.timers.reset());

  // Node takes 25 days at most and fires at once for more: a window of 1 000 h woke up a thousand times a second.
  for (const days of [1, 24, 40, 100]) {
    it(`waits for ${days} days`, () => {
      let fired = 0;
      systemClock.setTimer(() => fired++, days * dayMs);
      for (let hour = 24; hour < 24 * days; hour++) mock.timers.tick(dayMs / 24);
      assert.equal(fired, 0);
      for (let hour = 0; hour < 28; hour++) mock.timers.tick(dayMs / 24);
      assert.equal(fired, 1);
      mock.timers.tick(100 * dayMs);
      assert.equal(fired, 1);
    });
  }

  it("can be cleared, a long one in any of its parts too", () => {
    let fired = 0;
    const first = systemClock.setTimer(() => fired++, 40 * dayMs);
    const second = systemClock.setTimer(() => fired++, 40 * dayMs);
    systemClock.clearTimer(first);
    for (let day = 0; day < 30; day++) mock.timers.tick(dayMs);
    systemClock.clearTimer(second);
    for (let day = 0; day < 30; day++) mock.timers.tick(dayMs);
    assert.equal(fired, 0);
  });
});
