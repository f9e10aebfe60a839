import { callModel } from "../model_call.ts";
import { begin, finish, type Shape } from "../scene.ts";
import { embeddingRequest, tokens } from "./requests.ts";

/** Shape F: an index is built, one call of the embedding model after the other. */
export const embeddingsJob: Shape = (scene) => {
  const { random } = scene;
  const operation = { kind: "workflow", workflow: "index-documents", failure: undefined } as const;
  const root = begin(scene, undefined, operation, 0);
  let now = 0.001;
  for (let left = random.integer(10, 200); left > 0; left--) {
    now = callModel(scene, root, now, embeddingRequest(scene, tokens(random, 400, 0.5, 16, 8192))).endSeconds + 0.002;
  }
  finish(scene, root, operation, now);
};
