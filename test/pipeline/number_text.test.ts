import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  age,
  clock,
  count,
  memory,
  rate,
  share,
  short,
  shortId,
  timeSpan,
  timeTick,
  traffic,
} from "../../pipeline/number_text.ts";

/** Both kinds of no-break space as plain ones. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

describe("numbers as people read them", () => {
  for (const { format, value, want } of [
    { format: count, value: 0, want: "0" },
    { format: count, value: 911_240, want: "911 240" },
    { format: count, value: 999_999, want: "999 999" },
    { format: count, value: 12_980_000, want: "13.0 M" },
    { format: count, value: 999_960_000, want: "1.00 G" },
    { format: rate, value: 0, want: "0" },
    { format: rate, value: 0.04, want: "under 0.1" },
    { format: rate, value: 3.94, want: "3.9" },
    { format: rate, value: 1012.4, want: "1 012" },
    { format: rate, value: 17_340, want: "17.3 k" },
    { format: short, value: 2_500_000, want: "2.5 M" },
    { format: short, value: 400, want: "400" },
    { format: short, value: 10_000, want: "10 k" },
    { format: memory, value: 1.2 * 1024 ** 3, want: "1.2 GiB" },
    { format: memory, value: 512, want: "512 B" },
    { format: traffic, value: 34_100, want: "34.1 kB" },
    { format: traffic, value: 8_600_000, want: "8.6 MB" },
    { format: traffic, value: 12, want: "12 B" },
    { format: short, value: 0.5, want: "0.5" },
    { format: short, value: 125_000, want: "125 k" },
    { format: timeTick, value: 0.003, want: "3 µs" },
    { format: timeTick, value: 100, want: "100 ms" },
    { format: timeTick, value: 1000, want: "1 s" },
    { format: timeTick, value: 1_000_000, want: "1 000 s" },
    { format: timeSpan, value: 0, want: "0 ms" },
    { format: timeSpan, value: 0.0003, want: "0.3 µs" },
    { format: timeSpan, value: 1.4, want: "1.4 ms" },
    { format: timeSpan, value: 312.2, want: "312 ms" },
    { format: timeSpan, value: 999.6, want: "1.00 s" },
    { format: timeSpan, value: 4190, want: "4.19 s" },
    { format: timeSpan, value: 41_800, want: "41.8 s" },
    { format: timeSpan, value: 190_000, want: "3 min 10 s" },
    { format: age, value: 12_000, want: "12 s" },
    { format: age, value: 900_000, want: "15 min" },
    { format: age, value: 7_500_000, want: "2 h 5 min" },
    { format: age, value: 273_600_000, want: "3 d 4 h" },
    { format: share, value: 0, want: "0 %" },
    { format: share, value: 0.0001, want: "under 0.1 %" },
    { format: share, value: 0.021, want: "2.1 %" },
    { format: share, value: 0.25, want: "25 %" },
    { format: share, value: 0.9999, want: "99.9 %" },
    { format: share, value: 1, want: "100 %" },
    { format: clock, value: Date.UTC(2026, 0, 1, 2, 14, 37), want: "02:14:37" },
  ]) {
    it(`${format.name}(${value}) is ${want}`, () => assert.equal(plain(format(value)), want));
  }

  it("never breaks a number from its unit or its thousands", () => {
    assert.ok(![count(1_234_567), rate(12_345), memory(5e9), timeSpan(190_000)].some((text) => text.includes(" ")));
  });

  it("shortens ids in the middle", () => {
    assert.equal(shortId("4bf92f3577b34da6a3ce929d0e0e4736"), "4bf92f35…0e4736");
    assert.equal(shortId("00f067aa0ba902b7"), "00f067aa0ba902b7");
  });
});
