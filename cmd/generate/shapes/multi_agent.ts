import { callModel } from "../model_call.ts";
import { type AgentRun, runAgent } from "../run_agent.ts";
import { begin, finish, type Scene, type Shape } from "../scene.ts";
import type { Span } from "../span.ts";
import { chatModel, chatRequest } from "./requests.ts";

const agents = ["researcher", "writer", "critic", "coder", "publisher"] as const;

/** Shape D: a workflow that plans and then hands the work to several agents, one after the other or side by side. */
export const multiAgent: Shape = (scene) => {
  const { random } = scene;
  const describe = (failure: AgentRun["failure"]) =>
    ({ kind: "workflow", workflow: "answer-ticket", failure }) as const;
  const root = begin(scene, undefined, describe(undefined), 0);
  const planned = plan(scene, root);
  let { failure, endSeconds: now } = planned;
  const names = random.shuffle([...agents]).slice(0, random.integer(2, 5));
  let previous: Span = planned.span;
  for (let index = 0; index < names.length && failure === undefined; ) {
    const together = random.chance(0.4) ? 2 : 1;
    const runs = names.slice(index, index + together).map((name) => runAgent(scene, root, now + 0.001, name, 3));
    for (const { span } of runs) span.links.push(previous);
    previous = runs[0]?.span ?? previous;
    failure = runs.find((run) => run.failure !== undefined)?.failure;
    now = Math.max(...runs.map((run) => run.endSeconds));
    index += together;
  }
  finish(scene, root, describe(failure), now + 0.002);
};

/** The model lays out what is to be done. */
function plan(scene: Scene, root: Span): Pick<AgentRun, "endSeconds" | "failure" | "span"> {
  const describe = (failure: AgentRun["failure"]) =>
    ({ kind: "plan", agent: "planner", conversationId: scene.conversation.id, total: undefined, failure }) as const;
  const span = begin(scene, root, describe(undefined), 0.001);
  const called = callModel(scene, span, 0.002, chatRequest(scene, chatModel(scene)));
  const endSeconds = called.endSeconds + 0.001;
  finish(scene, span, describe(called.failure), endSeconds);
  return { endSeconds, failure: called.failure, span };
}
