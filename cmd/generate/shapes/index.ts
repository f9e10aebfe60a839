import type { Shape } from "../scene.ts";
import { agent } from "./agent.ts";
import { batch } from "./batch.ts";
import { embeddingsJob } from "./embeddings_job.ts";
import { multiAgent } from "./multi_agent.ts";
import { noise } from "./noise.ts";
import { rag } from "./rag.ts";
import { singleChat } from "./single_chat.ts";

/** How often each shape comes, in percent of the traces. */
export const shapeShares = {
  single_chat: 45,
  rag: 20,
  agent: 15,
  multi_agent: 4,
  batch: 6,
  embeddings_job: 5,
  noise: 5,
} as const;

export type ShapeName = keyof typeof shapeShares;

export const shapes: Readonly<Record<ShapeName, Shape>> = {
  single_chat: singleChat,
  rag,
  agent,
  multi_agent: multiAgent,
  batch,
  embeddings_job: embeddingsJob,
  noise,
};
