/** The ways of writing a call of a model that are generated, with the share of LLM traces each has by default. */
export const defaultDialectMix = {
  /** OpenTelemetry GenAI conventions 1.41. */
  current: 35,
  /** The same before 1.37: `gen_ai.system`, `gen_ai.usage.prompt_tokens`. */
  older: 15,
  openllmetry: 15,
  openinference: 15,
  vercel: 8,
  /** `llm.*` of llamatelemetry and its notebooks. */
  llamatelemetry: 7,
  langsmith: 2.5,
  langfuse: 2.5,
} as const satisfies Record<string, number>;

export type DialectName = keyof typeof defaultDialectMix;
export type DialectMix = Readonly<Record<DialectName, number>>;

export const dialectNames = Object.keys(defaultDialectMix) as readonly DialectName[];
