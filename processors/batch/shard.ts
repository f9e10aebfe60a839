import type { Subscriber } from "rxjs";
import { type ClientInfo, ConsumeError, type Delivery, neverAborted } from "../../pipeline/delivery.ts";
import type { ProcessorHost, Timer } from "../../pipeline/host.ts";
import { Cutter, type Logs, type Metrics, type Traces } from "../../pipeline/pdata/index.ts";
import { Debts, type Share } from "./debts.ts";
import type { BatchSettings } from "./index.ts";
import type { BatchMetrics } from "./metrics.ts";

/** What can be joined and cut. */
export type Batchable = Traces | Metrics | Logs;

/** The first wait after a retryable refusal, when the refusal names none; doubled each time, up to the last. */
const firstRetryMs = 500;
const lastRetryMs = 30_000;

/** The longest wait of our own while the stream is ending: a destination that comes back before the deadline is not missed. */
const flushRetryMs = 1_000;

/** Bytes of pieces cut in one go, one piece at least; others run before the next ones are. */
const bytesPerTurn = 1 << 20;

/**
 * Bytes of unanswered batches past which nothing more is cut. Each piece repeats its resource: all pieces of a request at
 * once can be a thousand times the request.
 */
const mostBytesInFlight = 1 << 23;

/** How long to wait before the next piece is cut when the byte budget is used up by others. */
const budgetWaitMs = 100;

/** While a refused batch waits, this many batches' worth of items may collect behind it; more is refused. */
const batchesBehindRefusal = 4;

/** A batch on its way, and who is answered when it has landed. */
interface Piece<T extends Batchable> {
  readonly data: T;
  readonly debts: readonly Share[];
}

/** Collects what has the same metadata, sends it in batches and keeps what is refused for now. */
export class Shard<T extends Batchable> {
  readonly #settings: BatchSettings;
  readonly #host: ProcessorHost;
  readonly #subscriber: Subscriber<Delivery<T>>;
  readonly #metrics: BatchMetrics;
  readonly #client: ClientInfo;
  readonly #onSettled: () => void;
  /** What has collected, not yet cut into batches. */
  readonly #pending = new Cutter<T>();
  /** Batches refused for now, in order. While there are any, nothing else is sent. */
  readonly #refused: Piece<T>[] = [];
  /** Only with a queue on disk behind: else senders are answered at once. */
  readonly #debts: Debts | undefined;
  #inFlight = 0;
  #inFlightBytes = 0;
  #turnBytes = 0;
  /** Set while the next piece waits for its turn. */
  #turnTimer: Timer | undefined;
  #sending = false;
  #retryMs = firstRetryMs;
  #timer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #flushing = false;
  #stopped = false;

  constructor(
    settings: BatchSettings,
    host: ProcessorHost,
    subscriber: Subscriber<Delivery<T>>,
    metrics: BatchMetrics,
    metadata: ReadonlyMap<string, readonly string[]>,
    onSettled: () => void,
  ) {
    this.#settings = settings;
    this.#host = host;
    this.#subscriber = subscriber;
    this.#metrics = metrics;
    this.#client = { address: "", transport: "internal", ...(metadata.size > 0 && { metadata }) };
    this.#onSettled = onSettled;
    this.#debts = host.isDurableBehind ? new Debts(host) : undefined;
  }

  get isEmpty(): boolean {
    return this.#pending.itemCount === 0 && this.#refused.length === 0 && this.#inFlight === 0;
  }

  take(delivery: Delivery<T>): void {
    const { data } = delivery;
    const bound =
      batchesBehindRefusal * Math.max(this.#settings.send_batch_size, this.#settings.send_batch_max_size, 1);
    if (this.#isPushedBack && this.#pending.itemCount + data.itemCount > bound) {
      const error = new ConsumeError("batch is full: what comes next is not taking data", {
        retryable: true,
        delayMs: this.#retryMs,
      });
      this.#host.refuse(delivery, error);
      return;
    }
    this.#host.budget.take(data.memoryBytes);
    this.#pending.add(data);
    if (this.#debts === undefined) delivery.ack();
    else this.#debts.add(delivery);
    this.#sendWhatIsDue();
  }

  /** Sends everything, whatever its size and however long a refused batch was to wait: the stream is ending. */
  flush(): void {
    this.#flushing = true;
    this.#retryRefused();
  }

  /** Counts what is held as dropped; later answers to batches in flight count as well. */
  giveUp(): void {
    this.#stopped = true;
    this.#clearTimer();
    this.#clearRetryTimer();
    this.#clearTurnTimer();
    for (const piece of this.#refused.splice(0)) this.#giveBack(piece);
    const { itemCount, memoryBytes } = this.#pending;
    this.#host.budget.give(memoryBytes);
    this.#pending.clear();
    if (itemCount === 0) return;
    if (this.#debts === undefined) this.#host.drop(itemCount, "shutdown");
    else this.#debts.settle(this.#debts.take(itemCount), shuttingDown());
  }

  get #isImmediate(): boolean {
    return this.#flushing || this.#settings.timeout === 0 || this.#settings.send_batch_size === 0;
  }

  /** Whether what comes next does not take data: it has refused some, or has more unanswered than it should hold. */
  get #isPushedBack(): boolean {
    return this.#refused.length > 0 || (this.#mustCut && this.#inFlightBytes >= mostBytesInFlight);
  }

  get #mustCut(): boolean {
    const { send_batch_max_size: maxItems } = this.#settings;
    return maxItems > 0 && this.#pending.itemCount > maxItems;
  }

  /** Not reentrant: what is answered at once is followed by the loop, not by recursion. */
  #sendWhatIsDue(): void {
    if (this.#sending || this.#turnTimer !== undefined || this.#stopped) return;
    this.#sending = true;
    const threshold = this.#isImmediate ? 1 : this.#settings.send_batch_size;
    let sent = false;
    this.#turnBytes = 0;
    while (this.#pending.itemCount >= threshold && !this.#isPushedBack && this.#hasTurn()) {
      if (!this.#flushing) this.#metrics.sizeTriggered();
      this.#send();
      sent = true;
    }
    this.#sending = false;
    if (sent || this.#isImmediate) this.#clearTimer();
    if (this.#pending.itemCount > 0 && !this.#isImmediate) this.#startTimer();
  }

  /** Whether a further piece may be cut now; if not, its turn will come. */
  #hasTurn(): boolean {
    if (!this.#mustCut) return true;
    const isOver = this.#isOverBudget && !this.#flushing;
    if (this.#turnBytes < bytesPerTurn && !(isOver && this.#turnBytes > 0)) return true;
    this.#turnTimer = this.#host.clock.setTimer(
      () => {
        this.#turnTimer = undefined;
        this.#sendWhatIsDue();
      },
      isOver ? budgetWaitMs : 0,
    );
    return false;
  }

  /** Whether others use up the byte budget: what has collected here is going to leave. */
  get #isOverBudget(): boolean {
    const { usedBytes, limitBytes } = this.#host.budget;
    return usedBytes - this.#pending.memoryBytes > limitBytes;
  }

  #startTimer(): void {
    this.#timer ??= this.#host.clock.setTimer(() => {
      this.#timer = undefined;
      if (this.#pending.itemCount === 0 || this.#isPushedBack) return;
      this.#metrics.timeoutTriggered();
      this.#send();
      if (this.#pending.itemCount > 0) this.#startTimer();
    }, this.#settings.timeout);
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#host.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #clearTurnTimer(): void {
    if (this.#turnTimer !== undefined) this.#host.clock.clearTimer(this.#turnTimer);
    this.#turnTimer = undefined;
  }

  /** Sends one batch: everything that has collected, or the first `send_batch_max_size` items of it. */
  #send(): void {
    const { send_batch_max_size: maxItems } = this.#settings;
    const heldBytes = this.#pending.memoryBytes;
    const data = this.#pending.cut(maxItems > 0 ? { items: maxItems } : {});
    if (data === undefined) return;
    // Pieces repeat resource and scope heads and hold bytes of their own, so the bytes are accounted for anew.
    this.#host.budget.take(data.memoryBytes + this.#pending.memoryBytes - heldBytes);
    this.#turnBytes += data.memoryBytes;
    this.#emit({ data, debts: this.#debts?.take(data.itemCount) ?? [] });
  }

  #emit(piece: Piece<T>): void {
    const { data, debts } = piece;
    this.#inFlight += 1;
    this.#inFlightBytes += data.memoryBytes;
    this.#metrics.sent(data);
    this.#subscriber.next({
      data,
      client: this.#client,
      signal: neverAborted,
      ack: () => {
        this.#landed(data);
        this.#retryMs = firstRetryMs;
        this.#host.budget.give(data.memoryBytes);
        this.#debts?.settle(debts);
        this.#goOn();
      },
      nack: (error) => {
        this.#landed(data);
        if (this.#stopped) this.#giveBack(piece);
        else if (error.retryable) this.#keep(piece, error);
        else this.#discard(piece, error);
      },
    });
  }

  /** A batch has left for good: the next piece may have waited for that, or it was the last. */
  #goOn(): void {
    if (this.#mustCut) this.#sendWhatIsDue();
    this.#onSettled();
  }

  #landed(data: T): void {
    this.#inFlight -= 1;
    this.#inFlightBytes -= data.memoryBytes;
  }

  #keep(piece: Piece<T>, error: ConsumeError): void {
    this.#refused.push(piece);
    if (this.#retryTimer !== undefined) return;
    const ownDelayMs = this.#flushing ? Math.min(this.#retryMs, flushRetryMs) : this.#retryMs;
    const delayMs = Math.max(ownDelayMs, error.delayMs ?? 0);
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
    this.#host.logger.warn(
      { error: error.message, retry_ms: delayMs },
      "Batch was refused for now; will send it again.",
    );
    this.#retryTimer = this.#host.clock.setTimer(() => this.#retryRefused(), delayMs);
  }

  #retryRefused(): void {
    this.#clearRetryTimer();
    for (const refused of this.#refused.splice(0)) this.#emit(refused);
    this.#sendWhatIsDue();
  }

  #clearRetryTimer(): void {
    if (this.#retryTimer !== undefined) this.#host.clock.clearTimer(this.#retryTimer);
    this.#retryTimer = undefined;
  }

  #discard({ data, debts }: Piece<T>, error: ConsumeError): void {
    this.#host.logger.warn({ error: error.message, dropped_items: data.itemCount }, "Sender failed");
    this.#host.drop(data.itemCount, "refused_downstream");
    this.#host.budget.give(data.memoryBytes);
    this.#debts?.settle(debts);
    this.#goOn();
  }

  /** Time is up: senders that were not answered are told to come back; what was answered for is lost. */
  #giveBack({ data, debts }: Piece<T>): void {
    this.#host.budget.give(data.memoryBytes);
    if (this.#debts === undefined) this.#host.drop(data.itemCount, "shutdown");
    else this.#debts.settle(debts, shuttingDown());
  }
}

function shuttingDown(): ConsumeError {
  return new ConsumeError("shutting down", { retryable: true });
}
