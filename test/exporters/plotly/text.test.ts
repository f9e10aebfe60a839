import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { escapeText } from "../../../exporters/plotly/text.ts";

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
});
