import type { SentSpan } from "./truth.ts";

/**
 * What the notebook's attributes become, written by hand from the GenAI conventions and the notebook, not taken from
 * the processor. The originals stay.
 */
const renamed: Readonly<Record<string, string>> = {
  "llm.model": "gen_ai.request.model",
  "llm.request.max_tokens": "gen_ai.request.max_tokens",
  "llm.request.temperature": "gen_ai.request.temperature",
  "llm.usage.input_tokens": "gen_ai.usage.input_tokens",
  "llm.usage.output_tokens": "gen_ai.usage.output_tokens",
  "session.id": "gen_ai.conversation.id",
};

/** The attributes a span must have behind the normaliser: its own, all of them, and for the notebook's dialect more. */
export function normalised(span: SentSpan): Record<string, unknown> {
  const own = span.attributes;
  const added: Record<string, unknown> = {};
  for (const [from, to] of Object.entries(renamed)) if (own[from] !== undefined) added[to] = own[from];
  const reason = own["llm.response.finish_reason"];
  if (reason !== undefined) added["gen_ai.response.finish_reasons"] = [reason];
  if (own["llm.system"] === "llama.cpp") added["gen_ai.provider.name"] = "llama_cpp";
  if (span.name.startsWith("llm.chat.")) {
    added["gen_ai.operation.name"] = "chat";
    const exception = span.events.find(({ name }) => name === "exception");
    if (exception !== undefined) added["error.type"] = exception.attributes["exception.type"];
  }
  if (span.name.startsWith("llm.batch")) added["gen_ai.workflow.name"] = span.name;
  return { ...added, ...own };
}

/** The resource behind the `resource` processor, which inserts one attribute. */
export function stamped({ resource }: SentSpan): Record<string, unknown> {
  return { "deployment.environment.name": "demonstration", ...resource };
}
