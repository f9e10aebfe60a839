import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import type { GrpcClientSettings } from "../../../pipeline/net/client_settings.ts";
import { GrpcClient } from "../../../pipeline/net/grpc/client.ts";
import { grpcJsGate } from "../../../pipeline/net/grpc/open.ts";
import { GrpcServer } from "../../../pipeline/net/grpc/server.ts";
import { GrpcJsClient } from "../../../pipeline/net/grpc_js_client.ts";
import { GrpcJsServer } from "../../../pipeline/net/grpc_js_server.ts";
import { otlpServices } from "../../../pipeline/net/grpc_services.ts";
import { parseHostPort } from "../../../pipeline/net/listener.ts";
import { exportPath } from "../../../pipeline/net/otlp_paths.ts";
import type { GrpcServerSettings } from "../../../pipeline/net/settings.ts";
import type {
  ClientSurroundings,
  Problem,
  RequestHandler,
  RequestHead,
  RpcAnswer,
  RpcClient,
  ServerSurroundings,
  TransportRequest,
  TransportServer,
} from "../../../pipeline/net/transport.ts";
import type { Signal } from "../../../pipeline/pdata/index.ts";
import { systemClock } from "../../../pipeline/process/clock.ts";
import { Budget } from "../../../pipeline/process/memory.ts";
import { simulatedHost } from "../../support/simulated_host.ts";

/** Which code speaks gRPC: that of the engine whose tests run. */
let engineGates: readonly string[] = [];

/** Runs the tests that `define` defines with otelpipe's own code for gRPC, and again with `@grpc/grpc-js`. */
export function forEachGrpcEngine(define: () => void): void {
  for (const [name, gates] of [
    ["own", []],
    ["@grpc/grpc-js", [grpcJsGate]],
  ] as const) {
    describe(`gRPC by ${name}`, () => {
      before(() => void (engineGates = gates));
      after(() => void (engineGates = []));
      define();
    });
  }
}

/** The gates of the engine whose tests run. */
export function grpcEngineGates(): readonly string[] {
  return engineGates;
}

/** Whether `@grpc/grpc-js` speaks gRPC now. */
export function isGrpcJs(): boolean {
  return engineGates.includes(grpcJsGate);
}

export function makeGrpcServer(
  settings: GrpcServerSettings,
  signals: readonly Signal[],
  handler: RequestHandler<RpcAnswer>,
  around: ServerSurroundings,
): TransportServer {
  if (isGrpcJs()) return new GrpcJsServer(settings, otlpServices(signals), handler, around);
  return new GrpcServer(settings, signals.map(exportPath), handler, around);
}

export function makeGrpcClient(settings: GrpcClientSettings, around: ClientSurroundings): RpcClient {
  return isGrpcJs() ? new GrpcJsClient(settings, around) : new GrpcClient(settings, around);
}

/** Real time and a budget of its own, for servers and clients on loopback. */
export function surroundings(budgetBytes = 1e9, extensions: Record<string, unknown> = {}) {
  const { exclusive, extension, logger, logs, gates } = simulatedHost({ extensions, gates: engineGates });
  const budget = new Budget(budgetBytes);
  const clock = systemClock;
  return { clock, budget, exclusive, extension, logger, logs, gates, userAgent: "otelpipe/0.0.0-test (test)" };
}

export const testdata = (name: string) => join(import.meta.dirname, "testdata", name);
export const testdataText = (name: string) => readFileSync(testdata(name), "utf8");

/** A handler that writes down what it gets and answers with what `reply` gives. */
export class RecordingHandler<A> implements RequestHandler<A> {
  readonly requests: TransportRequest[] = [];
  readonly problems: Problem[] = [];
  readonly #reply: (request: TransportRequest, answer: (answer: A) => void) => void;
  readonly #refusal: (problem: Problem) => A;
  judge: (head: RequestHead) => A | undefined = () => undefined;

  constructor(
    reply: (request: TransportRequest, answer: (answer: A) => void) => void,
    refusal: (problem: Problem) => A,
  ) {
    this.#reply = reply;
    this.#refusal = refusal;
  }

  reject(_head: RequestHead, problem: Problem): A {
    this.problems.push(problem);
    return this.#refusal(problem);
  }

  handle(request: TransportRequest, answer: (answer: A) => void): void {
    this.requests.push(request);
    this.#reply(request, answer);
  }
}

/** A raw connection: writes bytes, collects what comes back until the other side closes. */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<string>;
  readonly errors: Error[] = [];
  #text = "";
  #wake: () => void = () => {};

  constructor(address: string) {
    this.socket = connect(parseHostPort(address));
    this.socket.on("error", (error) => void this.errors.push(error)); // a reset is a way of being closed
    this.socket.on("data", (part) => {
      this.#text += part.toString("latin1");
      this.#wake();
    });
    this.closed = new Promise((resolve) => this.socket.once("close", () => resolve(this.#text)));
  }

  write(bytes: string | Buffer): this {
    this.socket.write(bytes);
    return this;
  }

  /** What came back once it contains `text`. */
  async until(text: string): Promise<string> {
    while (!this.#text.includes(text)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#text;
  }
}
