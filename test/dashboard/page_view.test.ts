import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Page } from "playwright-core";
import { findBrowser } from "../support/browser.ts";
import { makeTraces } from "../support/dashboard_data.ts";
import { open, servedPage, settled } from "../support/dashboard_page.ts";

const choice = await findBrowser();
const skip = "skipped" in choice ? choice.skipped : false;

interface Meta {
  readonly from: string;
  readonly to: string;
  readonly requests: number;
}

/** What the rate figure says of itself, once it looks back on about `rangeMs`. */
async function metaOf(page: Page, rangeMs: number): Promise<Meta> {
  const found = await page.waitForFunction((range) => {
    const plot = document.querySelector('[data-figure="request_rate"] .plot') as unknown as {
      layout?: { meta?: Meta };
    };
    const meta = plot.layout?.meta;
    const span = meta === undefined ? 0 : Date.parse(meta.to) - Date.parse(meta.from);
    return span >= range && span < range * 1.2 ? meta : undefined;
  }, rangeMs);
  return (await found.jsonValue()) as Meta;
}

describe("what of it the page shows", { skip, timeout: 120_000 }, () => {
  const spans = makeTraces(40, Date.now());
  const starts = spans
    .filter((span) => span.attributes["gen_ai.operation.name"] === "chat")
    .map((span) => span.startUnixMs);
  const within = ({ from, to }: Meta) =>
    starts.filter((start) => start >= Date.parse(from) && start <= Date.parse(to)).length;
  const served = servedPage(choice, spans, [5_000, 10]);

  it("is a range of the time, exact, kept in the address, earlier and later by keys and buttons", async () => {
    const { page, problems } = await open(served.browser, served.running.url);
    await settled(page);
    assert.deepEqual(
      (await page.locator("#range option").allTextContents()).map((text) => text.replaceAll("\u00a0", " ")),
      ["Last 1 min", "Last 5 min", "Last 15 min"],
    );
    assert.equal(await page.locator("#range").inputValue(), "900000");
    assert.equal((await metaOf(page, 900_000)).requests, starts.length);
    await page.locator("#range").selectOption("300000");
    const part = await metaOf(page, 300_000);
    assert.equal(part.requests, within(part));
    assert.ok(part.requests < starts.length);
    assert.equal(new URL(page.url()).search, "?range=300");
    await page.locator("#range").blur();
    await page.keyboard.press("[");
    await page.waitForFunction(() => location.search.includes("end="));
    const end = Number(new URL(page.url()).searchParams.get("end")) * 1000;
    await page.waitForFunction((to) => {
      const plot = document.querySelector('[data-figure="request_rate"] .plot') as unknown as {
        layout: { meta: Meta };
      };
      return Date.parse(plot.layout.meta.to) === to;
    }, end);
    const past = await metaOf(page, 300_000);
    assert.equal(past.requests, within(past));
    assert.match((await page.locator("#range-said").textContent()) ?? "", /^\d\d:\d\d:\d\d to \d\d:\d\d:\d\d UTC$/);
    await page.reload();
    await settled(page);
    assert.equal((await metaOf(page, 300_000)).to, past.to);
    await page.locator("#later").click();
    await page.waitForFunction(() => location.search === "?range=300");
    assert.ok(await page.locator("#later").isHidden());
    assert.deepEqual(problems, []);
    await page.close();
  });

  it("is a span reached by letters: the next, its parent, its texts, its id", async () => {
    const { page } = await open(served.browser, `${served.running.url}?range=60`);
    await settled(page);
    await page.keyboard.press("j");
    await page.locator(".drawer[data-open]").waitFor();
    const child = spans.find((span) => span.parentSpanId !== "" && "gen_ai.input.messages" in span.attributes);
    const parent = spans.find((span) => span.traceId === child?.traceId && span.spanId === child?.parentSpanId);
    await page.locator(`[data-span="${child?.traceId}:${child?.spanId}"]`).dispatchEvent("click");
    await page.waitForFunction((id) => location.hash.endsWith(id), child?.spanId ?? "");
    await page.locator(".masked").waitFor();
    await page.keyboard.press("m");
    await page.locator(".revealed").waitFor();
    await page.keyboard.press("m");
    await page.locator(".masked").waitFor();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.keyboard.press("y");
    await page.locator(".ids", { hasText: "trace id copied" }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), child?.traceId);
    await page.keyboard.press("h");
    await page.waitForFunction((id) => location.hash.endsWith(id), parent?.spanId ?? "");
    assert.equal(new URL(page.url()).search, "?range=60");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => location.hash === "" && location.search === "?range=60");
    await page.close();
  });

  it("links to where the graph was uploaded, when that is an address of the web", async () => {
    const link = "#graph a.viewer";
    const { page, problems } = await open(served.browser, served.running.url);
    await settled(page);
    assert.ok(await page.locator(link).isHidden());
    served.running.graph.viewerUrl = "https://hub.graphistry.com/graph/graph.html?dataset=abc&type=arrow";
    await page.locator(link).waitFor();
    assert.deepEqual(
      await page.locator(link).evaluate((anchor: HTMLAnchorElement) => [anchor.href, anchor.rel, anchor.textContent]),
      [served.running.graph.viewerUrl, "noopener noreferrer", "Open in Graphistry"],
    );
    for (const hostile of ["javascript:alert(1)", "data:text/html,x", " jAvAsCrIpT:alert(1)", "no address"]) {
      served.running.graph.viewerUrl = hostile;
      await page.locator(link).waitFor({ state: "hidden" });
      served.running.graph.viewerUrl = "http://graphistry.internal/x";
      await page.locator(link).waitFor();
    }
    assert.deepEqual(problems, []);
    served.running.graph.viewerUrl = undefined;
    await page.close();
  });
});
