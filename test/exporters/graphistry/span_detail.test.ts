import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { spanDetail } from "../../../exporters/graphistry/span_detail.ts";
import { batchOf, epochMs, type SpanSketch, spanHex, traceHex } from "./support.ts";

function detailOf(sketch: SpanSketch, reveal?: string) {
  for (const span of batchOf([sketch]).spans()) return spanDetail(span, reveal);
  throw new Error("no span");
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

describe("the details of a span", () => {
  it("are all it has", () => {
    const detail = detailOf({
      id: 2,
      parent: 1,
      status: 2,
      statusMessage: "context overflow",
      durationMs: 12.5,
      attributes: {
        "llm.stream": true,
        "gen_ai.request.temperature": 0.5,
        tags: ["a", "b"],
        n: 3,
        raw: Buffer.from("xyz"),
      },
      events: [{ name: "exception", attributes: { "exception.type": "ValueError" } }],
    });
    assert.deepEqual(detail, {
      traceId: traceHex(1),
      spanId: spanHex(2),
      parentSpanId: spanHex(1),
      name: "span 2",
      kind: "CLIENT",
      status: "ERROR",
      statusMessage: "context overflow",
      startUnixMs: epochMs,
      durationMs: 12.5,
      attributes: [
        { key: "llm.stream", type: "bool", text: "true" },
        { key: "gen_ai.request.temperature", type: "double", text: "0.5" },
        { key: "tags", type: "array", text: '["a","b"]' },
        { key: "n", type: "int", text: "3" },
        { key: "raw", type: "bytes", text: "eHl6" },
      ],
      resource: [{ key: "service.name", type: "string", text: "worker" }],
      events: [
        {
          name: "exception",
          offsetMs: 5,
          attributes: [{ key: "exception.type", type: "string", text: "ValueError" }],
        },
      ],
    });
  });

  it("mask prompts: size and a short digest, no text", () => {
    const text = "[tell me a sécret]";
    const [field] = detailOf({ id: 1, attributes: { "gen_ai.input.messages": text } }).attributes;
    assert.deepEqual(field, {
      key: "gen_ai.input.messages",
      type: "string",
      masked: { sizeBytes: Buffer.byteLength(text), digest: digestOf(text) },
    });
  });

  it("show the text of the one attribute that is asked for", () => {
    const attributes = { "gen_ai.input.messages": "question", "gen_ai.output.messages": "answer" };
    const detail = detailOf({ id: 1, attributes }, "gen_ai.output.messages");
    assert.deepEqual(
      detail.attributes.map(({ text }) => text),
      [undefined, "answer"],
    );
    assert.doesNotMatch(JSON.stringify(detail), /question/);
  });

  it("mask the messages of events, and show what stands beside them", () => {
    const attributes = { content: "a secret", role: "user", "gen_ai.system": "llama_cpp" };
    const [event] = detailOf({ id: 1, events: [{ name: "gen_ai.user.message", attributes }] }).events;
    assert.deepEqual(
      event?.attributes.map(({ key, text, masked }) => [key, text, masked?.sizeBytes]),
      [
        ["content", undefined, 8],
        ["role", "user", undefined],
        ["gen_ai.system", "llama_cpp", undefined],
      ],
    );
  });

  it("mask a structured value as the JSON it would be shown as", () => {
    const [field] = detailOf({ id: 1, attributes: { "gen_ai.tool.call.result": ["x", "y"] } }).attributes;
    assert.deepEqual(field?.masked, { sizeBytes: 9, digest: digestOf('["x","y"]') });
  });
});
