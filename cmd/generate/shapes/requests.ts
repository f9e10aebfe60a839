import { message } from "../content.ts";
import type { Message } from "../operations.ts";
import type { Random } from "../random.ts";
import type { Scene } from "../scene.ts";
import { type Model, models } from "../services.ts";
import type { ModelRequest } from "../simulate_call.ts";

/** Draws a count of tokens. */
export function tokens(random: Random, median: number, sigma: number, least: number, most: number): number {
  return Math.round(Math.min(most, Math.max(least, random.logNormal(median, sigma))));
}

/** The model an application chats with: the notebook's worker has one, the others mix their own and remote ones. */
export function chatModel({ random, dialect }: Scene): Model {
  if (dialect.name === "llamatelemetry") return models.t4Named;
  return models[random.weighted({ small: 40, large: 35, frontier: 25 })];
}

/** A chat with `extraTokens` of context beside the question and what was said before. */
export function chatRequest(scene: Scene, model: Model, extraTokens = 0): ModelRequest {
  const { random, conversation } = scene;
  const question = tokens(random, 1020, 1, 16, 32_768);
  const inputTokens = question + extraTokens + conversation.historyTokens;
  return {
    kind: "chat",
    model,
    stream: random.chance(0.6),
    inputTokens,
    cachedTokens: Math.min(conversation.historyTokens, inputTokens),
    outputTokens: tokens(random, 129, 1, 1, 4096),
    maxTokens: 4096,
    finish: "stop",
    messageCount: 2 * conversation.turn,
    input: texts(scene, inputTokens),
  };
}

/** The prompt where content is captured: the system's and the user's part. */
export function texts(scene: Scene, inputTokens: number): Message[] {
  const { random, content } = scene;
  if (content === "none") return [];
  const characters = content === "whole" ? inputTokens * 4 : Math.min(inputTokens * 4, 160);
  return [
    message(random, "system", Math.ceil(characters / 4)),
    message(random, "user", Math.ceil((characters * 3) / 4)),
  ];
}

export function embeddingRequest(scene: Scene, inputTokens: number): ModelRequest {
  return {
    kind: "embeddings",
    model: models.embedding,
    stream: false,
    inputTokens,
    cachedTokens: 0,
    outputTokens: 0,
    maxTokens: 0,
    finish: "stop",
    messageCount: 1,
    input: texts(scene, inputTokens).slice(1),
  };
}
