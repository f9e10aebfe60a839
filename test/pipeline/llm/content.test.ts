import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isContent } from "../../../pipeline/llm/content.ts";

describe("content", () => {
  for (const key of [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.prompt",
    "gen_ai.prompt.0.content",
    "gen_ai.completion.12.tool_calls.0.arguments",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.retrieval.documents",
    "traceloop.entity.input",
    "llm.prompts",
    "llm.prompts.0.prompt.text",
    "llm.input_messages.0.message.content",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
    "input.value",
    "output.value",
    "retrieval.documents.3.document.content",
    "ai.prompt.messages",
    "ai.response.text",
    "langfuse.observation.input",
    "tool.arguments",
    "tool_arguments",
    "all_messages_events",
    "final_result",
  ]) {
    it(`is ${key}`, () => assert.ok(isContent(key)));
  }

  for (const key of [
    "gen_ai.prompt.name",
    "gen_ai.request.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.tool.name",
    "gen_ai.tool.call.id",
    "llm.request.messages",
    "llm.prompt_length",
    "llm.model",
    "http.request.method",
    "content",
  ]) {
    it(`is not ${key}`, () => assert.ok(!isContent(key)));
  }

  it("is the content of a message event, not of any event", () => {
    assert.ok(isContent("content", "gen_ai.assistant.message"));
    assert.ok(isContent("gen_ai.event.content", "gen_ai.content.prompt"));
    assert.ok(!isContent("content", "cache.miss"));
    assert.ok(!isContent("role", "gen_ai.assistant.message"));
  });
});
