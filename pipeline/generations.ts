import type { ResolvedConfig } from "./config/resolved.ts";
import { untilDeadline } from "./deadline.ts";
import { Generation, type GenerationOptions } from "./generation.ts";
import type { DrainOptions, Report } from "./graph/drain.ts";
import type { Plan } from "./graph/plan.ts";

/** A configuration that is built and started beside the running one, and gets no data yet. One of the two follows. */
export interface PreparedChange {
  /** What becomes of every component. */
  readonly changes: Plan;
  /** Pipelines that end in a queue on disk. */
  readonly durable: ReadonlySet<string>;
  /**
   * Leads data that way from now on. What is left over is emptied and stopped within `graceMs`, once nothing `upstream`
   * gives to it any more. Returns when that is done.
   */
  commit(graceMs: number, upstream?: Promise<unknown>): Promise<void>;
  /** Stops what was started; everything runs as before. */
  abandon(graceMs: number): Promise<void>;
}

/** The configurations of what runs, one after the other, and what is still leaving after a change. One change at a time. */
export class Generations {
  readonly #options: GenerationOptions;
  #current: Generation;
  /** What leaves after a change; each resolves when it does not concern the current one any more. */
  readonly #leaving = new Map<Promise<void>, Promise<void>>();

  /** Builds every component; nothing is started and nothing is bound yet. @throws what a component's constructor throws. */
  constructor(config: ResolvedConfig, options: GenerationOptions) {
    this.#options = options;
    this.#current = new Generation(config, options);
  }

  get current(): Generation {
    return this.#current;
  }

  /**
   * Builds and starts what `config` has and the current one has not.
   *
   * @throws {Error} naming the component that could not be built or started; everything runs as before then.
   */
  async prepare(config: ResolvedConfig, graceMs: number): Promise<PreparedChange> {
    const former = this.#current;
    const next = new Generation(config, this.#options, former);
    const { changes } = next;
    const leaving = former.without(next);
    leaving.isEnding = true;
    const abandon = async (withinMs: number) => {
      leaving.isEnding = false;
      await next.without(former).abandon(this.#within(withinMs));
    };
    try {
      await next.start();
    } catch (error) {
      await abandon(graceMs);
      throw error;
    }
    const commit = (withinMs: number, upstream?: Promise<unknown>): Promise<void> => {
      next.graph.connect();
      this.#current = next;
      const { promise: flushed, resolve } = Promise.withResolvers<void>();
      const drain = () => leaving.drain(this.#within(withinMs), resolve);
      const left = (upstream === undefined ? drain() : upstream.then(drain)).finally(() =>
        this.#leaving.delete(flushed),
      );
      this.#leaving.set(flushed, left);
      next.settle();
      return left;
    };
    return { changes, durable: next.graph.durable, commit, abandon };
  }

  /** Empties and stops everything, at the latest by the deadline of `options`. */
  async drain(options: DrainOptions): Promise<Report> {
    const { clock, deadlineMs } = options;
    // What a former configuration held may still be on its way into the current one.
    await untilDeadline(clock, deadlineMs, Promise.all(this.#leaving.keys()));
    const left = Promise.all(this.#leaving.values());
    const report = await this.#current.drain(options, left);
    await left;
    return report;
  }

  #within(graceMs: number): DrainOptions {
    const { logger, surroundings } = this.#options;
    const { clock } = surroundings;
    return { clock, logger, deadlineMs: clock.monotonicMs() + graceMs };
  }
}
