import assert from "node:assert/strict";
import { after, before } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type findBrowser, launchBrowser } from "./browser.ts";
import { type MadeSpan, startDashboard } from "./dashboard_data.ts";

/** What a page did that it must not do. */
export interface Watch {
  readonly problems: string[];
  readonly page: Page;
}

/** Opens the page and writes down every console error, CSP violation, dialog and request to elsewhere. */
export async function open(
  browser: Browser,
  url: string,
  options: Parameters<Browser["newPage"]>[0] = {},
): Promise<Watch> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: "dark", ...options });
  const problems: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:"))
      problems.push(`request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`CSP ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  await page.goto(url);
  return { page, problems };
}

/** Everything is drawn, and the page has had a tick since items flowed. */
export async function settled(page: Page): Promise<void> {
  await page.locator('[data-books="received"] dd', { hasNotText: /^0$/ }).waitFor();
  for (const name of ["request_latency", "tokens_over_time", "input_against_output", "request_rate"]) {
    await page.locator(`[data-figure="${name}"] .main-svg`).first().waitFor();
  }
  await page.locator("#graph[data-drawn]").waitFor();
}

/** What the tests of a suite look at: there once its `before` has run. */
export interface ServedPage {
  readonly browser: Browser;
  readonly running: Awaited<ReturnType<typeof startDashboard>>;
}

/** Starts a browser, and a dashboard on `spans` through which `flows` items went, before a suite; ends both after it. */
export function servedPage(
  choice: Awaited<ReturnType<typeof findBrowser>>,
  spans: readonly MadeSpan[],
  flows: Parameters<ServedPage["running"]["service"]["flow"]>,
): ServedPage {
  let browser: Browser | undefined;
  let running: ServedPage["running"] | undefined;
  before(async () => {
    assert.ok("executable" in choice);
    browser = await launchBrowser(choice.executable);
    running = await startDashboard(spans);
    running.service.flow(...flows);
  });
  after(async () => {
    await browser?.close();
    await running?.stop();
  });
  return {
    get browser() {
      return there(browser);
    },
    get running() {
      return there(running);
    },
  };
}

function there<T>(thing: T | undefined): T {
  assert.ok(thing !== undefined, "the suite has not begun");
  return thing;
}
