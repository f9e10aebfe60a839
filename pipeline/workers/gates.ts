import type { Exporter, Receiver } from "../component.ts";
import { untilDeadline } from "../deadline.ts";
import { type ClientInfo, ConsumeError, type Delivery } from "../delivery.ts";
import { shuttingDown } from "../graph/intake.ts";
import type { Clock, ExporterHost, Outlet, Outlets } from "../host.ts";
import { copiesOf, fromParts, memoryOfParts, type Parts, type Pdata, type Signal } from "../pdata/index.ts";
import type { SpanContext } from "../telemetry/tracing/span_context.ts";
import { contextOf, type Tracing } from "../telemetry/tracing/tracing.ts";

/** The id of the gate in front of the processor at `cut` of a pipeline. No component can be configured under such an id. */
export function gateId(pipelineId: string, cut: number): string {
  return `(workers)/${pipelineId}/${cut}`;
}

/** Whether a component's id is that of a gate. */
export function isGate(id: string | undefined): boolean {
  return id?.startsWith("(workers)/") === true;
}

/** A batch on its way from a worker to the main thread. */
export interface Passage {
  readonly kind: "passage";
  /** Of the sender; its answer says the same. */
  readonly number: number;
  readonly gate: string;
  readonly signal: Signal;
  readonly parts: readonly Parts[];
  readonly client: Omit<ClientInfo, "trace">;
  /** The own span that it is a part of, where those are recorded. */
  readonly trace?: SpanContext;
}

/** What became of a passage. */
export interface PassageAnswer {
  readonly number: number;
  readonly error?: PortableError;
}

export type PortableError = Pick<ConsumeError, "message" | "retryable" | "delayMs" | "grpcStatus">;

/** What the sender of a passage is told that is not answered yet: to say when its caller has gone, or that it may take long. */
export interface PassageNote {
  readonly kind: "watch" | "may_wait";
  readonly number: number;
}

/** Nobody waits for the answer to a passage any more. */
export interface CallerGone {
  readonly kind: "gone";
  readonly number: number;
}

interface OpenPassage {
  readonly delivery: Delivery;
  readonly host: ExporterHost;
  readonly done: () => void;
  /** Says that nobody waits any more, once that was asked for. */
  gone?: () => void;
}

/** The worker's side of all gates: sends batches and passes the answers on. */
export class Departures {
  readonly #post: (message: Passage | CallerGone, memory: ArrayBuffer[]) => void;
  readonly #clock: Clock;
  readonly #open = new Map<number, OpenPassage>();
  #last = 0;

  constructor(post: (message: Passage | CallerGone, memory: ArrayBuffer[]) => void, clock: Clock) {
    this.#post = post;
    this.#clock = clock;
  }

  /** The exporter that a gate is in a worker. `isDurable` says whether what is behind it keeps on disk what it acks. */
  gate(gate: string, host: ExporterHost, isDurable: boolean): Exporter {
    let open = 0;
    let emptied = () => {};
    const done = () => {
      open -= 1;
      if (open === 0) emptied();
    };
    return {
      isDurable,
      consume: (delivery) => {
        open += 1;
        this.#send(gate, delivery, host, done);
      },
      drain: async (deadlineMs) => {
        if (open === 0) return;
        await untilDeadline(this.#clock, deadlineMs, new Promise<void>((resolve) => (emptied = resolve)));
      },
    };
  }

  #send(gate: string, delivery: Delivery, host: ExporterHost, done: () => void): void {
    this.#last += 1;
    const number = this.#last;
    const { address, transport, metadata, auth, trace } = delivery.client;
    const context = trace && contextOf(trace);
    const client = { address, transport, ...(metadata && { metadata }), ...(auth && { auth }) };
    const parts = copiesOf(delivery.data);
    this.#open.set(number, { delivery, host, done });
    const { signal } = delivery.data;
    const passage = { number, gate, signal, parts, client, ...(context && { trace: context }) };
    this.#post({ kind: "passage", ...passage }, parts.flatMap(memoryOfParts));
  }

  answered({ number, error }: PassageAnswer): void {
    const passage = this.#open.get(number);
    if (passage === undefined) return;
    this.#open.delete(number);
    const { delivery, host, done, gone } = passage;
    if (gone !== undefined) delivery.signal.removeEventListener("abort", gone);
    if (error === undefined) {
      host.sent(delivery.data.itemCount);
      delivery.ack();
    } else delivery.nack(new ConsumeError(error.message, settingsOf(error)));
    done();
  }

  noted({ kind, number }: PassageNote): void {
    const passage = this.#open.get(number);
    if (kind === "may_wait") passage?.delivery.mayWait?.();
    if (kind !== "watch" || passage === undefined) return;
    const { signal } = passage.delivery;
    passage.gone = () => this.#post({ kind: "gone", number }, []);
    if (signal.aborted) passage.gone();
    else signal.addEventListener("abort", passage.gone, { once: true });
  }
}

function settingsOf({ retryable, delayMs, grpcStatus }: PortableError) {
  return {
    retryable,
    ...(delayMs !== undefined && { delayMs }),
    ...(grpcStatus !== undefined && { grpcStatus }),
  };
}

/** The main thread's side of all gates: where batches of workers come in. */
export class Arrivals {
  readonly #outlets = new Map<string, Outlets>();

  /** The receiver that a gate is in the main thread. */
  gate(gate: string, outlets: Outlets): Receiver {
    return {
      start: async () => void this.#outlets.set(gate, outlets),
      stop: async () => void this.#outlets.delete(gate),
    };
  }

  outlet(gate: string, signal: Signal): Outlet | undefined {
    return this.#outlets.get(gate)?.[signal] as Outlet | undefined;
  }
}

type ToSender = PassageNote | { readonly kind: "answers"; readonly answers: readonly PassageAnswer[] };

/** The unanswered passages of one worker. */
export class Visitors {
  readonly #arrivals: Arrivals;
  readonly #post: (message: ToSender) => void;
  readonly #tracing: Tracing | undefined;
  readonly #callers = new Map<number, AbortController>();
  #answers: PassageAnswer[] = [];

  constructor(arrivals: Arrivals, post: (message: ToSender) => void, tracing?: Tracing) {
    this.#arrivals = arrivals;
    this.#post = post;
    this.#tracing = tracing;
  }

  arrived({ number, gate, signal, parts, client, trace }: Passage): void {
    const outlet = this.#arrivals.outlet(gate, signal);
    const answer = (error?: ConsumeError) => this.#answer(number, error);
    if (outlet === undefined) {
      answer(shuttingDown());
      return;
    }
    const data: Pdata = fromParts(signal, ...parts);
    const watch = () => this.#watch(number);
    const caller = {
      client: trace === undefined ? client : { ...client, trace: this.#tracing?.far(trace) },
      get signal() {
        return watch();
      },
      mayWait: () => this.#post({ kind: "may_wait", number }),
    };
    outlet.offer(data, caller, answer);
  }

  gone(number: number): void {
    this.#callers.get(number)?.abort();
  }

  /** The worker is no more, and with it everybody who waited. */
  allGone(): void {
    for (const caller of this.#callers.values()) caller.abort();
    this.#callers.clear();
  }

  /** Its sender is asked to say when the caller goes away, once somebody here wants to know. */
  #watch(number: number): AbortSignal {
    let caller = this.#callers.get(number);
    if (caller === undefined) {
      caller = new AbortController();
      this.#callers.set(number, caller);
      this.#post({ kind: "watch", number });
    }
    return caller.signal;
  }

  /** Answers of one turn travel together. */
  #answer(number: number, error?: ConsumeError): void {
    this.#callers.delete(number);
    if (this.#answers.length === 0) setImmediate(() => this.#flush());
    this.#answers.push(error === undefined ? { number } : { number, error: portable(error) });
  }

  #flush(): void {
    const answers = this.#answers;
    this.#answers = [];
    this.#post({ kind: "answers", answers });
  }
}

function portable({ message, retryable, delayMs, grpcStatus }: ConsumeError): PortableError {
  return { message, retryable, delayMs, grpcStatus };
}
