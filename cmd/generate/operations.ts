import type { Model } from "./services.ts";
import type { Secret } from "./span.ts";

/** One message of a conversation. */
export interface Message {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  readonly secrets: readonly Secret[];
}

/** What went wrong with an operation. `type` is a class of low cardinality. */
export interface Failure {
  readonly type: string;
  readonly message: string;
  readonly exception: string;
}

/** One attempt to have a model answer, whichever way it is written. Times in seconds. */
export interface ModelCall {
  readonly kind: "chat" | "embeddings";
  readonly model: Model;
  readonly stream: boolean;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly durationSeconds: number;
  /** How long it waited in the engine's queue. */
  readonly queueSeconds: number;
  /** Absent when nothing came. */
  readonly firstTokenSeconds?: number;
  /** What the answer reports; absent when there is no answer. */
  readonly usage?: {
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly cachedTokens: number;
    readonly reasoningTokens: number;
  };
  readonly finish?: "stop" | "length" | "tool_call" | "content_filter" | "abort";
  readonly failure?: Failure;
  /** The caller went away: a failure to some, nothing to speak of to others. */
  readonly cancelled: boolean;
  readonly responseId: string;
  readonly conversationId: string;
  readonly messageCount: number;
  /** The texts, where content is captured. */
  readonly input: readonly Message[];
  readonly output: readonly Message[];
}

/** An agent that is run, or its planning. */
export interface AgentOperation<K extends "agent" | "plan"> {
  readonly kind: K;
  readonly agent: string;
  readonly conversationId: string;
  /** What the calls below it reported, summed, where it says so. */
  readonly total: { readonly inputTokens: number; readonly outputTokens: number } | undefined;
  readonly failure: Failure | undefined;
}

export type Operation =
  | ModelCall
  | {
      readonly kind: "retrieval";
      readonly dataSource: string;
      readonly topK: number;
      readonly documents: readonly { readonly id: string; readonly score: number }[];
    }
  | { readonly kind: "rerank"; readonly model: Model; readonly topK: number }
  | {
      readonly kind: "tool";
      readonly tool: string;
      readonly callId: string;
      readonly arguments: string;
      readonly result: string | undefined;
      readonly failure: Failure | undefined;
    }
  | AgentOperation<"agent">
  | AgentOperation<"plan">
  | { readonly kind: "workflow"; readonly workflow: string; readonly failure: Failure | undefined };

/** An operation of one of the kinds. */
export type OperationOf<K extends Operation["kind"]> = Operation & { readonly kind: K };
