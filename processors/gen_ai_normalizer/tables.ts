/** Renames of one source convention: which attribute becomes which, and what its texts become. */
export interface MappingTable {
  readonly mappings: Readonly<Record<string, string>>;
  /** By target attribute: texts in lower case and what stands for them; null: not mapped. Others stay as they are. */
  readonly values: Readonly<Record<string, Values>>;
  /** Targets whose other texts are written in lower case. */
  readonly lowerCase?: readonly string[];
  /** By attribute that has its present name already: texts that are spelled otherwise now. */
  readonly respelled?: Readonly<Record<string, Values>>;
}

export type Values = Readonly<Record<string, string | null>>;

const operation = "gen_ai.operation.name";
const provider = "gen_ai.provider.name";
const model = "gen_ai.request.model";
const inputTokens = "gen_ai.usage.input_tokens";
const outputTokens = "gen_ai.usage.output_tokens";
const inputMessages = "gen_ai.input.messages";
const outputMessages = "gen_ai.output.messages";
const finishReasons = "gen_ai.response.finish_reasons";
const agentName = "gen_ai.agent.name";
const conversation = "gen_ai.conversation.id";

/** @see OpenInference semantic conventions; the Collector's `gen_ai_normalizer` maps the same. */
const openInference: MappingTable = {
  mappings: {
    "llm.token_count.prompt": inputTokens,
    "llm.token_count.completion": outputTokens,
    "llm.model_name": model,
    "embedding.model_name": model,
    "reranker.model_name": model,
    "llm.provider": provider,
    "llm.input_messages": inputMessages,
    "llm.output_messages": outputMessages,
    "tool.name": "gen_ai.tool.name",
    "tool.description": "gen_ai.tool.description",
    "tool_call.function.arguments": "gen_ai.tool.call.arguments",
    "tool_call.id": "gen_ai.tool.call.id",
    "agent.name": agentName,
    "session.id": conversation,
    "openinference.span.kind": operation,
  },
  values: {
    [operation]: {
      llm: "chat",
      embedding: "embeddings",
      chain: "invoke_agent",
      retriever: "retrieval",
      reranker: "retrieval",
      tool: "execute_tool",
      agent: "invoke_agent",
      prompt: "text_completion",
    },
  },
};

/** @see OpenLLMetry `semconv_ai`; the Collector's `gen_ai_normalizer` maps the same. */
const openLlmetry: MappingTable = {
  mappings: {
    "llm.usage.prompt_tokens": inputTokens,
    "llm.usage.completion_tokens": outputTokens,
    "llm.request.model": model,
    "llm.response.model": "gen_ai.response.model",
    "llm.request.max_tokens": "gen_ai.request.max_tokens",
    "llm.request.temperature": "gen_ai.request.temperature",
    "llm.request.top_p": "gen_ai.request.top_p",
    "llm.top_k": "gen_ai.request.top_k",
    "llm.frequency_penalty": "gen_ai.request.frequency_penalty",
    "llm.presence_penalty": "gen_ai.request.presence_penalty",
    "llm.chat.stop_sequences": "gen_ai.request.stop_sequences",
    "llm.request.functions": "gen_ai.tool.definitions",
    "llm.response.finish_reason": finishReasons,
    "llm.response.stop_reason": finishReasons,
    "llm.request.type": operation,
    "traceloop.span.kind": operation,
    "traceloop.entity.name": agentName,
    "traceloop.entity.input": inputMessages,
    "traceloop.entity.output": outputMessages,
  },
  values: {
    [operation]: {
      completion: "text_completion",
      chat: "chat",
      rerank: "retrieval",
      embedding: "embeddings",
      workflow: "invoke_workflow",
      task: "invoke_agent",
      agent: "invoke_agent",
      tool: "execute_tool",
    },
  },
};

/** Names of providers that the conventions spell otherwise. LangChain is a framework, not a provider. */
export const providerNames: Values = {
  langchain: null,
  "llama.cpp": "llama_cpp",
  llamatelemetry: "llama_cpp",
  "az.ai.openai": "azure.ai.openai",
  "az.ai.inference": "azure.ai.inference",
  vertex_ai: "gcp.vertex_ai",
  vertexai: "gcp.vertex_ai",
  gemini: "gcp.gemini",
  xai: "x_ai",
  mistralai: "mistral_ai",
  amazon: "aws.bedrock",
};

/** Operations that are called otherwise now. */
export const operationNames: Values = { completion: "text_completion", embedding: "embeddings" };

/** Names the GenAI conventions used themselves before 1.37. */
const olderGenAi: MappingTable = {
  mappings: {
    "gen_ai.system": provider,
    "gen_ai.usage.prompt_tokens": inputTokens,
    "gen_ai.usage.completion_tokens": outputTokens,
    "gen_ai.usage.cache_read_input_tokens": "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.details.reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.response.finish_reason": finishReasons,
    "gen_ai.prompt": inputMessages,
    "gen_ai.completion": outputMessages,
    "gen_ai.openai.request.seed": "gen_ai.request.seed",
    "gen_ai.openai.request.service_tier": "openai.request.service_tier",
    "gen_ai.openai.response.service_tier": "openai.response.service_tier",
    "gen_ai.openai.response.system_fingerprint": "openai.response.system_fingerprint",
  },
  values: { [provider]: providerNames },
  lowerCase: [provider],
  respelled: { [operation]: operationNames },
};

const noValues = {};

/** The sources that need nothing but a table. */
export const builtInTables: Readonly<Record<string, MappingTable>> = {
  openinference: openInference,
  openllmetry: openLlmetry,
  older_gen_ai: olderGenAi,
  crewai: { mappings: { agent_role: agentName, crew_id: conversation }, values: noValues },
  langchain: {
    mappings: { "lc.metadata.thread_id": conversation, "langgraph.node.name": agentName },
    values: noValues,
  },
  pydanticai: { mappings: { agent_name: agentName }, values: noValues },
};
