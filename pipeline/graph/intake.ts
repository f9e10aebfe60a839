import { type ClientInfo, ConsumeError, type Delivery, neverAborted } from "../delivery.ts";
import type { ByteBudget, Caller, Clock, Logger, Outlet } from "../host.ts";
import type { Pdata } from "../pdata/index.ts";
import type { ReceiverMeter } from "../telemetry/item_metrics.ts";
import type { TraceSpan } from "../tracing.ts";
import type { NodeBooks } from "./books.ts";
import { fanOut, type Inlet } from "./fan_out.ts";
import type { ReceiverSpans } from "./receiver_spans.ts";

/** When a refused sender should come back. */
const comeBackMs = 1000;

/**
 * A delivery that nobody answered within this time is a bug: its sender is told to come back, and it is logged. Not one
 * that is held by a setting (`block_on_overflow`, `wait_for_result`, retries without a queue): those wait for their caller.
 */
const answerWithinMs = 5 * 60_000;
const sweepEveryMs = 10_000;

export interface LedgerOptions {
  readonly budget: ByteBudget;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** All deliveries that have come in and are not answered yet. */
export class Ledger {
  readonly budget: ByteBudget;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Oldest first. */
  readonly #open = new Set<RootDelivery>();
  /** Those of them that a setting lets wait for as long as it takes. */
  readonly #waiting = new Set<RootDelivery>();
  #sweep: object | undefined;
  #closed = false;
  /** Answers that came twice, and deliveries that were never answered: both are bugs. */
  faults = 0;

  constructor({ budget, clock, logger }: LedgerOptions) {
    this.budget = budget;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Whether new deliveries are still let in. */
  get closed(): boolean {
    return this.#closed;
  }

  get unanswered(): number {
    return this.#open.size;
  }

  close(): void {
    this.#closed = true;
  }

  enter(delivery: RootDelivery): void {
    this.#open.add(delivery);
    this.#sweep ??= this.#clock.setTimer(() => this.#sweepOld(), sweepEveryMs);
  }

  /** Never calls `delivery` overdue; it still has to be answered. */
  letWait(delivery: RootDelivery): void {
    if (this.#open.has(delivery)) this.#waiting.add(delivery);
  }

  leave(delivery: RootDelivery): void {
    this.#waiting.delete(delivery);
    this.#open.delete(delivery);
    if (this.#open.size === this.#waiting.size) this.#stopSweep();
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  secondAnswer(where: string): void {
    this.faults += 1;
    this.#logger.error({ where }, "A delivery was answered twice; this is a bug in otelpipe.");
  }

  /**
   * Answers what is left when the time to drain has run out. Its senders are told to come back. The newest first: one that
   * a connector has passed on is answered by the answer of the one behind it.
   */
  refuseRest(): number {
    let refused = 0;
    for (const delivery of [...this.#open].reverse()) {
      if (!this.#open.has(delivery)) continue;
      delivery.nack(shuttingDown());
      refused += 1;
    }
    this.#stopSweep();
    return refused;
  }

  #sweepOld(): void {
    this.#sweep = undefined;
    for (const delivery of this.#open) {
      if (this.#waiting.has(delivery)) continue;
      if (this.nowMs() - delivery.enteredMs < answerWithinMs) break;
      this.faults += 1;
      this.#logger.error({ where: delivery.where }, "A delivery was not answered in time; this is a bug in otelpipe.");
      delivery.nack(new ConsumeError("not answered in time", { retryable: true, delayMs: comeBackMs }));
    }
    if (this.#open.size > this.#waiting.size) this.#sweep = this.#clock.setTimer(() => this.#sweepOld(), sweepEveryMs);
  }

  #stopSweep(): void {
    if (this.#sweep !== undefined) this.#clock.clearTimer(this.#sweep);
    this.#sweep = undefined;
  }
}

export function shuttingDown(): ConsumeError {
  return new ConsumeError("shutting down", { retryable: true, delayMs: comeBackMs });
}

/** Where deliveries come to that have come too late: their senders are told to come back. */
export const nowhere: Inlet = { take: (delivery) => delivery.nack(shuttingDown()) };

/** Where a receiver's data enters the graph: admission by bytes, books, one answer. */
export class Intake<T extends Pdata> implements Outlet<T> {
  /** Where the next delivery goes. */
  inlets: readonly Inlet<T>[] = [nowhere];
  readonly #where: string;
  readonly #books: NodeBooks;
  readonly #ledger: Ledger;
  readonly #meter: ReceiverMeter;
  readonly #spans: ReceiverSpans | undefined;

  constructor(where: string, books: NodeBooks, ledger: Ledger, meter: ReceiverMeter, spans?: ReceiverSpans) {
    this.#spans = spans;
    this.#where = where;
    this.#books = books;
    this.#ledger = ledger;
    this.#meter = meter;
  }

  offer(data: T, caller: Caller, answer: (error?: ConsumeError) => void): void {
    const items = data.itemCount;
    this.#books.in += items;
    const refusal = this.#admit(data.memoryBytes);
    const { transport } = caller.client;
    const span = this.#spans?.start(caller.client);
    if (refusal !== undefined) {
      this.#books.refused += items;
      this.#meter.settled(transport, items, false);
      if (span !== undefined) this.#spans?.end(span, items, refusal);
      answer(refusal);
      return;
    }
    const traced = span === undefined ? caller : insideSpan(caller, span);
    const root = new RootDelivery(data, traced, this.#where, this.#ledger, (error) => {
      if (span !== undefined) this.#spans?.end(span, items, error);
      this.#ledger.budget.give(data.memoryBytes);
      if (error === undefined) this.#books.out += items;
      else this.#books.refused += items;
      this.#meter.settled(transport, items, error === undefined);
      answer(error);
    });
    fanOut(root as Delivery as Delivery<T>, this.inlets, () => this.#ledger.secondAnswer(this.#where));
  }

  #admit(memoryBytes: number): ConsumeError | undefined {
    if (this.#ledger.closed) return shuttingDown();
    if (this.#ledger.budget.tryTake(memoryBytes)) return undefined;
    const { usedBytes, limitBytes } = this.#ledger.budget;
    return new ConsumeError(`memory budget is used up: ${usedBytes} of ${limitBytes} bytes are unanswered or queued`, {
      retryable: true,
      delayMs: comeBackMs,
    });
  }
}

/** A caller whose data is received inside `span`. Its signal is made when somebody asks for it, as before. */
function insideSpan(caller: Caller, span: TraceSpan): Caller {
  const client = { ...caller.client, trace: span };
  return {
    client,
    get signal(): AbortSignal {
      return caller.signal ?? neverAborted;
    },
    mayWait: () => caller.mayWait?.(),
  };
}

/** Where a connector's data enters its pipelines. It is inside already, so it is never refused for lack of budget. */
export class ConnectorIntake<T extends Pdata> implements Outlet<T> {
  /** Where the next delivery goes. */
  inlets: readonly Inlet<T>[] = [nowhere];
  readonly #where: string;
  readonly #ledger: Ledger;

  constructor(where: string, ledger: Ledger) {
    this.#where = where;
    this.#ledger = ledger;
  }

  offer(data: T, caller: Caller, answer: (error?: ConsumeError) => void): void {
    const memoryBytes = caller.data === data ? 0 : data.memoryBytes;
    this.#ledger.budget.take(memoryBytes);
    const root = new RootDelivery(data, caller, this.#where, this.#ledger, (error) => {
      this.#ledger.budget.give(memoryBytes);
      answer(error);
    });
    fanOut(root as Delivery as Delivery<T>, this.inlets, () => this.#ledger.secondAnswer(this.#where));
  }
}

class RootDelivery implements Delivery {
  readonly data: Pdata;
  readonly where: string;
  readonly enteredMs: number;
  readonly #caller: Caller;
  readonly #ledger: Ledger;
  readonly #settle: (error?: ConsumeError) => void;
  #answered = false;

  constructor(data: Pdata, caller: Caller, where: string, ledger: Ledger, settle: (error?: ConsumeError) => void) {
    this.data = data;
    this.where = where;
    this.#caller = caller;
    this.#ledger = ledger;
    this.#settle = settle;
    this.enteredMs = ledger.nowMs();
    ledger.enter(this);
  }

  get client(): ClientInfo {
    return this.#caller.client;
  }

  /** Transports make it when first asked for, which costs as much as a small batch. */
  get signal(): AbortSignal {
    return this.#caller.signal ?? neverAborted;
  }

  mayWait(): void {
    this.#ledger.letWait(this);
    this.#caller.mayWait?.();
  }

  ack(): void {
    this.#answer();
  }

  nack(error: ConsumeError): void {
    this.#answer(error);
  }

  #answer(error?: ConsumeError): void {
    if (this.#answered) {
      this.#ledger.secondAnswer(this.where);
      return;
    }
    this.#answered = true;
    this.#ledger.leave(this);
    this.#settle(error);
  }
}
