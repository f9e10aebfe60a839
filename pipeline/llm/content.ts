/**
 * Attributes that hold what people and models said: prompts, answers, tool arguments and results, documents. In the names
 * of the GenAI conventions and of the instrumentations before and beside them.
 */
const contentKeys: ReadonlySet<string> = new Set([
  "gen_ai.input.messages",
  "gen_ai.output.messages",
  "gen_ai.system_instructions",
  "gen_ai.prompt",
  "gen_ai.completion",
  "gen_ai.message",
  "gen_ai.tool_calls",
  "gen_ai.event.content",
  "gen_ai.tool.definitions",
  "gen_ai.tool.call.arguments",
  "gen_ai.tool.call.result",
  "gen_ai.retrieval.query.text",
  "gen_ai.retrieval.documents",
  "gen_ai.evaluation.explanation",
  "traceloop.entity.input",
  "traceloop.entity.output",
  "input.value",
  "output.value",
  "tool.parameters",
  "tool_call.function.arguments",
  "llm.prompt",
  "llm.completion",
  "llm.prompts",
  "llm.completions",
  "llm.input_messages",
  "llm.output_messages",
  "llm.prompt_template.template",
  "llm.prompt_template.variables",
  "embedding.text",
  "document.content",
  "ai.prompt",
  "ai.value",
  "ai.values",
  "ai.result.text",
  "ai.result.object",
  "ai.result.toolCalls",
  "ai.response.text",
  "ai.response.object",
  "ai.response.toolCalls",
  "ai.toolCall.args",
  "ai.toolCall.result",
  "langfuse.observation.input",
  "langfuse.observation.output",
  "langfuse.trace.input",
  "langfuse.trace.output",
  "tool_arguments",
  "tool.arguments",
  "tool_response",
  "all_messages_events",
  "pydantic_ai.all_messages",
  "final_result",
  "inputs",
  "outputs",
]);

/** Such contents spread over many attributes: `gen_ai.prompt.0.content`, `llm.input_messages.1.message.content`. */
const contentFamilies =
  /^(?:(?:gen_ai\.(?:prompt|completion)|llm\.(?:prompts|completions|choices|tools|request\.functions))\.\d|llm\.(?:input|output)_messages\.|ai\.prompt\.|retrieval\.documents\.|reranker\.(?:query|(?:input|output)_documents)|embedding\.embeddings\.|gen_ai\.(?:input|output)\.messages\.)/;

/** Events that are a message: `gen_ai.user.message`, `gen_ai.choice`, `gen_ai.content.prompt`, search results. */
const messageEvents = /^(?:gen_ai\.|db\.(?:query|search)\.result)/;
const messageKeys =
  /^(?:content|message|messages|tool_calls|body|arguments|(?:db\.(?:query|search)\.result)\.document)$/;

/** Whether an attribute of a span, or of one of its events, is content to be masked. Counts and roles are not. */
export function isContent(key: string, eventName?: string): boolean {
  if (contentKeys.has(key) || contentFamilies.test(key)) return true;
  return eventName !== undefined && messageEvents.test(eventName) && messageKeys.test(key);
}
