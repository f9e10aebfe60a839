import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { parseHostPort } from "../../../pipeline/net/listener.ts";
import type { Problem, RequestHandler, RequestHead, TransportRequest } from "../../../pipeline/net/transport.ts";
import { systemClock } from "../../../pipeline/process/clock.ts";
import { Budget } from "../../../pipeline/process/memory.ts";
import { simulatedHost } from "../../support/simulated_host.ts";

/** Real time and a budget of its own, for servers and clients on loopback. */
export function surroundings(budgetBytes = 1e9, extensions: Record<string, unknown> = {}) {
  const { exclusive, extension, logger, logs } = simulatedHost({ extensions });
  const budget = new Budget(budgetBytes);
  return { clock: systemClock, budget, exclusive, extension, logger, logs, userAgent: "otelpipe/0.0.0-test (test)" };
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
