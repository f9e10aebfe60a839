import { Subject } from "rxjs";
import type { Operator } from "../../pipeline/component.ts";
import { type ClientInfo, ConsumeError, type Delivery, neverAborted } from "../../pipeline/delivery.ts";
import { Exclusives } from "../../pipeline/graph/exclusives.ts";
import { Tenure } from "../../pipeline/graph/tenure.ts";
import type {
  Clock,
  ExclusiveOptions,
  ExporterHost,
  Labels,
  Outlets,
  ProcessorHost,
  Timer,
} from "../../pipeline/host.ts";
import type { Pdata, Signal } from "../../pipeline/pdata/index.ts";
import { ThreadedBodyReader } from "../../pipeline/process/body_reader.ts";
import { clockScheduler } from "../../pipeline/process/clock.ts";
import { Budget } from "../../pipeline/process/memory.ts";
import { createBoard } from "../../pipeline/telemetry/board.ts";
import { MetricRegistry } from "../../pipeline/telemetry/meter.ts";

/** A clock that moves only when told to, and runs what falls due in order. */
export class SimulatedClock implements Clock {
  #nowMs = 0;
  #next = 0;
  readonly #epochMs: number;
  readonly #timers = new Map<object, { dueMs: number; order: number; run: () => void }>();

  constructor(epochMs = Date.UTC(2026, 0, 1)) {
    this.#epochMs = epochMs;
  }

  nowMs(): number {
    return this.#epochMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(run: () => void, delayMs: number): Timer {
    const timer = {};
    this.#timers.set(timer, { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#next++, run });
    return timer;
  }

  clearTimer(timer: Timer): void {
    this.#timers.delete(timer);
  }

  /** Timers that are still set: a component that has stopped leaves none. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [timer, due] = this.#earliest() ?? [];
      if (timer === undefined || due === undefined || due.dueMs > untilMs) break;
      this.#timers.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, due.dueMs);
      due.run();
    }
    this.#nowMs = untilMs;
  }

  #earliest() {
    let best: [object, { dueMs: number; order: number; run: () => void }] | undefined;
    for (const entry of this.#timers) {
      const [, candidate] = entry;
      const [, present] = best ?? [];
      if (present === undefined || candidate.dueMs < present.dueMs) best = entry;
      else if (candidate.dueMs === present.dueMs && candidate.order < present.order) best = entry;
    }
    return best;
  }
}

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

export interface SimulatedHostOptions {
  id?: string;
  signal?: Signal;
  pipelineId?: string;
  isDurableBehind?: boolean;
  seed?: number;
  budgetBytes?: number;
  /** Feature gates that are on. */
  gates?: readonly string[];
  memoryLimitBytes?: number;
  /** What `host.memory.usedBytes()` says. */
  usedBytes?: () => number;
  collect?: () => void;
  extensions?: Record<string, unknown>;
  outlets?: Outlets;
  /** Those of the hosts it shares ports and directories with. */
  exclusives?: Exclusives;
}

/**
 * The surroundings of one component in a test: simulated time, seeded randomness, books and log lines that can be read.
 * It serves as the host of every kind of component.
 */
export function simulatedHost(options: SimulatedHostOptions = {}) {
  const clock = new SimulatedClock();
  const registry = new MetricRegistry();
  const logs: LogLine[] = [];
  const dropped = new Map<string, number>();
  const shared = new Map<string, unknown>();
  const exclusives = options.exclusives ?? new Exclusives();
  const tenure = new Tenure();
  const fatals: Error[] = [];
  const books = { sent: 0, failed: 0, refused: 0, restored: 0 };
  const log = (level: LogLine["level"]) => (fields: object, message: string) =>
    void logs.push({ level, fields: fields as Record<string, unknown>, message });
  const drop = (items: number, reason: string) => void dropped.set(reason, (dropped.get(reason) ?? 0) + items);
  const budget = new Budget(options.budgetBytes ?? 1e9);
  const host = {
    kind: "processor",
    id: options.id ?? "test",
    signal: options.signal ?? "traces",
    pipelineId: options.pipelineId ?? "traces",
    isDurableBehind: options.isDurableBehind ?? false,
    logger: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    clock,
    scheduler: clockScheduler(clock),
    random: seededRandom(options.seed ?? 1),
    meter: registry.meter({ component: options.id ?? "test" }),
    budget,
    bodies: new ThreadedBodyReader(budget),
    memory: {
      limitBytes: options.memoryLimitBytes ?? 1024 * 1024 * 1024,
      usedBytes: options.usedBytes ?? (() => 0),
      collect: options.collect ?? (() => {}),
    },
    board: createBoard(),
    gates: new Set(options.gates),
    build: { command: "otelpipe", version: "0.0.0-test" },
    outlets: options.outlets ?? {},
    shared<T>(key: string, make: () => T): T {
      if (!shared.has(key)) shared.set(key, make());
      return shared.get(key) as T;
    },
    exclusive: <T>(name: string, options: ExclusiveOptions<T>) => exclusives.take(tenure, name, options),
    extension<T>(id: string, is: (candidate: unknown) => candidate is T): T {
      const candidate = options.extensions?.[id];
      if (!is(candidate)) throw new Error(`no such extension "${id}"`);
      return candidate;
    },
    fatal: (error: Error) => void fatals.push(error),
    drop,
    refuse(delivery: Delivery, error: ConsumeError, goneItems = 0) {
      books.refused += delivery.data.itemCount - goneItems;
      delivery.nack(error);
    },
    sent: (items: number) => void (books.sent += items),
    restored: (items: number) => void (books.restored += items),
    failed(items: number, reason: string) {
      books.failed += items;
      drop(items, reason);
    },
    notSent: () => {},
    sending: () => {},
    discarded: () => {},
    destination: () => {},
    malformed: () => {},
  } as const;
  return Object.assign(host as typeof host & ProcessorHost & ExporterHost, {
    tenure,
    logs,
    dropped,
    books,
    fatals,
    samples: () => [...registry.samples()],
    metric: (name: string, labels: Labels = {}) =>
      [...registry.samples()].find(
        (sample) =>
          sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
      )?.value,
    advance: (ms: number) => clock.advance(ms),
  });
}

export type SimulatedHost = ReturnType<typeof simulatedHost>;

/** Uniform numbers in [0, 1), the same for the same seed. @see mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** How a delivery was answered, in order; more than one entry is a bug. */
export type Answers = ("ack" | ConsumeError)[];

/** A delivery that writes down its answers. */
export function recordedDelivery<T extends Pdata>(data: T, client: Partial<ClientInfo> = {}) {
  const answers: Answers = [];
  const delivery: Delivery<T> = {
    data,
    client: { address: "127.0.0.1:1", transport: "grpc", ...client },
    signal: neverAborted,
    ack: () => void answers.push("ack"),
    nack: (error) => void answers.push(error),
  };
  return { delivery, answers };
}

/** Runs batches through an operator; the stream stays open until `complete()`. */
export function run<T extends Pdata>(operator: Operator<T>, batches: readonly T[] = []) {
  const recorded: { delivery: Delivery<T>; answers: Answers }[] = [];
  const sent: Delivery<T>[] = [];
  let completed = false;
  const source = new Subject<Delivery<T>>();
  const subscription = operator(source).subscribe({
    next: (delivery) => void sent.push(delivery),
    complete: () => void (completed = true),
  });
  const push = (data: T, client?: Partial<ClientInfo>) => {
    const one = recordedDelivery(data, client);
    recorded.push(one);
    source.next(one.delivery);
    return one.answers;
  };
  for (const batch of batches) push(batch);
  return {
    sent,
    push,
    complete: () => source.complete(),
    isComplete: () => completed,
    stop: () => subscription.unsubscribe(),
    answers: () => recorded.map(({ answers }) => answers.map((answer) => (answer === "ack" ? "ack" : "nack"))),
    errors: () => recorded.flatMap(({ answers }) => answers.filter((answer) => answer instanceof ConsumeError)),
  };
}
