import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findBrowser, launchBrowser } from "../support/browser.ts";
import { type MadeSpan, makeTraces, startDashboard } from "../support/dashboard_data.ts";
import { open, settled } from "../support/dashboard_page.ts";

const choice = await findBrowser();
const skip = "skipped" in choice ? choice.skipped : false;

describe("a page of many spans", { skip, timeout: 120_000 }, () => {
  const spans = makeTraces(110, Date.now());

  it("is drawn by WebGL, and a click on a span opens that span", async () => {
    assert.ok("executable" in choice);
    const browser = await launchBrowser(choice.executable);
    const { url, service, stop } = await startDashboard(spans);
    service.flow(spans.length, 0);
    try {
      const { page, problems } = await open(browser, url);
      await settled(page);
      assert.equal(await page.locator("#graph").getAttribute("data-picture"), "webgl");
      assert.equal(await page.locator(".spot").count(), 0);
      const failure = page.locator(".failure").first();
      const name = await failure.locator(".code").textContent();
      await failure.click();
      const ids = await page.locator(".drawer .ids").getAttribute("title");
      const ring = await page.locator(".ring").boundingBox();
      assert.ok(ring);
      await page.keyboard.press("Escape");
      await page.locator(".drawer-hint").waitFor();
      await page.mouse.click(ring.x + ring.width / 2, ring.y + ring.height / 2);
      await page.locator(".drawer h3").waitFor();
      assert.equal(await page.locator(".drawer h3").textContent(), name);
      assert.equal(await page.locator(".drawer .ids").getAttribute("title"), ids);
      const before = await page.locator(".ring").boundingBox();
      await page.mouse.move(ring.x - 60, ring.y);
      await page.mouse.wheel(0, -600);
      await page.waitForFunction(
        (x) => Math.abs((document.querySelector(".ring")?.getBoundingClientRect().x ?? x) - x) > 20,
        before?.x ?? 0,
      );
      assert.deepEqual(
        problems.filter((problem) => !/GPU stall|GL Driver/.test(problem)),
        [],
      );
    } finally {
      await browser.close();
      await stop();
    }
  });
});

describe("hostile telemetry", { skip, timeout: 120_000 }, () => {
  const hostile = `<img src=x onerror="alert(1)"><script>window.hacked=1</script><b>bold</b>\u202etxt`;
  const spans = makeTraces(6, Date.now()).map(
    (span): MadeSpan => ({
      ...span,
      name: hostile,
      status: "ERROR",
      attributes: { ...span.attributes, "gen_ai.request.model": hostile, [hostile]: hostile, __proto__x: hostile },
    }),
  );

  it("stays text wherever it is shown: no element, no script, no dialog", async () => {
    assert.ok("executable" in choice);
    const browser = await launchBrowser(choice.executable);
    const running = await startDashboard(spans);
    running.service.flow(100, 1);
    running.service.facts.set("receiver:otlp", [{ label: hostile, text: hostile }]);
    Object.assign(running.service, { configSources: [hostile] });
    try {
      const { page, problems } = await open(browser, running.url);
      await settled(page);
      const span = spans.find((one) => "gen_ai.input.messages" in one.attributes);
      await page.locator(`[data-span="${span?.traceId}:${span?.spanId}"]`).dispatchEvent("click");
      await page.locator(".drawer .fields").waitFor();
      const keys = await page.locator(".fields dt").allTextContents();
      assert.ok(
        keys.some((key) => key.startsWith("<img src=x") && key.includes("\\u{202e}")),
        keys.join(),
      );
      assert.match((await page.locator(".drawer h3").textContent()) ?? "", /^<img src=x/);
      await page.getByRole("button", { name: "Show text" }).click();
      await page.locator(".revealed").waitFor();
      await page.evaluate(() => {
        const { Plotly } = window as unknown as {
          Plotly: { Fx: { hover(plot: Element | null, points: object[]): void } };
        };
        const plot = document.querySelector('[data-figure="input_against_output"] .plot');
        Plotly.Fx.hover(plot, [{ curveNumber: 1, pointNumber: 0 }]);
      });
      assert.match((await page.locator(".hoverlayer").nth(2).textContent()) ?? "", /^<img src=x/, "the model's name");
      await page.locator("#flow").hover();
      await page.evaluate(() => (document.activeElement as HTMLElement).blur());
      await page.keyboard.press("v");
      await page.locator("#flow table").waitFor();
      const strange = await page.evaluate(() => ({
        hacked: "hacked" in window,
        elements: [...document.querySelectorAll("img, iframe, object, embed, b, script")]
          .filter(
            (element) =>
              !(element instanceof HTMLScriptElement && new URL(element.src).pathname.startsWith("/assets/")),
          )
          .filter((element) => /bold|alert|hacked/.test(element.outerHTML))
          .map((element) => element.outerHTML),
        handlers: [...document.querySelectorAll("*")].filter((element) => element.hasAttribute("onerror")).length,
      }));
      assert.deepEqual(strange, { hacked: false, elements: [], handlers: 0 });
      assert.deepEqual(problems, []);
    } finally {
      await browser.close();
      await running.stop();
    }
  });
});
