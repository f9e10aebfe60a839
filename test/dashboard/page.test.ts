import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Page } from "playwright-core";
import { findBrowser } from "../support/browser.ts";
import { type MadeSpan, makeTraces, startDashboard, truthOf } from "../support/dashboard_data.ts";
import { open, servedPage, settled } from "../support/dashboard_page.ts";

const choice = await findBrowser();
const skip = "skipped" in choice ? choice.skipped : false;

/** The numbers Plotly was given: the sum of y per trace role. */
function drawn(page: Page, name: string): Promise<Record<string, { sum: number; last: number; points: number }>> {
  return page.evaluate((figure) => {
    const plot = document.querySelector(`[data-figure="${figure}"] .plot`) as unknown as {
      data: { y: number[]; meta: { role: string } }[];
    };
    return Object.fromEntries(
      plot.data.map(({ y, meta }) => [
        meta.role,
        { sum: y.reduce((sum, value) => sum + value, 0), last: y.at(-1) ?? 0, points: y.length },
      ]),
    );
  }, name);
}

const plain = (text: string | null) => (text ?? "").replace(/[\u00a0\u202f]/g, " ");

describe("the dashboard's page", { skip, timeout: 120_000 }, () => {
  const spans = makeTraces(40, Date.now());
  const truth = truthOf(spans);
  const served = servedPage(choice, spans, [911_240, 34_216]);

  it("shows the numbers it was given, from this machine only and without a complaint", async () => {
    const { page, problems } = await open(served.browser, served.running.url);
    await settled(page);
    assert.match(plain(await page.locator("#headline").textContent()), /^Everything (is flowing|stands ready)$/);
    assert.equal(plain(await page.locator('[data-books="received"] dd').textContent()), "945 456");
    assert.equal(plain(await page.locator('[data-books="sampled out"] dd').textContent()), "683 430");
    assert.equal(plain(await page.locator('[data-books="lost"] dd').textContent()), "0");
    const counts = (await page.locator(".flow-picture text.items").allTextContents()).map(plain);
    assert.deepEqual(new Set(counts), new Set(["911 240", "227 810", "34 216"]));
    assert.equal(await page.locator(".flow-picture .box").count(), 12);
    assert.equal(await page.locator("#config").textContent(), "configs/quickstart.yaml");
    const fonts = await page.evaluate(() =>
      [...document.fonts].filter((face) => face.status === "loaded").map((face) => face.family.replaceAll('"', "")),
    );
    assert.deepEqual(fonts.sort(), ["Inter", "JetBrains Mono"]);
    assert.deepEqual(problems, []);
    await page.close();
  });

  it("draws figures that hold the ground truth's numbers", async () => {
    const { page, problems } = await open(served.browser, served.running.url);
    await settled(page);
    const latency = await drawn(page, "request_latency");
    assert.deepEqual([latency["ok"]?.sum, latency["failed"]?.sum], [truth.requests - truth.failed, truth.failed]);
    const tokens = await drawn(page, "tokens_over_time");
    assert.deepEqual(
      [tokens["input_tokens"]?.sum, tokens["output_tokens"]?.sum],
      [truth.inputTokens, truth.outputTokens],
    );
    const scatter = await drawn(page, "input_against_output");
    assert.deepEqual(
      [scatter["latency_scale"]?.points, scatter["failed"]?.points],
      [truth.requests - truth.failed, truth.failed],
    );
    assert.equal((await drawn(page, "request_rate"))["running_total"]?.last, truth.requests);
    assert.match(
      plain(await page.locator('[data-figure="request_rate"] .stats').textContent()),
      new RegExp(`total ${truth.requests}$`),
    );
    assert.deepEqual(problems, []);
    await page.close();
  });

  it("draws the graph's spans and edges, by shape as well as colour", async () => {
    const { page } = await open(served.browser, served.running.url);
    await settled(page);
    assert.equal(await page.locator("#graph").getAttribute("data-picture"), "svg");
    assert.equal(await page.locator(".spot").count(), truth.spans);
    assert.equal(await page.locator(".links line").count(), truth.edges);
    const errors = spans.filter((span) => span.status === "ERROR").length;
    assert.ok(errors > 0);
    assert.equal(await page.locator(".spot.error").count(), errors);
    const shape = await page.locator(".spot.error").first().getAttribute("d");
    assert.doesNotMatch(shape ?? "", /a/, "a diamond has no arcs");
    assert.match((await page.locator(".spot.ok").first().getAttribute("d")) ?? "", /a/);
    await page.close();
  });

  it("shows a span's attributes on a click, its prompt masked until that one is asked for", async () => {
    const { page, problems } = await open(served.browser, served.running.url);
    await settled(page);
    const span = spans.find((one) => "gen_ai.input.messages" in one.attributes) as MadeSpan;
    const prompt = String(span.attributes["gen_ai.input.messages"]);
    await page.locator(`[data-span="${span.traceId}:${span.spanId}"]`).dispatchEvent("click");
    await page.locator(".drawer h3").waitFor();
    assert.equal(await page.locator(".drawer h3").textContent(), span.name);
    const fields = plain(await page.locator(".fields").textContent());
    assert.ok(fields.includes(`gen_ai.usage.input_tokens${span.attributes["gen_ai.usage.input_tokens"]}`), fields);
    assert.match(fields, /gen_ai\.input\.messages masked, \d+ B, [0-9a-f]{8}Show text/);
    assert.ok(!(await page.content()).includes("secret prompt"));
    await page.getByRole("button", { name: "Show text" }).click();
    await page.locator(".revealed").waitFor();
    assert.equal(await page.locator(".revealed").textContent(), prompt);
    await page.getByRole("button", { name: "Hide text" }).click();
    assert.ok(!(await page.content()).includes("secret prompt"));
    assert.match(page.url(), new RegExp(`#span=${span.traceId}/${span.spanId}$`));
    assert.deepEqual(problems, []);
    await page.keyboard.press("Escape");
    await page.locator(".drawer-hint").waitFor();
    await page.close();
  });

  it("opens the span a link names", async () => {
    const [span] = spans;
    const { page } = await open(served.browser, `${served.running.url}#span=${span?.traceId}/${span?.spanId}`);
    await page.locator(".drawer h3").waitFor();
    assert.equal(await page.locator(".drawer h3").textContent(), span?.name);
    await page.close();
  });

  it("is reached by the keyboard: spans by arrows, tables by V, errors by E", async () => {
    const { page } = await open(served.browser, served.running.url);
    await settled(page);
    await page.locator('.spot[tabindex="0"]').focus();
    const first = await page.evaluate(() => document.activeElement?.getAttribute("data-span"));
    await page.keyboard.press("ArrowRight");
    const second = await page.evaluate(() => document.activeElement?.getAttribute("data-span"));
    assert.ok(first && second && first !== second);
    await page.keyboard.press("Enter");
    await page.locator(".drawer .fields").waitFor();
    await page.keyboard.press("e");
    await page.locator(".drawer .failed").first().waitFor();
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.mouse.move(2, 60);
    await page.keyboard.press("v");
    await page.locator("#flow table").waitFor();
    const lost = await page.locator("#flow tr.total td").allTextContents();
    assert.deepEqual([lost[0], lost.at(-1)], ["lost", "0"]);
    await page.locator('[data-figure="tokens_over_time"] table').waitFor();
    const cells = await page.locator('[data-figure="tokens_over_time"] tbody td:nth-child(2)').allTextContents();
    const total = cells.reduce((sum, text) => sum + Number(plain(text).replaceAll(" ", "")), 0);
    assert.equal(total, truth.inputTokens);
    await page.locator("#graph table").waitFor();
    assert.equal(await page.locator("#graph tbody tr").count(), truth.spans);
    await page.close();
  });

  for (const theme of ["dark", "light"] as const) {
    it(`is ${theme} when the system is, in the page and in the figures, with text that can be read`, async () => {
      const { page, problems } = await open(served.browser, served.running.url, { colorScheme: theme });
      await settled(page);
      const seen = await page.evaluate(() => {
        const probe = document.body.appendChild(document.createElement("i"));
        const color = (name: string) => {
          probe.style.color = `var(${name})`;
          return getComputedStyle(probe).color;
        };
        const luminance = (text: string) => {
          const [r = 0, g = 0, b = 0] = (text.match(/\d+/g) ?? []).map((value) => {
            const part = Number(value) / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
          });
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const contrast = (one: string, other: string) => {
          const [a, b] = [luminance(color(one)), luminance(color(other))];
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        };
        const surfaces = ["--bg", "--surface-1", "--surface-2", "--surface-3"];
        const texts = ["--text", "--text-2", "--text-3"].flatMap((text) =>
          surfaces.map((surface) => contrast(text, surface)),
        );
        const marks = ["--ok", "--error", "--unset", "--control"].map((mark) => contrast(mark, "--surface-1"));
        const bar = document.querySelector('[data-figure="request_latency"] .bars path') as SVGElement;
        return { back: luminance(color("--bg")), bar: bar.style.fill, series: color("--series-1"), texts, marks };
      });
      assert.ok(theme === "dark" ? seen.back < 0.05 : seen.back > 0.8);
      assert.equal(seen.bar, seen.series);
      assert.ok(Math.min(...seen.texts) >= 4.5, `text contrast ${Math.min(...seen.texts)}`);
      assert.ok(Math.min(...seen.marks) >= 3, `mark contrast ${Math.min(...seen.marks)}`);
      assert.deepEqual(problems, []);
      await page.close();
    });
  }

  it("changes its theme by a button, figures included, and remembers it", async () => {
    const { page } = await open(served.browser, served.running.url, { colorScheme: "dark" });
    await settled(page);
    const bar = () =>
      page.evaluate(
        () => (document.querySelector('[data-figure="request_latency"] .bars path') as SVGElement).style.fill,
      );
    const dark = await bar();
    await page.locator("#theme").click();
    await page.locator("#theme").click();
    assert.equal(await page.evaluate(() => document.documentElement.dataset["theme"]), "light");
    await page.waitForFunction(
      (before) =>
        (document.querySelector('[data-figure="request_latency"] .bars path') as SVGElement)?.style.fill !== before,
      dark,
    );
    await page.reload();
    await settled(page);
    assert.equal(await page.evaluate(() => document.documentElement.dataset["theme"]), "light");
    await page.close();
  });

  for (const width of [380, 640, 1024]) {
    it(`fits ${width} pixels without scrolling sideways`, async () => {
      const { page } = await open(served.browser, served.running.url, { viewport: { width, height: 844 } });
      await settled(page);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      assert.equal(await page.locator(".flow-list").count(), width < 900 ? 1 : 0);
      await page.close();
    });
  }

  it("closes its stream while the tab is hidden, and opens it again", async () => {
    const { page } = await open(served.browser, served.running.url);
    await settled(page);
    const hide = (hidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, "hidden", { value, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    const closed = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/api/stream"));
    await hide(true);
    await closed;
    const opened = page.waitForRequest((request) => request.url().endsWith("/api/stream"));
    await hide(false);
    await opened;
    await page.locator('#live[data-state="live"]').waitFor();
    await page.close();
  });

  it("says that it is disconnected, empties nothing, and comes back by itself", async () => {
    const own = await startDashboard(spans);
    own.service.flow(5000, 10);
    const { page } = await open(served.browser, own.url);
    await settled(page);
    const { port } = new URL(own.url);
    await own.dashboard.stop();
    await page.locator('#live[data-state="disconnected"]').waitFor();
    assert.match(plain(await page.locator("#live-text").textContent()), /^Disconnected \d+ s, trying again in \d s$/);
    assert.equal(plain(await page.locator('[data-books="received"] dd').textContent()), "5 010");
    const again = await startDashboard(spans, { endpoint: `localhost:${port}` });
    await page.locator('#live[data-state="live"]').waitFor();
    await page.close();
    await again.stop();
    await own.stop();
  });
});
