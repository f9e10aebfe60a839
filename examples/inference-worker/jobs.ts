import type { ChatRequest } from "./openai.ts";

/** One request to make, and what is done to it on purpose. */
export interface Job {
  readonly kind: "plain" | "context_overflow" | "cancelled" | "wrong_model";
  readonly request: ChatRequest;
}

/** What the jobs of a run have in common. */
export interface JobSettings {
  readonly model: string;
  readonly requests: number;
  readonly maxTokens: number;
  /** Streams every request, none, or every other one. */
  readonly stream: "always" | "never" | "mixed";
  /** Adds one request for each way to fail. */
  readonly failures: boolean;
  /** Tokens the server can hold for one request: an overflow must be longer. */
  readonly contextTokens: number;
}

const prompts = [
  "What is CUDA?",
  "Explain the transformer architecture.",
  "What is quantization in LLMs?",
  "How does FlashAttention work?",
  "Describe the attention mechanism.",
  "What is the GGUF format?",
  "What does the KV cache hold?",
  "Why is prefill faster per token than decoding?",
  "Say hello in one sentence.",
];

/** The jobs of a run, failures last. The same settings give the same jobs. */
export function planJobs(settings: JobSettings): Job[] {
  const plain = Array.from({ length: settings.requests }, (_, index) => plainJob(settings, index));
  return settings.failures ? [...plain, ...failingJobs(settings)] : plain;
}

function plainJob(settings: JobSettings, index: number): Job {
  const isStreamed = settings.stream === "always" || (settings.stream === "mixed" && index % 2 === 0);
  return {
    kind: "plain",
    request: {
      model: settings.model,
      messages: [{ role: "user", content: prompts[index % prompts.length] ?? "" }],
      maxTokens: settings.maxTokens,
      temperature: 0.7,
      seed: index,
      stream: isStreamed,
    },
  };
}

function failingJobs(settings: JobSettings): Job[] {
  const { request } = plainJob(settings, 0);
  // At least one token a word, so this many words cannot fit.
  const tooLong = "token ".repeat(settings.contextTokens + 64);
  return [
    {
      kind: "context_overflow",
      request: { ...request, messages: [{ role: "user", content: tooLong }], stream: false },
    },
    { kind: "cancelled", request: { ...request, maxTokens: Math.max(256, settings.maxTokens), stream: true } },
    { kind: "wrong_model", request: { ...request, model: "no-such-model", stream: false } },
  ];
}
