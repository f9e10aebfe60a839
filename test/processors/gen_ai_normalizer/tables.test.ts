import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decode } from "../../../pipeline/pdata/index.ts";
import definition from "../../../processors/gen_ai_normalizer/index.ts";
import { eventsAfter, normalized, normalizing, type PlainMap, type TestSpan, tracesOf } from "./support.ts";

const keep = (name: string) => [{ name }];
const remove = (name: string) => [{ name, remove_originals: true }];

describe("gen_ai_normalizer, built-in sources", () => {
  const cases: readonly { name: string; sources: unknown; from: PlainMap; want: PlainMap }[] = [
    {
      name: "openinference",
      sources: remove("openinference"),
      from: {
        "llm.token_count.prompt": 12n,
        "llm.token_count.completion": 3n,
        "llm.model_name": "gpt-4o",
        "llm.provider": "openai",
        "session.id": "s1",
        "agent.name": "planner",
        "tool.name": "search",
        "tool_call.id": "call_1",
        "openinference.span.kind": "LLM",
        "input.value": "stays",
      },
      want: {
        "gen_ai.usage.input_tokens": 12n,
        "gen_ai.usage.output_tokens": 3n,
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.provider.name": "openai",
        "gen_ai.conversation.id": "s1",
        "gen_ai.agent.name": "planner",
        "gen_ai.tool.name": "search",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.operation.name": "chat",
        "input.value": "stays",
      },
    },
    {
      name: "openllmetry",
      sources: remove("openllmetry"),
      from: {
        "llm.usage.prompt_tokens": 5n,
        "llm.usage.completion_tokens": "7",
        "llm.request.model": "m",
        "llm.response.model": "m-1",
        "llm.request.max_tokens": 100,
        "llm.request.temperature": 1n,
        "llm.top_k": 40n,
        "llm.chat.stop_sequences": ["a", "b"],
        "llm.response.finish_reason": "stop",
        "llm.request.type": "completion",
        "traceloop.entity.input": "{}",
      },
      want: {
        "gen_ai.usage.input_tokens": 5n,
        "gen_ai.usage.output_tokens": 7n,
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-1",
        "gen_ai.request.max_tokens": 100n,
        "gen_ai.request.temperature": 1,
        "gen_ai.request.top_k": 40,
        "gen_ai.request.stop_sequences": ["a", "b"],
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.operation.name": "text_completion",
        "gen_ai.input.messages": "{}",
      },
    },
    {
      name: "originals stay unless told otherwise",
      sources: keep("openllmetry"),
      from: { "llm.request.model": "m" },
      want: { "llm.request.model": "m", "gen_ai.request.model": "m" },
    },
    {
      name: "what is current already stays, and so does its source",
      sources: remove("openllmetry"),
      from: { "llm.request.model": "old", "gen_ai.request.model": "new" },
      want: { "llm.request.model": "old", "gen_ai.request.model": "new" },
    },
    {
      name: "overwrite replaces it",
      sources: [{ name: "openllmetry", overwrite: true, remove_originals: true }],
      from: { "llm.request.model": "old", "gen_ai.request.model": "new" },
      want: { "gen_ai.request.model": "old" },
    },
    {
      name: "values that cannot have the type are left alone",
      sources: remove("openllmetry"),
      from: { "llm.usage.prompt_tokens": 1.5, "llm.usage.completion_tokens": -3n, "llm.chat.stop_sequences": true },
      want: { "llm.usage.prompt_tokens": 1.5, "llm.usage.completion_tokens": -3n, "llm.chat.stop_sequences": true },
    },
    {
      name: "older names of the conventions themselves",
      sources: remove("older_gen_ai"),
      from: {
        "gen_ai.system": "az.ai.openai",
        "gen_ai.operation.name": "completion",
        "gen_ai.usage.prompt_tokens": 4n,
        "gen_ai.usage.completion_tokens": 2n,
        "gen_ai.openai.request.seed": 9n,
      },
      want: {
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.operation.name": "text_completion",
        "gen_ai.usage.input_tokens": 4n,
        "gen_ai.usage.output_tokens": 2n,
        "gen_ai.request.seed": 9n,
      },
    },
    {
      name: "a provider in capitals, and a framework that is none",
      sources: [{ name: "older_gen_ai" }],
      from: { "gen_ai.system": "OpenAI" },
      want: { "gen_ai.system": "OpenAI", "gen_ai.provider.name": "openai" },
    },
    {
      name: "a framework is no provider",
      sources: keep("older_gen_ai"),
      from: { "gen_ai.system": "Langchain" },
      want: { "gen_ai.system": "Langchain" },
    },
    {
      name: "smaller sources",
      sources: [{ name: "crewai" }, { name: "langchain" }, { name: "pydanticai" }],
      from: { crew_id: "c", "langgraph.node.name": "node", agent_name: "late" },
      want: {
        crew_id: "c",
        "langgraph.node.name": "node",
        agent_name: "late",
        "gen_ai.conversation.id": "c",
        "gen_ai.agent.name": "node",
      },
    },
    {
      name: "sources of one's own",
      sources: [
        {
          name: "mine",
          mappings: { model: "gen_ai.request.model", kind: "gen_ai.operation.name" },
          value_mappings: { "gen_ai.operation.name": { Talk: "chat" } },
        },
      ],
      from: { model: "m", kind: "TALK" },
      want: { model: "m", kind: "TALK", "gen_ai.request.model": "m", "gen_ai.operation.name": "chat" },
    },
    {
      name: "the former form, in the order of names",
      sources: { openllmetry: null, custom: { custom_mappings: { mine: "gen_ai.request.model" } } },
      from: { "llm.request.model": "second", mine: "first" },
      want: { "llm.request.model": "second", mine: "first", "gen_ai.request.model": "first" },
    },
  ];
  for (const { name, sources, from, want } of cases) {
    it(name, () => assert.deepEqual(normalized(sources, [{ attributes: from }]), [want]));
    it(`${name}: a second pass changes nothing`, () => {
      const { once } = normalizing(sources);
      const first = once(tracesOf([{ attributes: from }]));
      assert.equal(once(first), first);
    });
  }

  for (const [source, attribute, values] of [
    [
      "openinference",
      "openinference.span.kind",
      {
        LLM: "chat",
        embedding: "embeddings",
        CHAIN: "invoke_agent",
        RETRIEVER: "retrieval",
        RERANKER: "retrieval",
        TOOL: "execute_tool",
        AGENT: "invoke_agent",
        PROMPT: "text_completion",
        GUARDRAIL: "GUARDRAIL",
      },
    ],
    [
      "openllmetry",
      "traceloop.span.kind",
      { workflow: "invoke_workflow", task: "invoke_agent", Agent: "invoke_agent", tool: "execute_tool" },
    ],
    [
      "openllmetry",
      "llm.request.type",
      { completion: "text_completion", chat: "chat", rerank: "retrieval", embedding: "embeddings" },
    ],
  ] as const) {
    it(`operations by ${attribute}`, () => {
      const spans = Object.keys(values).map((value): TestSpan => ({ attributes: { [attribute]: value } }));
      const names = normalized(keep(source), spans).map((attributes) => attributes["gen_ai.operation.name"]);
      assert.deepEqual(names, Object.values(values));
    });
  }

  it("translates the attributes of span events, and not those of resources", () => {
    const span = {
      attributes: {},
      resource: { "llm.request.model": "r" },
      events: [{ name: "e", attributes: { "llm.request.model": "m" } }],
    };
    assert.deepEqual(eventsAfter(remove("openllmetry"), span), [{ "gen_ai.request.model": "m" }]);
    const { once, host } = normalizing(remove("openllmetry"));
    assert.equal(
      decode<"traces">(once(tracesOf([span]))).resourceSpans[0]?.resource?.attributes[0]?.key,
      "llm.request.model",
    );
    assert.equal(host.metric("otelpipe_processor_gen_ai_normalizer_spans", { source: "openllmetry" }), undefined);
  });

  it("passes spans of other kinds on untouched and counts those it changed, by source", () => {
    const { once, host } = normalizing([{ name: "openllmetry" }, { name: "openinference" }]);
    const noise = tracesOf([{ attributes: { "http.route": "/" } }]);
    assert.equal(once(noise), noise);
    once(tracesOf([{ attributes: { "llm.request.model": "a" } }, { attributes: { "llm.request.model": "b" } }]));
    assert.equal(host.metric("otelpipe_processor_gen_ai_normalizer_spans", { source: "openllmetry" }), 2);
  });
});

describe("gen_ai_normalizer, messages of OpenInference", () => {
  const input = (fields: PlainMap) =>
    Object.fromEntries(Object.entries(fields).map(([key, value]) => [`llm.input_messages.${key}`, value]));
  for (const { name, from, want, left } of [
    {
      name: "text in the order of the indices",
      from: input({
        "1.message.role": "assistant",
        "1.message.content": "hi",
        "0.message.role": "user",
        "0.message.content": "hello",
        "10.message.role": "user",
      }),
      want: [
        { role: "user", parts: [{ type: "text", content: "hello" }] },
        { role: "assistant", parts: [{ type: "text", content: "hi" }] },
        { role: "user", parts: [] },
      ],
      left: [],
    },
    {
      name: "calls of tools and their answers",
      from: input({
        "0.message.role": "assistant",
        "0.message.tool_calls.0.tool_call.id": "c1",
        "0.message.tool_calls.0.tool_call.function.name": "f",
        "0.message.tool_calls.0.tool_call.function.arguments": '{"x":1}',
        "0.message.tool_calls.1.tool_call.function.name": "g",
        "0.message.tool_calls.1.tool_call.function.arguments": "not json",
        "1.message.role": "user",
        "1.message.tool_call_id": "c1",
        "1.message.content": "42",
        "1.message.name": "f",
      }),
      want: [
        {
          role: "assistant",
          parts: [
            { type: "tool_call", id: "c1", name: "f", arguments: { x: 1 } },
            { type: "tool_call", name: "g", arguments: "not json" },
          ],
        },
        { role: "tool", name: "f", parts: [{ type: "tool_call_response", id: "c1", response: "42" }] },
      ],
      left: [],
    },
    {
      name: "lists of contents, of which only text is taken and removed",
      from: input({
        "0.message.role": "user",
        "0.message.contents.0.message_content.type": "text",
        "0.message.contents.0.message_content.text": "look",
        "0.message.contents.1.message_content.type": "image",
        "0.message.contents.1.message_content.image.image.url": "http://x",
      }),
      want: [{ role: "user", parts: [{ type: "text", content: "look" }] }],
      left: [
        "llm.input_messages.0.message.contents.1.message_content.type",
        "llm.input_messages.0.message.contents.1.message_content.image.image.url",
      ],
    },
  ]) {
    it(name, () => {
      const [attributes = {}] = normalized(remove("openinference"), [{ attributes: from }]);
      const { "gen_ai.input.messages": written, ...rest } = attributes;
      assert.deepEqual(JSON.parse(String(written)), want);
      assert.deepEqual(Object.keys(rest).sort(), left.sort());
    });
  }

  for (const { name, given } of [
    { name: "numbers that a double does not hold", given: '{"id": 12345678901234567890, "x": 1.0}' },
    { name: "a nesting that is too deep to be walked", given: "[".repeat(20_000) + "]".repeat(20_000) },
  ]) {
    it(`leaves arguments of tools as they were written: ${name}`, () => {
      const from = { "0.message.role": "assistant", "0.message.tool_calls.0.tool_call.function.arguments": given };
      const [attributes] = normalized(keep("openinference"), [{ attributes: input(from) }]);
      const call = `{"type":"tool_call","name":"","arguments":${given}}`;
      assert.equal(attributes?.["gen_ai.input.messages"], `[{"role":"assistant","parts":[${call}]}]`);
    });
  }

  it("gives output messages a finish reason and never the role of a tool", () => {
    const from = { "llm.output_messages.0.message.role": "tool", "llm.output_messages.0.message.content": "x" };
    const [attributes] = normalized(keep("openinference"), [{ attributes: from }]);
    assert.equal(
      attributes?.["gen_ai.output.messages"],
      '[{"role":"user","parts":[{"type":"text","content":"x"}],"finish_reason":""}]',
    );
  });
});

describe("mappings of one's own", () => {
  it("take any name, those of JavaScript's objects too", () => {
    const mappings = { a: "constructor", b: "toString", toString: "c" };
    const [attributes] = normalized([{ name: "mine", mappings }], [{ attributes: { a: "1", b: "2", toString: "3" } }]);
    assert.deepEqual(attributes, { a: "1", b: "2", constructor: "1", toString: "3", c: "3" });
  });
});

describe("the config of gen_ai_normalizer", () => {
  for (const { sources, message } of [
    { sources: [], message: "at least one source must be specified" },
    { sources: {}, message: "at least one source must be specified" },
    {
      sources: [{ name: "openllmetry" }, { name: "openllmetry" }],
      message: 'sources[1]: duplicate source "openllmetry"',
    },
    {
      sources: [{ name: "openinference", mappings: { a: "b" } }],
      message: 'sources[0]: "mappings" is not valid on built-in source "openinference"',
    },
    { sources: [{ name: "mine" }], message: 'sources[0]: user-defined source "mine" requires non-empty "mappings"' },
    {
      sources: [{ name: "mine", mappings: { a: "b" }, value_mappings: { c: {} } }],
      message: 'sources[0]: "value_mappings" key "c" is not a target in "mappings"',
    },
    { sources: { mine: {} }, message: 'unknown source "mine"' },
    {
      sources: { openinferrence: {} },
      message: 'unknown source "openinferrence", did you mean "openinference"?',
    },
    {
      sources: [{ name: "openinferrence" }],
      message:
        'sources[0]: user-defined source "openinferrence" requires non-empty "mappings", did you mean "openinference"?',
    },
    { sources: { custom: {} }, message: 'sources["custom"]: custom_mappings must be non-empty for the custom source' },
    {
      sources: { custom: { custom_mappings: { a: "a" } } },
      message: 'sources["custom"].custom_mappings: source and target are identical ("a")',
    },
  ]) {
    it(`refuses ${JSON.stringify(sources)}`, () => {
      const issues = definition.config.safeParse({ sources }).error?.issues ?? [];
      const messages = issues.flatMap(leaves).map((issue) => issue.message);
      assert.ok(
        messages.some((found) => found.startsWith(message)),
        messages.join("\n"),
      );
    });
  }
});

type Issue = NonNullable<ReturnType<typeof definition.config.safeParse>["error"]>["issues"][number];

/** The issues of all forms a setting may have: reports to users pick the form that was meant. */
function leaves(issue: Issue): Issue[] {
  return issue.code === "invalid_union" ? (issue.errors.flat() as Issue[]).flatMap(leaves) : [issue];
}
