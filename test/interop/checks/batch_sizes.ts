import assert from "node:assert/strict";
import { check, type Findings } from "../check.ts";
import type { Request } from "../corpus.ts";
import { comparable, itemsOf, readRequests } from "../otlp_items.ts";
import { sideBySide } from "../side_by_side.ts";

const sizes = [
  { name: "split", settings: "timeout: 1h, send_batch_size: 20, send_batch_max_size: 20" },
  { name: "room", settings: "timeout: 1h, send_batch_size: 20, send_batch_max_size: 50" },
  { name: "no_cap", settings: "timeout: 1h, send_batch_size: 20" },
  { name: "size_zero", settings: "timeout: 1h, send_batch_size: 0, send_batch_max_size: 8" },
  { name: "at_once", settings: "timeout: 0s, send_batch_size: 4, send_batch_max_size: 4" },
] as const;

/** The batch processor makes batches of the same sizes, in the same order, of the same spans. */
export const batchSizes = check({
  name: "batch_sizes",
  area: "Data: batches",
  needs: ["collector"],
  async run(peers): Promise<Findings> {
    const pipelines = sizes.map(({ name, settings }) => ({
      name,
      processors: [`batch/${name}: { ${settings} }`],
      signals: ["traces" as const],
    }));
    const outputs = await sideBySide(peers.collector, pipelines, requests());
    const rows = [];
    for (const { name, settings } of sizes) {
      const ours = await batchesOf(outputs.ours(name));
      const theirs = await batchesOf(outputs.theirs(name));
      assert.deepEqual(ours, theirs, settings);
      const lengths = theirs.map(({ length }) => length).join(" + ");
      rows.push({
        peer: "Collector, same config",
        checked: `\`batch: { ${settings} }\``,
        result: `batches of ${lengths}`,
      });
    }
    return { rows };
  },
});

/** What is in each batch, in order. */
async function batchesOf(path: string): Promise<string[][]> {
  return (await readRequests(path)).map((request) => comparable(itemsOf(request)));
}

/** Requests of 1 to 45 spans with two resources each. */
function requests(): Request[] {
  return [7, 1, 30, 12, 45, 3].map((count, request) => {
    const span = (index: number) => ({ name: `request ${request} span ${index}`, kind: 1 });
    const spans = Array.from({ length: count }, (_, index) => span(index));
    const resourceSpans = [spans.slice(0, 2), spans.slice(2)]
      .filter((part) => part.length > 0)
      .map((part) => ({ scopeSpans: [{ scope: { name: `scope ${request}` }, spans: part }] }));
    return {
      path: "/v1/traces",
      contentType: "application/json",
      body: Buffer.from(JSON.stringify({ resourceSpans })),
    };
  });
}
