import type { Failure, Operation } from "./operations.ts";
import type { Random } from "./random.ts";
import { begin, finish, type Scene } from "./scene.ts";
import { type Scope, toolServer } from "./services.ts";
import { type Span, spanKind, spanStatus } from "./span.ts";

const tools = {
  search_web: (random: Random) => ({ query: `topic ${random.integer(1, 500)}`, limit: random.integer(3, 10) }),
  read_file: (random: Random) => ({ path: `src/module_${random.integer(1, 200)}.py` }),
  query_orders: (random: Random) => ({ customer: random.integer(1000, 9999), status: random.pick(["open", "late"]) }),
  run_tests: (random: Random) => ({ package: `package_${random.integer(1, 40)}` }),
  send_mail: (random: Random) => ({ template: random.pick(["apology", "reminder", "offer"]) }),
} as const;

/** A tool and what it is called with. */
export interface ToolUse {
  readonly tool: string;
  /** JSON. */
  readonly arguments: string;
}

export function drawTool(random: Random): ToolUse {
  const tool = random.pick(Object.keys(tools) as (keyof typeof tools)[]);
  return { tool, arguments: JSON.stringify(tools[tool](random)) };
}

/** Most tools are fast, some take seconds, a few take minutes. */
function toolSeconds(random: Random): number {
  const class_ = random.weighted({ fast: 70, medium: 25, slow: 5 });
  if (class_ === "fast") return Math.min(30, random.logNormal(0.06, 1.2));
  if (class_ === "medium") return Math.min(60, random.logNormal(2, 0.6));
  return Math.min(300, random.pareto(25, 1.5));
}

const toolFailure: Failure = {
  type: "tool_error",
  message: "The tool answered with an error.",
  exception: "langchain_core.tools.ToolException",
};

const mcpShare = 0.12;
const mcpScope: Scope = { name: "opentelemetry.instrumentation.mcp", version: "0.47.3" };

/** Whether a tool does what it should; when not, whether its agent tries something else. */
export type ToolOutcome = "well" | "handled" | "fatal";

/** Executes a tool, now and then over MCP. Returns when it is done. */
export function executeTool(scene: Scene, parent: Span, atSeconds: number, use: ToolUse, outcome: ToolOutcome): number {
  const { random } = scene;
  const fails = outcome !== "well";
  const endSeconds = atSeconds + toolSeconds(random) + 0.004;
  const operation: Operation = {
    kind: "tool",
    tool: use.tool,
    callId: `call_${random.hex(16)}`,
    arguments: use.arguments,
    result: fails ? undefined : JSON.stringify({ ok: true, rows: random.integer(0, 40) }),
    failure: fails ? toolFailure : undefined,
  };
  const failure = fails ? toolFailure.type : undefined;
  const span = begin(scene, parent, operation, atSeconds, {
    tool: { name: use.tool, handled: outcome === "handled" },
    failure,
  });
  if (random.chance(mcpShare)) traceMcp(scene, span, use.tool, atSeconds, endSeconds, fails);
  finish(scene, span, operation, endSeconds);
  return endSeconds;
}

/** The two sides of a tool call over the Model Context Protocol. */
function traceMcp(
  { trace, app, random }: Scene,
  parent: Span,
  tool: string,
  startSeconds: number,
  endSeconds: number,
  fails: boolean,
): void {
  const attributes = {
    "mcp.method.name": "tools/call",
    "mcp.session.id": random.hex(32),
    "mcp.protocol.version": "2025-06-18",
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": tool,
    "jsonrpc.request.id": String(random.integer(1, 999)),
    "network.transport": "tcp",
    ...(fails && { "error.type": "-32603", "rpc.response.status_code": "-32603" }),
  };
  const status = fails ? { status: spanStatus.error, statusMessage: "Internal error" } : {};
  const facts = { operation: "mcp", failure: fails ? "tool_error" : undefined };
  const name = `tools/call ${tool}`;
  const client = trace.start(
    parent,
    { service: app, scope: mcpScope },
    { name, kind: spanKind.client, attributes, ...status },
    startSeconds + 0.0005,
    { ...facts },
  );
  client.end(endSeconds - 0.0005);
  const server = trace.start(
    client,
    { service: toolServer, scope: mcpScope },
    { name, kind: spanKind.server, attributes, ...status },
    startSeconds + 0.001,
    { ...facts },
  );
  server.end(endSeconds - 0.001);
}
