import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { expectedRequests, expectedUsage } from "../../../cmd/generate/expected.ts";
import { NestedCalls, type Share } from "../../../pipeline/llm/nested_calls.ts";
import { isRequest } from "../../../pipeline/llm/request.ts";
import { attributeKeys, type Decoded, decode, type Traces } from "../../../pipeline/pdata/index.ts";
import genAiNormalizer, { normalizer } from "../../../processors/gen_ai_normalizer/index.ts";
import { collect, encoded, seed, truthOf } from "./collect.ts";

console.log(`seed ${seed}`);

type WireSpan = Decoded["traces"]["resourceSpans"][number]["scopeSpans"][number]["spans"][number];

interface Counted {
  requests: number;
  failed: number;
  inputTokens: number;
  outputTokens: number;
}

/** How a call of a model is told, and its tokens, by the scope that wrote it: read off the dialects' own documents. */
const readers: Record<string, { isCall(span: WireSpan): boolean; tokens(span: WireSpan): [number, number] }> = {
  current: {
    isCall: (span) => ["chat", "embeddings"].includes(textOf(span, "gen_ai.operation.name") ?? ""),
    tokens: (span) => [intOf(span, "gen_ai.usage.input_tokens"), intOf(span, "gen_ai.usage.output_tokens")],
  },
  older: {
    isCall: (span) => ["chat", "embeddings"].includes(textOf(span, "gen_ai.operation.name") ?? ""),
    tokens: (span) => [intOf(span, "gen_ai.usage.prompt_tokens"), intOf(span, "gen_ai.usage.completion_tokens")],
  },
  openllmetry: {
    isCall: (span) => ["chat", "embedding"].includes(textOf(span, "llm.request.type") ?? ""),
    tokens: (span) => [intOf(span, "llm.usage.prompt_tokens"), intOf(span, "llm.usage.completion_tokens")],
  },
  openinference: {
    isCall: (span) => ["LLM", "EMBEDDING"].includes(textOf(span, "openinference.span.kind") ?? ""),
    tokens: (span) => [intOf(span, "llm.token_count.prompt"), intOf(span, "llm.token_count.completion")],
  },
  vercel: {
    isCall: (span) => /\.do[A-Z]/.test(textOf(span, "ai.operationId") ?? ""),
    tokens: (span) => [
      intOf(span, "ai.usage.promptTokens") + intOf(span, "ai.usage.tokens"),
      intOf(span, "ai.usage.completionTokens"),
    ],
  },
  llamatelemetry: {
    isCall: (span) => span.name.startsWith("llm.chat.") || span.name === "llm.embed",
    tokens: (span) => [
      intOf(span, "llm.usage.input_tokens") + intOf(span, "llm.input.tokens"),
      intOf(span, "llm.usage.output_tokens"),
    ],
  },
  langsmith: {
    isCall: (span) => ["llm", "embedding"].includes(textOf(span, "langsmith.span.kind") ?? ""),
    tokens: (span) => [intOf(span, "gen_ai.usage.prompt_tokens"), intOf(span, "gen_ai.usage.completion_tokens")],
  },
  langfuse: {
    isCall: (span) => ["generation", "embedding"].includes(textOf(span, "langfuse.observation.type") ?? ""),
    tokens: (span) => {
      const details = JSON.parse(textOf(span, "langfuse.observation.usage_details") ?? "{}");
      return [details.input ?? 0, details.output ?? 0];
    },
  },
};

const dialectByService: Record<string, string> = {
  "assistant-api": "current",
  summarizer: "older",
  "support-bot": "openllmetry",
  "docs-search": "openinference",
  "web-chat": "vercel",
  "llamatelemetry-inference": "llamatelemetry",
  "contract-review": "langsmith",
  "sales-copilot": "langfuse",
};

function attributeOf(span: WireSpan, key: string) {
  return span.attributes.find((attribute) => attribute.key === key)?.value;
}
function textOf(span: WireSpan, key: string): string | undefined {
  return attributeOf(span, key)?.stringValue;
}
function intOf(span: WireSpan, key: string): number {
  return Number(attributeOf(span, key)?.intValue ?? 0);
}

function* wireSpans(batches: readonly Traces[]): Iterable<{ service: string; span: WireSpan }> {
  for (const batch of batches) {
    for (const { resource, scopeSpans } of decode(batch).resourceSpans) {
      const service = resource?.attributes.find(({ key }) => key === "service.name")?.value?.stringValue ?? "";
      for (const { spans } of scopeSpans) for (const span of spans) yield { service, span };
    }
  }
}

const parcels = collect(1500);
const batches = encoded(parcels);
const truth = truthOf(parcels);
const sent = [...wireSpans(batches)];

describe("the ground truth", () => {
  it("has the requests and tokens of every dialect that stand in the bytes", () => {
    const counted: Record<string, Counted> = {};
    for (const { service, span } of sent) {
      const dialect = dialectByService[service];
      if (dialect === undefined || !readers[dialect]!.isCall(span)) continue;
      const [input, output] = readers[dialect]!.tokens(span);
      const sums = (counted[dialect] ??= { requests: 0, failed: 0, inputTokens: 0, outputTokens: 0 });
      sums.requests++;
      if (span.status?.code === 2) sums.failed++;
      sums.inputTokens += input;
      sums.outputTokens += output;
    }
    assert.deepEqual(truth.requestsByDialect, counted);
    assert.equal(Object.keys(counted).length, 8);
    const total = Object.values(counted).reduce((sum, { inputTokens }) => sum + inputTokens, 0);
    assert.equal(truth.requests.inputTokens, total);
  });

  it("counts spans, roots, statuses and services as they stand in the bytes", () => {
    const statuses = { UNSET: 0, OK: 0, ERROR: 0 };
    for (const { span } of sent) statuses[(["UNSET", "OK", "ERROR"] as const)[span.status?.code ?? 0]!]++;
    assert.equal(truth.spans, sent.length);
    assert.equal(truth.rootSpans, sent.filter(({ span }) => span.parentSpanId.length === 0).length);
    assert.deepEqual(truth.spansByStatus, statuses);
    const services = Map.groupBy(sent, ({ service }) => service);
    for (const [service, spans] of services) {
      const rows = truth.spansByService.filter((row) => row.service === service);
      assert.equal(
        rows.reduce((sum, row) => sum + row.spans, 0),
        spans.length,
        service,
      );
    }
  });

  it("names the spans where errors begin, and whether they went further", () => {
    const whole = collect(1500, { send: "whole" }).filter(({ trace }) => trace.defect === undefined);
    const spans = [...wireSpans(encoded(whole))].map(({ span }) => span);
    const failed = new Map(
      spans.filter(({ status }) => status?.code === 2).map((span) => [span.spanId.toString("hex"), span]),
    );
    const passedOn = new Set([...failed.values()].map(({ parentSpanId }) => parentSpanId.toString("hex")));
    const origins = [...failed].flatMap(([spanId, { traceId, parentSpanId }]) => {
      const parentId = parentSpanId.toString("hex");
      if (passedOn.has(spanId)) return [];
      return [{ traceId: traceId.toString("hex"), spanId, contained: parentId !== "" && !failed.has(parentId) }];
    });
    const { errorOrigins, errorOriginsByKind } = truthOf(whole);
    const bySpan = (left: { spanId: string }, right: { spanId: string }) => (left.spanId < right.spanId ? -1 : 1);
    const named = errorOrigins.first.map(({ traceId, spanId, contained }) => ({ traceId, spanId, contained }));
    assert.deepEqual(named.sort(bySpan), origins.sort(bySpan));
    assert.ok(origins.length > 50);
    const kinds = Object.values(errorOriginsByKind).reduce((sum, row) => sum + row.contained + row.propagated, 0);
    assert.equal(kinds, errorOrigins.total);
  });

  it("tells duplicates apart", () => {
    const ids = sent.map(({ span }) => span.spanId.toString("hex"));
    assert.equal(truth.duplicates.spans, ids.length - new Set(ids).size);
  });
});

describe("what figures must show", () => {
  const keys = attributeKeys({
    input: "gen_ai.usage.input_tokens",
    output: "gen_ai.usage.output_tokens",
    model: "gen_ai.request.model",
  });
  const resourceKeys = attributeKeys({ service: "service.name" });

  for (const sources of [
    [],
    ["openinference", "openllmetry", "llamatelemetry"],
    ["older_gen_ai", "openinference", "openllmetry", "llamatelemetry"],
  ]) {
    const what = sources.join(", ") || "no normalizer";
    const named = sources.length === 0 ? ["crewai"] : sources;
    const config = genAiNormalizer.config.parse({ sources: named.map((name) => ({ name })) });
    const normalize = normalizer(config.sources, () => {});

    it(`is what the real normalizer and the plotly exporter make of it (${what})`, () => {
      const all: Counted = { requests: 0, failed: 0, inputTokens: 0, outputTokens: 0 };
      const models: Record<string, number> = {};
      const nested: Share[] = [];
      const calls = new NestedCalls((_, share) => void nested.push(share));
      for (const batch of batches) {
        for (const span of normalize(batch).spans()) {
          calls.add(span, isRequest(span) ? all.requests : -1, true);
          if (!isRequest(span)) continue;
          all.requests++;
          if (span.statusCode === 2) all.failed++;
          all.inputTokens += span.number(keys.input) ?? 0;
          all.outputTokens += span.number(keys.output) ?? 0;
          const model = span.string(keys.model) ?? "";
          models[model] = (models[model] ?? 0) + 1;
        }
      }
      assert.deepEqual(
        nested,
        [],
        "engines below a request and functions around it are no requests, attempts are each one",
      );
      const expected = expectedRequests(truth, sources);
      assert.deepEqual(expected.all, all);
      const expectedModels = Object.entries(expected.byModel).map(([model, { requests }]) => [model, requests]);
      assert.deepEqual(Object.fromEntries(expectedModels), models);
    });

    // Spans without a model and without tokens are in the truth's `spansByService`, not in its usage.
    it(`is what an aggregation by service, model and status has (${what})`, () => {
      const groups = new Map<string, [spans: number, input: number, output: number]>();
      const add = (key: string, spans: number, input: number, output: number) => {
        const [s, i, o] = groups.get(key) ?? [0, 0, 0];
        groups.set(key, [s + spans, i + input, o + output]);
      };
      for (const batch of batches) {
        for (const span of normalize(batch).spans()) {
          const [model, input, output] = [span.string(keys.model), span.number(keys.input), span.number(keys.output)];
          if (model === undefined && input === undefined && output === undefined) continue;
          const status = ["UNSET", "OK", "ERROR"][span.statusCode];
          const service = span.resource.string(resourceKeys.service);
          add(`${service} ${model ?? ""} ${status}`, model === undefined ? 0 : 1, input ?? 0, output ?? 0);
        }
      }
      for (const { service, model, status, spans, inputTokens, outputTokens } of expectedUsage(truth, sources)) {
        add(`${service} ${model} ${status}`, model === "" ? 0 : -spans, -inputTokens, -outputTokens);
      }
      const differing = [...groups].filter(([, sums]) => sums.some((sum) => sum !== 0));
      assert.deepEqual(differing, []);
      assert.ok(groups.size > 20);
    });
  }
});
