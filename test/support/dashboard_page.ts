import type { Browser, Page } from "playwright-core";

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
