import { callModel } from "../model_call.ts";
import { begin, beginRequest, endRequest, type Shape } from "../scene.ts";
import { models } from "../services.ts";
import { chatModel, chatRequest, embeddingRequest, tokens } from "./requests.ts";

/** Shape B: the question is embedded, documents are fetched and maybe ranked, then the model answers from them. */
export const rag: Shape = (scene) => {
  const { random } = scene;
  const root = beginRequest(scene, "/ask");
  const embedded = callModel(scene, root, 0.002, embeddingRequest(scene, tokens(random, 30, 0.4, 4, 512)));
  let now = embedded.endSeconds + 0.001;

  const topK = random.integer(5, 20);
  const documents = Array.from({ length: topK }, () => ({
    id: `doc-${random.integer(1, 9999)}`,
    score: Math.round(random.between(0.5, 0.95) * 1000) / 1000,
  })).sort((left, right) => right.score - left.score);
  const retrieval = begin(scene, root, { kind: "retrieval", dataSource: "handbook", topK, documents }, now);
  retrieval.end((now += random.between(0.01, 0.15)));

  if (random.chance(0.5)) {
    const ranking = begin(scene, root, { kind: "rerank", model: models.reranker, topK: 5 }, (now += 0.001), {
      usage: { role: "rerank", model: models.reranker.name, inputTokens: 0, outputTokens: 0 },
    });
    ranking.end((now += random.between(0.03, 0.2)));
  }

  const context = Math.round(random.logNormal(2000, 0.5));
  const { endSeconds, failure } = callModel(scene, root, now + 0.001, chatRequest(scene, chatModel(scene), context));
  endRequest(root, endSeconds + 0.002, failure);
};
