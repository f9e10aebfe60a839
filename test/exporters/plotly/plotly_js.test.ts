import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { it } from "node:test";
import { pageFigures } from "../../../exporters/plotly/page_figures.ts";
import { RequestStore } from "../../../exporters/plotly/request_store.ts";
import { fileFigures } from "../../../exporters/plotly/seed_figures.ts";
import { summarize } from "../../../exporters/plotly/summary.ts";
import { Budget } from "../../../pipeline/process/memory.ts";
import { findBrowser, launchBrowser } from "../../support/browser.ts";

const choice = await findBrowser();
const skip = "skipped" in choice ? choice.skipped : false;
const plotly = createRequire(import.meta.url).resolve("plotly.js-cartesian-dist-min/plotly-cartesian.min.js");

/** Every figure, for so many requests. */
async function figuresOf(requests: number) {
  const toUnixMs = Date.UTC(2026, 0, 1, 2, 15, 3);
  const store = new RequestStore(100_000, new Budget(1e9));
  for (let row = 0; row < requests; row++) {
    store.add(toUnixMs - row * 10, 100 + (row % 977) * 10, row % 3000, row % 400, row % 50 === 0, "<b>gemma</b>");
  }
  const summary = await summarize(store, { toUnixMs, windowMs: 15 * 60_000, maxPoints: 5000 }, async () => {});
  return [...fileFigures, ...pageFigures].map(({ name, draw }) => ({ name, figure: JSON.stringify(draw(summary)) }));
}

// Guarantees: the plotly.js we serve knows every attribute of every figure, draws it, and reads no HTML from telemetry.
it("plotly.js finds nothing wrong with any figure: none, few or too many requests", { skip }, async () => {
  assert.ok("executable" in choice);
  const browser = await launchBrowser(choice.executable);
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => void errors.push(error.message));
    await page.setContent(`<div id="figure" style="width:600px;height:400px"></div>`);
    await page.addScriptTag({ path: plotly });
    for (const requests of [0, 300, 20_000]) {
      for (const { name, figure } of await figuresOf(requests)) {
        const found = await page.evaluate(async (text) => {
          const { data, layout, config } = JSON.parse(text);
          // biome-ignore lint/suspicious/noExplicitAny: a script of the page
          const { Plotly } = globalThis as any;
          const findings: { msg: string }[] = Plotly.validate(data, layout) ?? [];
          const element = document.getElementById("figure");
          await Plotly.newPlot(element, data, layout, config);
          return { findings: findings.map(({ msg }) => msg), bold: element?.querySelectorAll("b").length };
        }, figure);
        // An empty trace is reported as not visible, with all its attributes.
        const findings = requests === 0 ? [] : found.findings;
        assert.deepEqual({ ...found, findings }, { findings: [], bold: 0 }, `${name} with ${requests} requests`);
      }
    }
    assert.deepEqual(errors, []);
  } finally {
    await browser.close();
  }
});
