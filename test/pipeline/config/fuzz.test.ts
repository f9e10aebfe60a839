// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a configuration are written like this
import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { expandTree } from "../../../pipeline/config/expand.ts";
import { loadConfig } from "../../../pipeline/config/load.ts";
import { ConfigError } from "../../../pipeline/config/problem.ts";
import { plainOf } from "../../../pipeline/config/tree.ts";
import { testCatalog } from "./catalog.ts";

const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);
console.log(`OTELPIPE_SEED=${seed}`);

const valid = `receivers: { otlp: { protocols: { grpc: { endpoint: "\${env:HOST}:1" } } } }
processors: &p
  batch: { timeout: 1s, metadata_keys: [a, "\${LIST}"] }
  sampler:
    percentage: 5
    rules: [{ type: latency, threshold_ms: 3 }, { type: status, codes: [x] }]
exporters: { otlp: { endpoint: a:1, headers: { a: b } }, debug: }
connectors: { forward: }
service:
  pipelines:
    traces: { receivers: [otlp], processors: [batch, sampler], exporters: [debug, forward] }
    traces/2: { receivers: [forward], exporters: [otlp] }
`;

const fragments = [
  "\t",
  "\n",
  "\r\n",
  ": ",
  "{",
  "}",
  "[",
  "]",
  "- ",
  "&p ",
  "*p",
  "<<: *p",
  "::",
  "null",
  "~",
  "0x1",
  "é😀",
  "${env:A}",
  "$${",
  "${",
  "}",
  '"',
  "'",
  "#",
  "|",
  ">",
  "? ",
  "!!int ",
  "%",
  "---",
  "__proto__: 1",
  "toString",
];

const edit = fc.record({
  at: fc.nat(valid.length),
  remove: fc.nat(12),
  insert: fc.oneof(fc.constantFrom(...fragments), fc.string({ maxLength: 5 })),
});

// Scenario: a valid file with up to six random edits.
// Guarantees: it loads or is refused as a whole, with places inside the file; never another kind of throw.
it("loads or refuses whatever is in a file", async () => {
  const property = fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 6 }), async (edits) => {
    const text = edits.reduce(
      (before, { at, remove, insert }) => before.slice(0, at) + insert + before.slice(at + remove),
      valid,
    );
    const surroundings = { environment: { HOST: "h", LIST: "[1]", A: "a: 1" }, readFile: () => text };
    try {
      await loadConfig(["p.yaml"], testCatalog, surroundings);
    } catch (error) {
      assert.ok(error instanceof ConfigError, error instanceof Error ? error.stack : String(error));
      assert.ok(error.problems.length > 0);
      for (const { place } of error.problems) {
        assert.ok(place.start >= 0 && place.start <= text.length && place.end >= place.start, JSON.stringify(place));
      }
      assert.doesNotMatch(error.message, /undefined|\[object|NaN/);
    }
  });
  await fc.assert(property, { seed, numRuns: 1000 });
});

// Guarantees: a text without a dollar sign is never touched; any text comes to an end.
it("expands any text without throwing, and leaves those without $ alone", () => {
  const piece = fc.oneof(
    fc.constantFrom("$", "${", "}", "$$", "${A}", "${env:B:-", ":", "A", "B"),
    fc.string({ maxLength: 4 }),
  );
  const texts = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  const property = fc.property(texts, texts, texts, (text, a, b) => {
    const place = { source: { name: "p.yaml", text }, start: 0, end: text.length };
    const surroundings = { environment: { A: a, B: b }, readFile: () => "" };
    const { tree, problems } = expandTree({ kind: "scalar", value: text, place }, surroundings);
    if (!text.includes("$")) {
      assert.equal(plainOf(tree), text);
      assert.deepEqual(problems, []);
    }
  });
  fc.assert(property, { seed, numRuns: 3000 });
});
