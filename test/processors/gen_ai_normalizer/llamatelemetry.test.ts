import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { normalized, normalizing, type PlainMap, type TestSpan, tracesOf } from "./support.ts";

const sources = [{ name: "llamatelemetry", remove_originals: true }];

const cases: readonly { name: string; span: TestSpan; want: PlainMap }[] = [
  {
    name: "a chat of the notebook",
    span: {
      name: "llm.chat.unknown",
      status: 1,
      attributes: {
        "llm.system": "llama.cpp",
        "llm.model": "gemma-3-1b",
        "llm.request.max_tokens": 100n,
        "llm.request.temperature": 0.7,
        "llm.request.messages": 2n,
        "llm.response.finish_reason": "length",
        "llm.response.length": 400n,
        "llm.usage.input_tokens": 21n,
        "llm.usage.output_tokens": 100n,
      },
    },
    want: {
      "gen_ai.provider.name": "llama_cpp",
      "gen_ai.request.model": "gemma-3-1b",
      "gen_ai.request.max_tokens": 100n,
      "gen_ai.request.temperature": 0.7,
      "gen_ai.response.finish_reasons": ["length"],
      "gen_ai.usage.input_tokens": 21n,
      "gen_ai.usage.output_tokens": 100n,
      "gen_ai.operation.name": "chat",
      "llm.request.messages": 2n,
      "llm.response.length": 400n,
    },
  },
  {
    name: "a completion of the library, with times in milliseconds",
    span: {
      name: "llm.completion",
      attributes: {
        "llm.system": "llamatelemetry",
        "gen_ai.operation.name": "completion",
        "llm.ttft_ms": 250,
        "llm.prompt_ms": 200n,
        "llm.generation_ms": 1000,
        "llm.latency_ms": 1250,
        "llm.stream": true,
        "llm.top_k": 40n,
        "llm.input.tokens": 3n,
        "llm.output.tokens": 9n,
      },
    },
    want: {
      "gen_ai.provider.name": "llama_cpp",
      "gen_ai.operation.name": "text_completion",
      "gen_ai.response.time_to_first_chunk": 0.25,
      "otelpipe.latency.prefill": 0.2,
      "otelpipe.latency.decode": 1,
      "otelpipe.latency.e2e": 1.25,
      "gen_ai.request.stream": true,
      "gen_ai.request.top_k": 40,
      "gen_ai.usage.input_tokens": 3n,
      "gen_ai.usage.output_tokens": 9n,
    },
  },
  {
    name: "a model called unknown, named by the resource",
    span: {
      name: "llm.chat.unknown",
      attributes: { "llm.model": "unknown" },
      resource: { "llama_cpp.model_path": "/models/gemma-3-1b-Q4_K_M.gguf" },
    },
    want: { "gen_ai.request.model": "gemma-3-1b-Q4_K_M.gguf", "gen_ai.operation.name": "chat" },
  },
  {
    name: "a model that nobody names",
    span: { name: "llm.chat.unknown", attributes: { "llm.model": "None" } },
    want: { "gen_ai.request.model": "unknown", "gen_ai.operation.name": "chat" },
  },
  {
    name: "a failed request, by its last exception",
    span: {
      name: "llm.chat.m",
      status: 2,
      attributes: { "llm.system": "llama.cpp" },
      events: [
        { name: "exception", attributes: { "exception.type": "HTTPError" } },
        { name: "other", attributes: { "exception.type": "None" } },
        { name: "exception", attributes: { "exception.type": "openai.BadRequestError" } },
      ],
    },
    want: {
      "gen_ai.provider.name": "llama_cpp",
      "gen_ai.operation.name": "chat",
      "error.type": "openai.BadRequestError",
    },
  },
  {
    name: "a failed request, by the library's words",
    span: { name: "llm.inference", attributes: { "llm.system": "x", "llm.error": "Connection refused" } },
    want: {
      "gen_ai.provider.name": "x",
      "gen_ai.operation.name": "text_completion",
      "error.type": "connection",
      "llm.error": "Connection refused",
    },
  },
  {
    name: "a failed request that says nothing",
    span: { name: "llm.embed", status: 2, attributes: { "llm.system": "x" } },
    want: { "gen_ai.provider.name": "x", "gen_ai.operation.name": "embeddings", "error.type": "_OTHER" },
  },
  {
    name: "a batch is a workflow and no inference, so that tokens are not counted twice",
    span: { name: "llm.batch.requests", attributes: { "llm.batch_size": 8n } },
    want: { "gen_ai.workflow.name": "llm.batch.requests", "otelpipe.batch.size": 8n },
  },
  {
    name: "one side of the tokens from the total",
    span: { name: "llm.chat", attributes: { "llm.system": "x", "llm.total_tokens": 10n, "llm.input.tokens": 4n } },
    want: {
      "gen_ai.provider.name": "x",
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": 4n,
      "gen_ai.usage.output_tokens": 6n,
      "llm.total_tokens": 10n,
    },
  },
  {
    name: "a total alone is not split",
    span: { name: "llm.chat", attributes: { "llm.system": "x", "llm.total_tokens": 10n } },
    want: { "gen_ai.provider.name": "x", "gen_ai.operation.name": "chat", "llm.total_tokens": 10n },
  },
  {
    name: "a count of words, as the last resort and marked as a guess",
    span: { name: "llm.chat", attributes: { "llm.system": "x", "llm.input.tokens_approx": 5n } },
    want: {
      "gen_ai.provider.name": "x",
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": 5n,
      "otelpipe.estimated": ["gen_ai.usage.input_tokens"],
      "llm.input.tokens_approx": 5n,
    },
  },
  {
    name: "counts that disagree: the current one stays and the conflict is told",
    span: {
      name: "llm.chat",
      attributes: { "llm.system": "x", "gen_ai.usage.input_tokens": 4n, "llm.usage.input_tokens": 5n },
    },
    want: {
      "gen_ai.provider.name": "x",
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": 4n,
      "llm.usage.input_tokens": 5n,
      "otelpipe.conflict": ["gen_ai.usage.input_tokens"],
    },
  },
  {
    name: "a request that does not stream says nothing about it",
    span: { name: "llm.chat", attributes: { "llm.system": "x", "llm.stream": false } },
    want: { "gen_ai.provider.name": "x", "gen_ai.operation.name": "chat" },
  },
  {
    name: "spans of other dialects are theirs",
    span: { name: "llm.chat", attributes: { "openinference.span.kind": "LLM", "llm.system": "openai" } },
    want: { "openinference.span.kind": "LLM", "llm.system": "openai" },
  },
  { name: "other spans are let be", span: { name: "GET /", status: 2, attributes: {} }, want: {} },
];

describe("gen_ai_normalizer, source llamatelemetry", () => {
  for (const { name, span, want } of cases) {
    it(name, () => assert.deepEqual(normalized(sources, [span]), [want]));
  }

  for (const remove_originals of [true, false]) {
    it(`changes nothing in a second pass, originals ${remove_originals ? "removed" : "kept"}`, () => {
      const { once } = normalizing([{ name: "llamatelemetry", remove_originals }]);
      const first = once(tracesOf(cases.map(({ span }) => span)));
      assert.equal(once(first), first);
    });
  }
});
