import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseExpression } from "../../../pipeline/frame/expression.ts";
import { compilePlan } from "../../../pipeline/frame/plan.ts";
import { type ClosedWindow, SpanWindows, type WindowSettings } from "../../../pipeline/frame/windows.ts";
import { SimulatedClock } from "../../support/simulated_host.ts";
import { tracesOf } from "./build_spans.ts";

const settings = { windowMs: 10_000, allowedLatenessMs: 5_000, maxGroups: 10, maxSpans: 1_000 };
const plan = compilePlan([], new Map([["requests", parseExpression("count")]]));

/** Windows of 10 s and 5 s of lateness, on a clock that stands at `startMs`, a multiple of 10 s. */
function openWindows(changes: Partial<WindowSettings> = {}) {
  const clock = new SimulatedClock();
  const startMs = clock.nowMs();
  const closed: ClosedWindow[] = [];
  const windows = new SpanWindows({ ...settings, ...changes }, plan, clock, (window) => void closed.push(window));
  const skipped = { late: 0, ahead: 0 };
  return {
    clock,
    windows,
    skipped,
    /** Spans that end `endsMs` after `startMs`, in one batch. */
    take(...endsMs: number[]) {
      windows.append(tracesOf(endsMs.map((endMs) => ({ endUnixMs: startMs + endMs }))), skipped);
      windows.advance();
    },
    /** Start, relative to `startMs`, and span count of each closed window. */
    times: () =>
      closed.map(({ startUnixMs, endUnixMs, isFull }) => [startUnixMs - startMs, endUnixMs - startMs, isFull]),
    closed: () => closed.map(({ startUnixMs, frame }) => [startUnixMs - startMs, frame.rowCount]),
  };
}

describe("event-time windows", () => {
  it("hold a span by its end; the end of a window belongs to the next one", () => {
    const { clock, windows, take, closed } = openWindows();
    clock.advance(60_000);
    take(0, 1, 9_999.999, 10_000, 19_999, 20_000);
    windows.closeAll();
    assert.deepEqual(closed(), [
      [0, 3],
      [10_000, 2],
      [20_000, 1],
    ]);
  });

  it("count a span without an end by its start", () => {
    const { clock, windows, closed } = openWindows();
    clock.advance(60_000);
    windows.append(tracesOf([{ startUnixMs: clock.nowMs() - 60_000 + 12_000, endUnixMs: 0 }]), {
      late: 0,
      ahead: 0,
    });
    windows.closeAll();
    assert.deepEqual(closed(), [[10_000, 1]]);
  });

  it("close once a span ended later than their end and the lateness", () => {
    const { clock, take, closed } = openWindows();
    clock.advance(30_000);
    take(1_000, 14_999);
    assert.deepEqual(closed(), []);
    take(2_000, 15_000);
    assert.deepEqual(closed(), [[0, 2]]);
  });

  it("take a span that comes late but within the lateness, and count one that comes later", () => {
    const { clock, take, closed, skipped } = openWindows();
    clock.advance(40_000);
    take(14_000);
    take(9_000);
    take(16_000);
    take(9_000, 8_000, 12_000);
    assert.deepEqual(closed(), [[0, 1]]);
    assert.deepEqual(skipped, { late: 2, ahead: 0 });
  });

  it("judge all spans of a batch alike, in whatever order they lie in it", () => {
    const { clock, take, closed, skipped } = openWindows();
    clock.advance(60_000);
    take(50_000, 1_000, 30_000);
    assert.deepEqual(skipped.late, 0);
    assert.deepEqual(closed(), [
      [0, 1],
      [30_000, 1],
    ]);
  });

  // Scenario: the last span came long before the end of its window, then nothing.
  // Guarantees: the window closes by the wall clock, one window length after the watermark stood still.
  it("close without further data", () => {
    const { clock, take, closed } = openWindows();
    clock.advance(3_000);
    take(3_000);
    clock.advance(10_000 + 11_999);
    assert.deepEqual(closed(), []);
    clock.advance(1);
    assert.deepEqual(closed(), [[0, 1]]);
    assert.equal(clock.pendingTimers, 0);
  });

  // Scenario: the only sender brings every 10 s what ended since, half a window's boundary away from our windows.
  // Guarantees: the pause between two of its batches makes none of its spans late.
  it("do not close early on a sender that batches for as long as a window", () => {
    const { clock, take, closed, skipped } = openWindows();
    clock.advance(8_000);
    for (let at = 18_000; at <= 58_000; at += 10_000) {
      clock.advance(10_000);
      take(...Array.from({ length: 10 }, (_, second) => at - 9_500 + second * 1_000));
    }
    assert.equal(skipped.late, 0);
    assert.deepEqual(closed(), [
      [0, 2],
      [10_000, 10],
      [20_000, 10],
      [30_000, 10],
      [40_000, 10],
    ]);
  });

  it("follow replayed data, however old", () => {
    const { clock, take, closed, skipped } = openWindows();
    clock.advance(86_400_000);
    take(1_000);
    take(26_000);
    take(41_000);
    assert.equal(skipped.late, 0);
    assert.deepEqual(closed(), [
      [0, 1],
      [20_000, 1],
    ]);
  });

  // Scenario: one sender's clock is ahead, a little (within a window and the lateness) or by an hour.
  // Guarantees: neither makes the spans of others late; the second is counted and not aggregated.
  it("are not moved by spans from the future", () => {
    const { clock, windows, take, closed, skipped } = openWindows();
    clock.advance(12_000);
    take(12_000 + 14_000, 12_000 + 3_600_000);
    take(1_000);
    assert.deepEqual(skipped, { late: 0, ahead: 1 });
    windows.closeAll();
    assert.deepEqual(closed(), [
      [0, 1],
      [20_000, 1],
    ]);
  });

  // Scenario: three spans are a window's fill; eight come for one window, out of order, and one for the next.
  // Guarantees: no span is lost or counted twice, no window holds more than three, and their times do not overlap.
  it("close early when they are full, and go on with the rest of their time", () => {
    const { clock, windows, take, closed, times, skipped } = openWindows({ maxSpans: 3 });
    clock.advance(20_000);
    take(1_000, 3_000, 2_000, 4_000, 500);
    assert.deepEqual(closed(), [[0, 3]]);
    take(600, 9_000, 10_500, 700);
    windows.closeAll();
    assert.deepEqual(closed(), [
      [0, 3],
      [3_000, 3],
      [4_000, 2],
      [10_000, 1],
    ]);
    assert.deepEqual(times(), [
      [0, 3_000, true],
      [3_000, 4_000, true],
      [4_000, 10_000, false],
      [10_000, 20_000, false],
    ]);
    assert.deepEqual(skipped, { late: 0, ahead: 0 });
  });

  it("begin at different times though all their spans end in one instant", () => {
    const { clock, windows, take, times } = openWindows({ maxSpans: 1 });
    clock.advance(20_000);
    take(4_000, 4_000, 4_000);
    windows.closeAll();
    const starts = times().map(([start]) => start);
    assert.equal(starts.length, 3);
    assert.equal(new Set(starts).size, 3);
    for (const [start, end] of times()) assert.ok(Number(end) > Number(start), `${start} to ${end}`);
  });

  it("leave nothing behind when they were full with their last span", () => {
    const { clock, windows, take, times } = openWindows({ maxSpans: 2 });
    clock.advance(40_000);
    take(1_000, 2_000);
    take(30_000);
    assert.equal(clock.pendingTimers, 1);
    windows.closeAll();
    assert.deepEqual(times(), [
      [0, 2_000, true],
      [30_000, 40_000, false],
    ]);
  });

  // Scenario: windows are full one after the other, for as long as a service runs.
  // Guarantees: once one has closed for good, nothing of it is kept, not even where its next part would have begun.
  it("keep nothing of full windows that have closed", () => {
    const { clock, windows, take } = openWindows({ maxSpans: 1 });
    clock.advance(600_000);
    for (let at = 1_000; at < 300_000; at += 10_000) take(at);
    const held = windows.sizeBytes;
    for (let at = 301_000; at < 600_000; at += 10_000) take(at);
    assert.ok(held > 0, "the latest may still get spans");
    assert.equal(windows.sizeBytes, held);
    windows.closeAll();
    assert.equal(windows.sizeBytes, 0);
  });

  it("count a span as late after all windows were closed, and leave no timer", () => {
    const { clock, windows, take, closed, skipped } = openWindows();
    clock.advance(10_000);
    take(1_000);
    windows.closeAll();
    take(2_000);
    assert.deepEqual(closed(), [[0, 1]]);
    assert.equal(skipped.late, 1);
    assert.equal(clock.pendingTimers, 0);
  });

  it("charge what they hold and give it back", () => {
    const { clock, windows, take } = openWindows();
    clock.advance(10_000);
    assert.equal(windows.sizeBytes, 0);
    take(1_000);
    assert.ok(windows.sizeBytes > 0);
    windows.closeAll();
    assert.equal(windows.sizeBytes, 0);
  });
});
