import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cutMiddle, visible } from "../../dashboard/dom.ts";
import { unescaped } from "../../dashboard/figures/facts.ts";
import { dressed, harmless, type Palette } from "../../dashboard/figures/look.ts";

const palette: Palette = {
  series: ["#s1", "#s2", "#s3", "#s4", "#s5", "#s6", "#s7"],
  error: "#error",
  control: "#control",
  text2: "#text2",
  text3: "#text3",
  line: "#line",
  grid: "#grid",
  raised: "#raised",
  panel: "#panel",
  scale: [
    [0, "#low"],
    [1, "#high"],
  ],
  area: "#area",
};

describe("a figure in the page's look", () => {
  it("colours by role, and leaves the data alone", () => {
    const roles = ["ok", "failed", "input_tokens", "output_tokens", "running_total", "series_3", "series_9"];
    const data = roles.map((role) => ({ type: "bar", x: [1], y: [2], marker: { color: "red" }, meta: { role } }));
    const made = dressed({ data, layout: {} }, palette).data;
    assert.deepEqual(
      made.map((trace) => (trace["marker"] as { color: string }).color),
      ["#s1", "#error", "#s1", "#s2", "#text3", "#s3", "#control"],
    );
    assert.deepEqual(
      made.map(({ x, y }) => [x, y]),
      data.map(({ x, y }) => [x, y]),
    );
  });

  it("takes titles, legend and zooming away: the panel has them", () => {
    const { layout } = dressed(
      { data: [], layout: { title: { text: "T" }, showlegend: true, xaxis: { title: { text: "X" }, range: [0, 1] } } },
      palette,
    );
    const xaxis = layout["xaxis"] as Record<string, unknown>;
    assert.deepEqual([layout["title"], layout["showlegend"], layout["dragmode"]], [undefined, false, false]);
    assert.deepEqual([xaxis["title"], xaxis["range"], xaxis["fixedrange"]], [undefined, [0, 1], true]);
  });

  // Scenario: an exporter forgets to escape a model's name. Guarantees: Plotly gets no tag that could be a link or a style.
  it("lets no tag of Plotly's small HTML through, wherever text may stand", () => {
    const hostile = '<a href="https://evil.example">click</a><b>x</b><br>next';
    const safe = '&lt;a href="https://evil.example">click&lt;/a>&lt;b>x&lt;/b><br>next';
    const trace = {
      type: "scatter",
      name: hostile,
      text: [hostile],
      hovertext: hostile,
      x: [hostile],
      y: [1],
      hovertemplate: `%{text}<extra>${hostile}</extra>`,
    };
    const layout = { xaxis: { ticktext: [hostile] }, annotations: [{ text: hostile }] };
    const made = dressed({ data: [trace], layout }, palette);
    const [one] = made.data;
    assert.deepEqual([one?.["name"], one?.["text"], one?.["hovertext"], one?.["x"]], [safe, [safe], safe, [safe]]);
    assert.equal(one?.["hovertemplate"], `%{text}<extra>${safe}</extra>`);
    assert.deepEqual((made.layout["xaxis"] as Record<string, unknown>)["ticktext"], [safe]);
    assert.equal((made.layout["annotations"] as { text: string }[])[0]?.text, safe);
  });

  it("leaves escaped text as it is, and reads it back as what it was", () => {
    assert.equal(harmless("a &lt;b&gt; &amp; c<br>d"), "a &lt;b&gt; &amp; c<br>d");
    assert.equal(unescaped("a &lt;b&gt; &amp;lt; c"), "a <b> &lt; c");
  });
});

describe("text from telemetry", () => {
  it("shows control, direction and invisible characters as escapes", () => {
    assert.equal(visible("a\nb\tc\u0000\u202ed\u200b"), "a\\nb\\tc\\u{0}\\u{202e}d\\u{200b}");
    assert.equal(visible("Grüße, 日本, 👋"), "Grüße, 日本, 👋");
  });

  it("is cut in the middle, never inside a character", () => {
    assert.equal(cutMiddle("abcdefghij", 5), "ab…ij");
    assert.equal(cutMiddle("abc", 5), "abc");
    assert.equal(cutMiddle("👋👋👋👋👋👋", 3), "👋…👋");
  });
});
