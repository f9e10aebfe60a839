import type { Conversation } from "./conversation.ts";
import type { Dialect } from "./dialects/dialect.ts";
import type { Failure, Operation } from "./operations.ts";
import type { Random } from "./random.ts";
import type { Scope, Service } from "./services.ts";
import type { GeneratorSettings } from "./settings.ts";
import { type Span, type SpanFacts, spanKind, spanStatus, type Trace } from "./span.ts";

/** All that a shape needs to lay out one trace. */
export interface Scene {
  readonly settings: GeneratorSettings;
  readonly random: Random;
  readonly trace: Trace;
  readonly dialect: Dialect;
  readonly app: Service;
  /** When the trace comes, in seconds of the run. */
  readonly arrivalSeconds: number;
  readonly conversation: Conversation;
  readonly content: "none" | "short" | "whole";
}

/** Lays out one trace whose first span starts at 0. */
export type Shape = (scene: Scene) => void;

const httpScope: Scope = { name: "opentelemetry.instrumentation.http", version: "0.58b0" };

/** A span of the application in its dialect. */
export function begin(
  scene: Scene,
  parent: Span | undefined,
  operation: Operation,
  atSeconds: number,
  facts: Partial<SpanFacts> = {},
): Span {
  const { trace, dialect, app } = scene;
  const origin = { service: app, scope: dialect.scope };
  return trace.start(parent, origin, dialect.write(operation), atSeconds, { operation: operation.kind, ...facts });
}

/** Ends a span that was begun before its outcome was known: it is written once more, as it came out. */
export function finish(scene: Scene, span: Span, operation: Operation, atSeconds: number): void {
  span.text = scene.dialect.write(operation);
  span.end(atSeconds);
}

/** The HTTP request that a trace begins with. */
export function beginRequest(scene: Scene, route: string, service: Service = scene.app): Span {
  return scene.trace.start(
    undefined,
    { service, scope: httpScope },
    {
      name: `POST ${route}`,
      kind: spanKind.server,
      attributes: {
        "http.request.method": "POST",
        "http.route": route,
        "url.path": route,
        "url.scheme": "https",
        "network.protocol.version": "1.1",
      },
    },
    0,
    { operation: "http" },
  );
}

/** Answers it: 200, or 500 with the failure's class. */
export function endRequest(span: Span, atSeconds: number, failure: Failure | undefined): void {
  span.amend({
    attributes: {
      "http.response.status_code": failure === undefined ? 200 : 500,
      "error.type": failure === undefined ? undefined : "500",
    },
    ...(failure !== undefined && { status: spanStatus.error }),
  });
  span.end(atSeconds);
}
