import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { rangeOfQuery, rangeQuery, stepped } from "../../dashboard/range.ts";

const minute = 60_000;
const now = 1_790_000_000_000;
const live = { rangeMs: 5 * minute, endUnixMs: undefined };

describe("the range in the address", () => {
  for (const { query, range } of [
    { query: "", range: { rangeMs: undefined, endUnixMs: undefined } },
    { query: "range=300", range: live },
    { query: "range=300&end=1790000000", range: { rangeMs: 5 * minute, endUnixMs: now } },
  ]) {
    it(`reads and writes ${query || "all of the time"}`, () => {
      assert.deepEqual(rangeOfQuery(query), range);
      assert.equal(rangeQuery(range), query);
    });
  }

  for (const query of ["range=", "range=0", "range=-5", "range=5m", "range=1e9", "end=1790000000"]) {
    it(`takes ${query} for none`, () => assert.equal(rangeQuery(rangeOfQuery(query)), ""));
  }
});

describe("a step", () => {
  const window = 15 * minute;
  it("goes one range earlier, no further than the window", () => {
    const once = stepped(live, -1, window, now);
    assert.equal(once.endUnixMs, now - 5 * minute);
    const twice = stepped(once, -1, window, now);
    assert.equal(twice.endUnixMs, now - 10 * minute);
    assert.equal(stepped(twice, -1, window, now).endUnixMs, now - 10 * minute);
  });

  it("comes back to the present, where it goes no further", () => {
    const past = stepped(live, -1, window, now);
    assert.deepEqual(stepped(past, 1, window, now + 2_000), live);
    assert.deepEqual(stepped(live, 1, window, now), live);
  });

  it("does nothing where all of the time is shown", () => {
    const all = { rangeMs: undefined, endUnixMs: undefined };
    assert.deepEqual(stepped(all, -1, window, now), all);
    assert.deepEqual(stepped({ ...live, rangeMs: window }, -1, window, now).endUnixMs, undefined);
  });
});
