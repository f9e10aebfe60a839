import { parseArgs } from "node:util";
import { findBrowser, launchBrowser } from "../test/support/browser.ts";

const usage = "node scripts/screenshot.ts <url> <out.png> [--theme dark|light] [--size 1440x900] [--wait <seconds>]";

/** Takes a picture of a page once its figures and its graph have been drawn. */
async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      theme: { type: "string", default: "dark" },
      size: { type: "string", default: "1440x900" },
      wait: { type: "string", default: "8" },
    },
  });
  const [url, out] = positionals;
  const [width, height] = values.size.split("x").map(Number);
  if (url === undefined || out === undefined || !width || !height) throw new Error(usage);
  const choice = await findBrowser();
  if ("skipped" in choice) throw new Error(choice.skipped);
  const browser = await launchBrowser(choice.executable);
  try {
    const colorScheme = values.theme === "light" ? "light" : "dark";
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    await page.goto(url);
    await page.locator(".figure .main-svg").first().waitFor();
    await page.locator("#graph[data-drawn]").waitFor();
    // Rates need a few ticks, and what is being sent at the moment arrives with them.
    await page.waitForTimeout(Number(values.wait) * 1000);
    await page.screenshot({ path: out, fullPage: width < 1200 });
  } finally {
    await browser.close();
  }
}

await main();
