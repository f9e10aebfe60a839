import type { Host } from "../host.ts";
import { split, type Traces } from "../pdata/index.ts";
import { pauseOn } from "./engine.ts";

/** Spans read in one go: about 5 ms of work. */
const spansPerStep = 8192;

/**
 * Reads batches in the order they come: a short one at once, a long one in steps with pauses, and what comes meanwhile
 * after it. A batch that waits is charged to the byte budget, because it has been passed on already.
 */
export class SpanFeed {
  readonly #host: Host;
  readonly #read: (part: Traces) => void;
  #waiting: Promise<void> = Promise.resolve();
  #waitingCount = 0;

  /** @param read called with each batch, or with consecutive parts of a long one. */
  constructor(host: Host, read: (part: Traces) => void) {
    this.#host = host;
    this.#read = read;
  }

  /** Has `traces` read; `onRead` is called once all of it has been. */
  push(traces: Traces, onRead: () => void): void {
    if (this.#waitingCount === 0 && traces.itemCount <= spansPerStep) {
      this.#read(traces);
      onRead();
      return;
    }
    this.#waitingCount++;
    this.#host.budget.take(traces.memoryBytes);
    this.#waiting = this.#waiting
      .then(() => this.#readInSteps(traces))
      .then(onRead)
      .catch((error: Error) => this.#host.fatal(error));
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    while (this.#waitingCount > 0) await this.#waiting;
  }

  async #readInSteps(traces: Traces): Promise<void> {
    const pause = pauseOn(this.#host.clock);
    try {
      for (const part of split(traces, { items: spansPerStep })) {
        await pause();
        this.#read(part);
      }
    } finally {
      this.#waitingCount--;
      this.#host.budget.give(traces.memoryBytes);
    }
  }
}
