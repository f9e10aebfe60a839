import assert from "node:assert/strict";
import { it } from "node:test";
import { booksText } from "../../cmd/books_text.ts";
import { GraphNode } from "../../pipeline/graph/node.ts";

it("says what was received, dropped by which reason and exported, and that the books balance", () => {
  const sampler = new GraphNode("processor", "sampler", "traces", { pipelineId: "traces" });
  const debug = new GraphNode("exporter", "debug", "traces");
  const otlp = new GraphNode("receiver", "otlp", "");
  Object.assign(otlp.books, { in: 1234567, out: 1234560, refused: 7 });
  Object.assign(sampler.books, { in: 100, out: 25 });
  sampler.books.drop(75, "sampled_out");
  Object.assign(debug.books, { in: 25, out: 22 });
  debug.books.drop(3, "shutdown");
  const nodes = [sampler, debug, otlp].map((node) => ({ node, books: node.books }));
  assert.equal(
    booksText({ nodes, unanswered: 2, faults: 0 }).replaceAll("\u202f", " "),
    [
      "received  otlp              1 234 567  7 refused, the sender knows",
      "dropped   sampler (traces)         75  sampled_out",
      "dropped   debug (traces)            3  shutdown",
      "exported  debug (traces)           22",
      "lost 3; in = out + dropped + refused everywhere.",
      "2 requests were told to come back.",
    ].join("\n"),
  );
});
