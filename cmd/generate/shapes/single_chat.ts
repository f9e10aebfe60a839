import { callModel } from "../model_call.ts";
import { beginRequest, endRequest, type Shape } from "../scene.ts";
import { chatModel, chatRequest } from "./requests.ts";

/** Shape A: an HTTP request, the chat it makes, the engine that answers. */
export const singleChat: Shape = (scene) => {
  const root = beginRequest(scene, "/chat");
  const { endSeconds, failure } = callModel(scene, root, 0.002, chatRequest(scene, chatModel(scene)));
  endRequest(root, endSeconds + 0.002, failure);
};
