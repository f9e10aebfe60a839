import { runAgent } from "../run_agent.ts";
import { beginRequest, endRequest, type Shape } from "../scene.ts";

const agents = ["order-agent", "coding-agent", "research-agent"] as const;

/** Shape C: a request that an agent works on. */
export const agent: Shape = (scene) => {
  const root = beginRequest(scene, "/agent");
  const { endSeconds, failure } = runAgent(scene, root, 0.002, scene.random.pick(agents), 8);
  endRequest(root, endSeconds + 0.002, failure);
};
