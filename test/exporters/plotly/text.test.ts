import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  countText,
  durationText,
  durationTickText,
  escapeText,
  rateText,
  tickText,
} from "../../../exporters/plotly/text.ts";

const plain = (text: string) => text.replaceAll("\u202f", "_");

describe("text in figures", () => {
  for (const { text, want } of [
    { text: "llama-3.1-8b", want: "llama-3.1-8b" },
    { text: "<b>bold</b>", want: "&lt;b&gt;bold&lt;/b&gt;" },
    { text: '<a href="javascript:alert(1)">x</a>', want: '&lt;a href="javascript:alert(1)"&gt;x&lt;/a&gt;' },
    { text: "&lt;", want: "&amp;lt;" },
    { text: "a\nb\u0000c", want: "a\\u{a}b\\u{0}c" },
    { text: "evil\u202Etxt\u2066", want: "evil\\u{202e}txt\\u{2066}" },
    { text: "zero\u200Bwidth\uFEFF", want: "zero\\u{200b}width\\u{feff}" },
    { text: "half \uD800 pair", want: "half \\u{d800} pair" },
    { text: "größe 😀", want: "größe 😀" },
    { text: "%{y} $x$", want: "%{y} $x$" },
  ]) {
    it(`shows ${JSON.stringify(text)} as text`, () => assert.equal(escapeText(text), want));
  }

  it("is cut in the middle when it is long, between whole characters", () => {
    const cut = escapeText(`start${"😀".repeat(500)}end`);
    assert.equal([...cut].length, 80);
    assert.match(cut, /^start😀+…😀+end$/u);
    assert.equal(escapeText("x".repeat(80)), "x".repeat(80));
  });

  for (const { count, want } of [
    { count: 0, want: "0" },
    { count: 999, want: "999" },
    { count: 9340, want: "9_340" },
    { count: 911_240, want: "911_240" },
    { count: 12_980_000, want: "13.0_M" },
    { count: 2_910_000, want: "2.91_M" },
    { count: 337_000_000, want: "337_M" },
    { count: 1.5e9, want: "1.50_G" },
  ]) {
    it(`writes the count ${count}`, () => assert.equal(plain(countText(count)), want));
  }

  for (const { rate, want } of [
    { rate: 0, want: "0_/s" },
    { rate: 0.3333, want: "0.333_/s" },
    { rate: 12.5, want: "12.5_/s" },
    { rate: 1012, want: "1_012_/s" },
    { rate: 17_321, want: "17.3_k/s" },
    { rate: 2_500_000, want: "2.50_M/s" },
  ]) {
    it(`writes the rate ${rate}`, () => assert.equal(plain(rateText(rate)), want));
  }

  for (const { milliseconds, want } of [
    { milliseconds: 0.0003, want: "0.3_µs" },
    { milliseconds: 312.4, want: "312_ms" },
    { milliseconds: 999.9, want: "1.00_s" },
    { milliseconds: 4190, want: "4.19_s" },
    { milliseconds: 41_800, want: "41.8_s" },
    { milliseconds: 190_000, want: "3_min 10_s" },
  ]) {
    it(`writes the time ${milliseconds} ms`, () => assert.equal(plain(durationText(milliseconds)), want));
  }

  it("writes ticks", () => {
    assert.deepEqual([0, 0.5, 20_000, 7_500_000].map(tickText).map(plain), ["0", "0.5", "20_k", "7.5_M"]);
    assert.deepEqual([0.003, 100, 1000, 30_000].map(durationTickText).map(plain), ["3_µs", "100_ms", "1_s", "30_s"]);
  });
});
