import type { Exporter, Lifecycle } from "../component.ts";
import { ConsumeError, type Delivery } from "../delivery.ts";
import type { ExporterHost, Timer } from "../host.ts";
import type { Pdata } from "../pdata/index.ts";
import { type Batch, Batcher, type BatcherSettings, Pieces, type Tracked } from "./batcher.ts";
import type { DurableQueue } from "./durable_queue.ts";
import { endExport, startEnqueue, startExport } from "./export_span.ts";
import { Fifo } from "./fifo.ts";
import { exporterMeters } from "./meters.ts";
import { type Joiner, Partitions } from "./partitions.ts";
import { MemoryQueue, type SendingQueue, sizeOf } from "./queue.ts";
import { RejectionLog } from "./rejection_log.ts";
import { type Failure, type Push, Sender, type SenderSettings } from "./sender.ts";
import type { QueueSettings } from "./settings.ts";

/** What of an exporter's configuration decides how it delivers. */
export interface DeliverySettings extends SenderSettings {
  /** Undefined when the queue is off. */
  readonly sending_queue: QueueSettings | undefined;
}

/**
 * An exporter out of a function that sends a batch once: with the queue, the retries, the timeout, the books and the log
 * lines of the Collector's. `lifecycle` starts and stops what the function needs.
 */
export function queuedExporter<T extends Pdata>(
  settings: DeliverySettings,
  host: ExporterHost,
  push: Push<T>,
  lifecycle: Lifecycle = {},
): Exporter<T> {
  const sender = new Sender(settings, host, push);
  const { sending_queue } = settings;
  if (sending_queue === undefined) return new DirectExporter(sender, lifecycle);
  return new QueuedExporter(sender, sending_queue, new MemoryQueue<T>(sending_queue, host.budget), lifecycle);
}

/** Bytes of pieces cut in one go, one piece at least; others run before the next ones are. */
const bytesPerTurn = 1 << 20;

const noRetryHint = " Try enabling retry_on_failure config option to retry on retryable errors.";
const diskHint = " With max_elapsed_time: 0 in retry_on_failure it would stay on disk until it can be sent.";
const noQueueHint = " Try enabling sending_queue to survive temporary failures.";

/** Without a queue: whoever delivers waits for the result, and has it. */
class DirectExporter<T extends Pdata> implements Exporter<T> {
  readonly #sender: Sender<T>;
  readonly #lifecycle: Lifecycle;
  readonly #idle = new Idle();
  readonly #rejections: RejectionLog;
  #active = 0;

  constructor(sender: Sender<T>, lifecycle: Lifecycle) {
    this.#sender = sender;
    this.#lifecycle = lifecycle;
    this.#rejections = new RejectionLog(sender.host, noQueueHint);
    exporterMeters(sender.host).inFlight(() => this.#active);
  }

  async start(): Promise<void> {
    await this.#lifecycle.start?.();
  }

  consume(delivery: Delivery<T>): void {
    const { host } = this.#sender;
    const { data, signal } = delivery;
    const { span, client = delivery.client } = startExport(host, delivery.client);
    delivery.mayWait?.();
    this.#active++;
    this.#sender.send(data, { client, signal }, (failure) => {
      this.#active--;
      endExport(span, data.itemCount, failure?.error);
      if (failure === undefined) {
        host.sent(data.itemCount);
        delivery.ack();
      } else {
        this.#rejections.add(data.itemCount, failure.error);
        host.notSent(data.itemCount, failure.error);
        host.refuse(delivery, failure.error);
      }
      if (this.#active === 0) this.#idle.reached();
    });
  }

  hurry(deadlineMs: number): void {
    this.#sender.hurry(deadlineMs);
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#sender.hurry(deadlineMs);
    await this.#idle.within(this.#sender.host, deadlineMs, () => this.#active === 0);
    this.#sender.abort();
  }

  async stop(): Promise<void> {
    this.#sender.abort();
    await this.#lifecycle.stop?.();
  }
}

/** With a queue: a delivery is answered once the queue has it. */
class QueuedExporter<T extends Pdata> implements Exporter<T> {
  readonly #sender: Sender<T>;
  readonly #host: ExporterHost;
  readonly #settings: QueueSettings;
  #queue: SendingQueue<T>;
  #durable: DurableQueue<T> | undefined;
  readonly #lifecycle: Lifecycle;
  readonly #batcher: Joiner<T>;
  readonly #ready = new Fifo<Batch<T> | Pieces<T>>();
  readonly #idle = new Idle();
  readonly #meters;
  readonly #rejections: RejectionLog;
  #active = 0;
  #pumping = false;
  #turnBytes = 0;
  /** Set while the next piece waits for its turn. */
  #turnTimer: Timer | undefined;
  #draining = false;
  /** Whether what is on disk stays there when it ends, for the next start. */
  #keepsRest = false;
  #stopped = false;

  constructor(sender: Sender<T>, settings: QueueSettings, queue: SendingQueue<T>, lifecycle: Lifecycle) {
    const { host } = sender;
    this.#sender = sender;
    this.#host = host;
    this.#settings = settings;
    this.#queue = queue;
    this.#lifecycle = lifecycle;
    this.#batcher = joiner<T>(settings.batch, host, (batch) => this.#emit(batch));
    this.#rejections = new RejectionLog(host);
    this.#meters = exporterMeters(host);
    this.#meters.inFlight(() => this.#active);
    this.#meters.queue(() => this.#queue);
    queue.onReady = () => this.#pump();
  }

  get isDurable(): boolean {
    return this.#settings.storage !== undefined;
  }

  async start(): Promise<void> {
    await this.#lifecycle.start?.();
    const { storage } = this.#settings;
    if (storage === undefined || this.#durable !== undefined) return;
    const { openDurableQueue } = await import("./durable_queue.ts");
    this.#durable = await openDurableQueue<T>({ ...this.#settings, storage }, this.#host);
    this.#queue = this.#durable;
    this.#queue.onReady = () => this.#pump();
    this.#pump();
  }

  facts() {
    return [{ label: "queue", text: `${Math.round((this.#queue.usedSize / this.#queue.capacity) * 100)} %` }];
  }

  consume(delivery: Delivery<T>): void {
    const { data } = delivery;
    if (data.itemCount === 0) {
      delivery.ack();
      return;
    }
    this.#meters.offered(data);
    const { wait_for_result, sizer } = this.#settings;
    if (wait_for_result) delivery.mayWait?.();
    const { span, client } = startEnqueue(this.#host, delivery.client);
    const entry = { data, size: sizeOf(data, sizer), client, ...(wait_for_result && { delivery }) };
    this.#queue.put(entry, delivery, (error) => {
      if (error === undefined) span?.event("Enqueued item.");
      span?.end();
      if (error === undefined) {
        if (!wait_for_result) delivery.ack();
        return;
      }
      this.#meters.enqueueFailed(data.itemCount);
      this.#rejections.add(data.itemCount, error);
      this.#host.refuse(delivery, error);
    });
  }

  /** Sends what may be sent now. Not reentrant: what ends at once is followed by the loop, not by recursion. */
  #pump(): void {
    if (this.#pumping || this.#stopped || this.#turnTimer !== undefined) return;
    this.#pumping = true;
    this.#turnBytes = 0;
    while (this.#active < this.#settings.num_consumers && this.#hasTurn()) {
      const batch = this.#nextBatch();
      if (batch === undefined) break;
      this.#send(batch);
    }
    this.#pumping = false;
    if (this.#isIdle()) this.#idle.reached();
  }

  /** Whether a further piece may be cut now. If not, the next batch to end will ask again, or its turn will come. */
  #hasTurn(): boolean {
    if (!(this.#ready.peek() instanceof Pieces)) return true;
    const { clock, budget } = this.#host;
    if (this.#active > 0 && budget.usedBytes > budget.limitBytes) return false;
    if (this.#turnBytes < bytesPerTurn) return true;
    this.#turnTimer = clock.setTimer(() => {
      this.#turnTimer = undefined;
      this.#pump();
    }, 0);
    return false;
  }

  #nextBatch(): Batch<T> | undefined {
    for (;;) {
      const ready = this.#ready.peek();
      const batch = ready instanceof Pieces ? ready.next() : ready;
      if (batch === undefined || batch === ready) this.#ready.shift();
      if (batch !== undefined) return batch;
      if (ready !== undefined) continue;
      // At a shutdown a queue on disk keeps the rest for the next run, as the Collector's.
      if (this.#keepsRest) return undefined;
      const entry = this.#queue.next();
      if (entry !== undefined) this.#batcher.add(entry);
      else if (this.#draining && !this.#batcher.isEmpty) this.#batcher.flush();
      else return undefined;
    }
  }

  /** A batch is complete; the timer's is not asked for by the pump. */
  #emit(batch: Batch<T> | Pieces<T>): void {
    this.#ready.push(batch);
    this.#pump();
  }

  #send(batch: Batch<T>): void {
    const { data, entries, ownBytes = 0 } = batch;
    const [only] = entries;
    const sender = batch.client ?? (entries.length === 1 ? only?.entry.client : undefined);
    const { span, client } = startExport(this.#host, sender);
    this.#active++;
    if (this.#settings.batch !== undefined) this.#host.sending(data);
    this.#turnBytes += ownBytes;
    this.#host.budget.take(ownBytes);
    this.#sender.send(data, client === undefined ? {} : { client }, (failure) => {
      this.#active--;
      endExport(span, data.itemCount, failure?.error);
      this.#host.budget.give(ownBytes);
      this.#settle(batch, failure);
      this.#pump();
    });
  }

  #settle({ data, entries }: Batch<T>, failure: Failure | undefined): void {
    if (!this.#settings.wait_for_result) {
      if (failure === undefined) this.#host.sent(data.itemCount);
      else if (!this.#isKept(failure)) this.#dropped(data.itemCount, failure);
    }
    for (const tracked of entries) this.#release(tracked, failure);
  }

  #dropped(items: number, failure: Failure): void {
    const { error, reason } = failure;
    const lateHint = reason === "retries_exhausted" && this.isDurable ? diskHint : "";
    const hint = reason === "retry_disabled" ? noRetryHint : lateHint;
    const fields = { error: error.message, dropped_items: items };
    this.#host.logger.error(fields, `Exporting failed. Dropping data.${hint}`);
    this.#host.notSent(items, error);
    if (reason === "shutdown") this.#host.drop(items, reason);
    else this.#host.failed(items, reason);
  }

  #release(tracked: Tracked<T>, failure: Failure | undefined): void {
    if (failure !== undefined && this.#isKept(failure)) tracked.failure = failure;
    tracked.failure ??= failure;
    if (--tracked.pending > 0) return;
    const { entry } = tracked;
    if (tracked.failure !== undefined && this.#isKept(tracked.failure)) this.#queue.keep(entry);
    else this.#queue.settle(entry);
    if (entry.delivery === undefined) return;
    if (tracked.failure === undefined) {
      this.#host.sent(entry.data.itemCount);
      entry.delivery.ack();
    } else {
      this.#rejections.add(entry.data.itemCount, tracked.failure.error);
      this.#host.notSent(entry.data.itemCount, tracked.failure.error);
      this.#host.refuse(entry.delivery, tracked.failure.error);
    }
  }

  /** Whether the queue has what failed after the next start. */
  #isKept({ reason }: Failure): boolean {
    return this.isDurable && reason === "shutdown";
  }

  #isIdle(): boolean {
    if (this.#active > 0 || this.#queue.storing > 0) return false;
    return this.#keepsRest || (this.#queue.waiting === 0 && this.#ready.length === 0 && this.#batcher.isEmpty);
  }

  hurry(deadlineMs: number): void {
    if (!this.isDurable) this.#sender.hurry(deadlineMs);
  }

  async drain(deadlineMs: number, { forGood } = { forGood: false }): Promise<void> {
    this.#draining = true;
    this.#keepsRest = this.isDurable && !forGood;
    if (this.#keepsRest) this.#sender.stopRetrying();
    else this.#sender.hurry(deadlineMs);
    if (this.#keepsRest || !this.isDurable) this.#queue.close();
    this.#pump();
    await this.#idle.within(this.#host, deadlineMs, () => this.#isIdle());
    this.#giveUp();
  }

  /** Ends what is being sent and drops what is left; nothing when there is neither. */
  #giveUp(): void {
    if (this.#stopped) return;
    this.#queue.close();
    this.#stopped = true;
    if (this.#turnTimer !== undefined) this.#host.clock.clearTimer(this.#turnTimer);
    this.#sender.abort();
    this.#batcher.flush();
    let leftItems = 0;
    const giveUpOn = (batch: Batch<T>) => {
      leftItems += batch.data.itemCount;
      if (!this.#settings.wait_for_result && !this.isDurable) this.#host.drop(batch.data.itemCount, "shutdown");
      for (const tracked of batch.entries) this.#release(tracked, shutdownFailure());
    };
    for (let ready = this.#ready.shift(); ready !== undefined; ready = this.#ready.shift()) {
      const batch = ready instanceof Pieces ? ready.rest() : ready;
      if (batch !== undefined) giveUpOn(batch);
    }
    for (let entry = this.#queue.next(); entry !== undefined; entry = this.#queue.next()) {
      giveUpOn({ data: entry.data, entries: [{ entry, pending: 1 }] });
    }
    if (leftItems === 0 || this.isDurable) return;
    this.#host.logger.error({ error: "shutdown", dropped_items: leftItems }, "Exporting failed. Dropping data.");
  }

  async stop(): Promise<void> {
    this.#giveUp();
    await this.#durable?.stop();
    await this.#lifecycle.stop?.();
  }
}

function joiner<T extends Pdata>(
  settings: QueueSettings["batch"],
  { clock }: ExporterHost,
  emit: (batch: Batch<T> | Pieces<T>) => void,
): Joiner<T> {
  const keys = settings?.partition.metadata_keys ?? [];
  if (settings !== undefined && keys.length > 0) return new Partitions<T>(settings, keys, clock, emit);
  return new Batcher<T>(settings ?? unbatched, clock, emit);
}

/** Every request is a batch of its own. */
const unbatched: BatcherSettings = { flush_timeout: 0, min_size: 0, max_size: 0, sizer: "items" };

function shutdownFailure(): Failure {
  return { error: new ConsumeError("shutdown", { retryable: true }), reason: "shutdown" };
}

/** Waits for a moment without work. */
class Idle {
  #resolve: (() => void) | undefined;

  reached(): void {
    this.#resolve?.();
  }

  /** Resolves when `isIdle` holds, at the latest at `deadlineMs` of the monotonic clock. */
  async within(host: ExporterHost, deadlineMs: number, isIdle: () => boolean): Promise<void> {
    if (isIdle()) return;
    const { clock } = host;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(resolve, Math.max(0, deadlineMs - clock.monotonicMs()));
      this.#resolve = () => {
        clock.clearTimer(timer);
        resolve();
      };
    });
    this.#resolve = undefined;
  }
}
