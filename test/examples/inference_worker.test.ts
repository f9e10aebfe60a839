import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Attributes, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { InferenceError } from "../../examples/inference-worker/inference_error.ts";
import { planJobs } from "../../examples/inference-worker/jobs.ts";
import type { ChatRequest } from "../../examples/inference-worker/openai.ts";
import { runJobs } from "../../examples/inference-worker/run.ts";
import { InferenceWorker, type WorkerSettings } from "../../examples/inference-worker/worker.ts";

const request: ChatRequest = {
  model: "tiny",
  messages: [{ role: "user", content: "Say hello" }],
  maxTokens: 16,
  temperature: 0.5,
  stop: ["END"],
};
const usage = {
  prompt_tokens: 11,
  completion_tokens: 7,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 3 },
};

/** What the fake server does with the next request; it keeps what it was sent. */
let answer: (response: ServerResponse) => void;
let asked: { headers: IncomingMessage["headers"]; body: Record<string, unknown> } | undefined;
let server: Server;
let url: string;
let port: number;

const spans = new InMemorySpanExporter();
const points = new InMemoryMetricExporter(AggregationTemporality.DELTA);
const reader = new PeriodicExportingMetricReader({ exporter: points, exportIntervalMillis: 3_600_000 });
const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
const meterProvider = new MeterProvider({ readers: [reader] });

before(async () => {
  tracerProvider.register();
  server = createServer((incoming, response) => {
    void text(incoming).then((body) => {
      asked = { headers: incoming.headers, body: JSON.parse(body) };
      answer(response);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
  url = `http://127.0.0.1:${port}`;
});

beforeEach(async () => {
  await reader.forceFlush();
  spans.reset();
  points.reset();
  asked = undefined;
});

after(async () => {
  server.closeAllConnections();
  server.close();
  await tracerProvider.shutdown();
  await meterProvider.shutdown();
});

function worker(settings: Partial<WorkerSettings> = {}): InferenceWorker {
  return new InferenceWorker({ serverUrl: url, provider: "llama_cpp", tracerProvider, meterProvider, ...settings });
}

function whole(json: string, status = 200): (response: ServerResponse) => void {
  return (response) => response.writeHead(status, { "content-type": "application/json" }).end(json);
}

function streamed(...chunks: readonly string[]): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const chunk of chunks) response.write(chunk);
    response.end();
  };
}

const completion = JSON.stringify({
  id: "chatcmpl-1",
  model: "tiny-q4",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Hello" } }],
  usage,
});

function event(chunk: object): string {
  return `data: ${JSON.stringify({ id: "chatcmpl-2", model: "tiny-q4", ...chunk })}\n\n`;
}

function onlySpan(): ReadableSpan {
  const finished = spans.getFinishedSpans();
  assert.equal(finished.length, 1);
  return finished[0]!;
}

async function pointsOf(name: string): Promise<{ attributes: Attributes; value: { sum?: number; count: number } }[]> {
  await reader.forceFlush();
  const scopes = points.getMetrics().flatMap((resource) => resource.scopeMetrics);
  const found = scopes.flatMap((scope) => scope.metrics).filter((metric) => metric.descriptor.name === name);
  return found.flatMap((metric) => metric.dataPoints as never);
}

describe("a whole answer", () => {
  it("becomes a CLIENT span with the request, the answer and the server's token counts", async () => {
    answer = whole(completion);
    const response = await worker().chat({ ...request, conversationId: "c-1" });
    assert.deepEqual(response.texts, ["Hello"]);
    const span = onlySpan();
    assert.equal(span.name, "chat tiny");
    assert.equal(span.kind, SpanKind.CLIENT);
    assert.equal(span.status.code, SpanStatusCode.UNSET);
    assert.deepEqual(span.attributes, {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "llama_cpp",
      "gen_ai.request.model": "tiny",
      "gen_ai.request.max_tokens": 16,
      "gen_ai.request.temperature": 0.5,
      "gen_ai.request.stop_sequences": ["END"],
      "gen_ai.conversation.id": "c-1",
      "server.address": "127.0.0.1",
      "server.port": port,
      "gen_ai.response.id": "chatcmpl-1",
      "gen_ai.response.model": "tiny-q4",
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": 11,
      "gen_ai.usage.output_tokens": 7,
      "gen_ai.usage.cache_read.input_tokens": 4,
      "gen_ai.usage.reasoning.output_tokens": 3,
    });
  });

  it("is counted in tokens and in seconds", async () => {
    answer = whole(completion);
    await worker().chat(request);
    const common = {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "llama_cpp",
      "gen_ai.request.model": "tiny",
      "gen_ai.response.model": "tiny-q4",
      "server.address": "127.0.0.1",
      "server.port": port,
    };
    const tokens = await pointsOf("gen_ai.client.token.usage");
    assert.deepEqual(
      tokens.map(({ attributes, value }) => [attributes, value.sum]),
      [
        [{ ...common, "gen_ai.token.type": "input" }, 11],
        [{ ...common, "gen_ai.token.type": "output" }, 7],
      ],
    );
    const durations = await pointsOf("gen_ai.client.operation.duration");
    assert.deepEqual(
      durations.map(({ attributes, value }) => [attributes, value.count]),
      [[common, 1]],
    );
  });

  it("sends what was asked, the trace and the key", async () => {
    answer = whole(completion);
    await worker({ apiKey: "secret" }).chat({ ...request, choices: 2, seed: 3, topP: 0.9 });
    const { traceId, spanId } = onlySpan().spanContext();
    assert.equal(asked?.headers["traceparent"], `00-${traceId}-${spanId}-01`);
    assert.equal(asked?.headers.authorization, "Bearer secret");
    assert.deepEqual(asked?.body, {
      model: "tiny",
      messages: [{ role: "user", content: "Say hello" }],
      max_tokens: 16,
      temperature: 0.5,
      top_p: 0.9,
      seed: 3,
      stop: ["END"],
      n: 2,
    });
  });

  it("leaves token counts out when the server sends none", async () => {
    answer = whole(JSON.stringify({ choices: [{ finish_reason: "length", message: { content: "x" } }] }));
    await worker().chat(request);
    const { attributes } = onlySpan();
    assert.ok(!("gen_ai.usage.input_tokens" in attributes));
    assert.deepEqual(attributes["gen_ai.response.finish_reasons"], ["length"]);
    assert.deepEqual(await pointsOf("gen_ai.client.token.usage"), []);
  });
});

describe("a streamed answer", () => {
  const chunks = [
    event({ choices: [{ index: 0, delta: { role: "assistant", content: null } }] }),
    event({ choices: [{ index: 0, delta: { content: "Hel" } }] }),
    event({ choices: [{ index: 0, delta: { content: "lo ✓" } }] }),
    event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
    event({ choices: [], usage }),
    "data: [DONE]\n\n",
  ];

  it("is put together, counted, and timed to its first output", async () => {
    answer = streamed(...chunks);
    const heard: string[] = [];
    const response = await worker().chat({ ...request, stream: true }, { onText: (text) => heard.push(text) });
    assert.deepEqual(heard, ["Hel", "lo ✓"]);
    assert.deepEqual(response.texts, ["Hello ✓"]);
    assert.equal(response.secondsBetweenChunks.length, 1);
    const { attributes } = onlySpan();
    assert.equal(attributes["gen_ai.request.stream"], true);
    assert.equal(attributes["gen_ai.usage.output_tokens"], 7);
    assert.deepEqual(attributes["gen_ai.response.finish_reasons"], ["stop"]);
    const first = attributes["gen_ai.response.time_to_first_chunk"] as number;
    assert.ok(first > 0 && first < 10, `${first} s`);
    assert.deepEqual(asked?.body["stream_options"], { include_usage: true });
    assert.equal((await pointsOf("gen_ai.client.operation.time_to_first_chunk"))[0]?.value.sum, first);
    assert.equal((await pointsOf("gen_ai.client.operation.time_per_output_chunk"))[0]?.value.count, 1);
  });

  it("keeps what had come when the caller cancels, and counts no tokens it was not told", async () => {
    answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunks[1]);
    };
    const cancellation = new AbortController();
    const chat = worker().chat(
      { ...request, stream: true },
      { signal: cancellation.signal, onText: () => cancellation.abort() },
    );
    await assert.rejects(chat, (error) => error instanceof InferenceError && error.partial?.texts[0] === "Hel");
    const span = onlySpan();
    assert.equal(span.attributes["error.type"], "cancelled");
    assert.equal(span.attributes["gen_ai.response.model"], "tiny-q4");
    assert.ok("gen_ai.response.time_to_first_chunk" in span.attributes);
    assert.ok(!("gen_ai.usage.output_tokens" in span.attributes));
    assert.equal(span.status.code, SpanStatusCode.ERROR);
  });

  for (const { name, sent, errorType } of [
    {
      name: "an error event",
      sent: ['data: {"error":{"type":"server_error","message":"x"}}\n\n'],
      errorType: "server_error",
    },
    { name: "an end without a finish reason", sent: chunks.slice(0, 2), errorType: "incomplete_response" },
    { name: "a chunk that is not JSON", sent: ["data: {oops\n\n"], errorType: "invalid_response" },
  ]) {
    it(`fails as ${errorType} on ${name}`, async () => {
      answer = streamed(...sent);
      await assert.rejects(worker().chat({ ...request, stream: true }), { errorType });
      assert.equal(onlySpan().attributes["error.type"], errorType);
    });
  }
});

describe("a refused request", () => {
  const overflow = '{"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}}';
  for (const { name, status, text, errorType, message } of [
    {
      name: "the server's own name",
      status: 400,
      text: overflow,
      errorType: "exceed_context_size_error",
      message: "the server answered 400: too long",
    },
    { name: "a bare text", status: 503, text: "busy", errorType: "503", message: "the server answered 503: busy" },
    {
      name: "an error that is a text",
      status: 404,
      text: '{"error":"no such model"}',
      errorType: "404",
      message: "the server answered 404: no such model",
    },
    {
      name: "an error under status 200",
      status: 200,
      text: overflow,
      errorType: "exceed_context_size_error",
      message: "the server answered 200: too long",
    },
  ]) {
    it(`is an ERROR span with ${name}, one exception event and a duration`, async () => {
      answer = whole(text, status);
      await assert.rejects(worker().chat(request), { name: "InferenceError", errorType, message });
      const span = onlySpan();
      assert.deepEqual(span.status, { code: SpanStatusCode.ERROR, message });
      assert.equal(span.attributes["error.type"], errorType);
      assert.deepEqual(
        span.events.map((event) => event.name),
        ["exception"],
      );
      assert.equal(span.events[0]?.attributes?.["exception.type"], "InferenceError");
      const [point] = await pointsOf("gen_ai.client.operation.duration");
      assert.equal(point?.attributes["error.type"], errorType);
    });
  }

  it("names the system's error when nothing listens", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port: unused } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, "close");
    await assert.rejects(worker({ serverUrl: `http://127.0.0.1:${unused}` }).chat(request), {
      errorType: "ECONNREFUSED",
    });
  });
});

describe("prompts and answers", () => {
  it("stay off the span unless asked for", async () => {
    answer = whole(completion);
    await worker().chat(request);
    assert.doesNotMatch(JSON.stringify(onlySpan().attributes), /hello/i);
  });

  it("are on the span, in the conventions' shape, once asked for", async () => {
    answer = whole(completion);
    await worker({ captureContent: true }).chat(request);
    const { attributes } = onlySpan();
    const said = [{ role: "user", parts: [{ type: "text", content: "Say hello" }] }];
    assert.deepEqual(JSON.parse(String(attributes["gen_ai.input.messages"])), said);
    const answered = [{ role: "assistant", parts: [{ type: "text", content: "Hello" }], finish_reason: "stop" }];
    assert.deepEqual(JSON.parse(String(attributes["gen_ai.output.messages"])), answered);
  });
});

describe("a run", () => {
  // Scenario: eight requests, three of them made to fail, in workflows of three.
  // Guarantees: three traces workflow > agent > requests; the printed truth names exactly the spans that were sent.
  it("nests requests under their agents and tells the truth about them", async () => {
    let count = 0;
    answer = (response) => {
      count += 1;
      if (asked?.body["stream"] === true) streamed(event({ choices: [{ delta: { content: "x" } }] }))(response);
      else if (count === 2) whole(overflowAnswer, 400)(response);
      else whole(completion)(response);
    };
    const jobs = planJobs({
      model: "tiny",
      requests: 5,
      maxTokens: 8,
      stream: "never",
      failures: true,
      contextTokens: 10,
    });
    const truths = await runJobs(worker(), jobs, {
      workflow: "questions",
      agent: "answerer",
      requestsPerWorkflow: 3,
      concurrency: 1,
    });
    assert.deepEqual(
      truths.map(({ errorType }) => errorType),
      [null, "exceed_context_size_error", null, null, null, null, "cancelled", null],
    );
    const finished = spans.getFinishedSpans();
    assert.equal(new Set(finished.map((span) => span.spanContext().traceId)).size, 3);
    for (const truth of truths) {
      const span = finished.find((candidate) => candidate.spanContext().spanId === truth.spanId);
      assert.equal(span?.spanContext().traceId, truth.traceId);
      assert.equal(span?.attributes["error.type"] ?? null, truth.errorType);
      assert.equal(span?.attributes["gen_ai.usage.input_tokens"] ?? null, truth.inputTokens);
      const agent = finished.find((candidate) => candidate.spanContext().spanId === truth.parentSpanId);
      assert.equal(agent?.name, "invoke_agent answerer");
      const workflow = finished.find(
        (candidate) => candidate.spanContext().spanId === agent?.parentSpanContext?.spanId,
      );
      assert.equal(workflow?.name, "invoke_workflow questions");
      assert.equal(workflow?.parentSpanContext, undefined);
    }
  });
  const overflowAnswer = '{"error":{"message":"too long","type":"exceed_context_size_error"}}';
});
