import { callModel } from "../model_call.ts";
import { begin, finish, type Shape } from "../scene.ts";
import { models } from "../services.ts";
import { texts, tokens } from "./requests.ts";

/** Shape E: the notebook's batch: one span above a row of short chats that mostly use up what they may. */
export const batch: Shape = (scene) => {
  const { random } = scene;
  const operation = { kind: "workflow", workflow: "llm.batch.requests", failure: undefined } as const;
  const root = begin(scene, undefined, operation, 0);
  let now = 0.001;
  const count = random.integer(6, 16);
  for (let index = 0; index < count; index++) {
    const wanted = tokens(random, 110, 0.35, 1, 4096);
    const maxTokens = random.pick([50, 100, 120]);
    const inputTokens = tokens(random, 37, 0.3, 4, 512);
    const called = callModel(scene, root, now, {
      kind: "chat",
      model: models.t4,
      stream: false,
      inputTokens,
      cachedTokens: 0,
      outputTokens: Math.min(wanted, maxTokens),
      maxTokens,
      finish: wanted >= maxTokens ? "length" : "stop",
      messageCount: 1,
      input: texts(scene, inputTokens),
    });
    now = called.endSeconds + random.between(0.4, 0.5);
  }
  finish(scene, root, operation, now);
};
