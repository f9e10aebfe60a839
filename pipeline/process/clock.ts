import { performance } from "node:perf_hooks";
import { type SchedulerAction, type SchedulerLike, Subscription } from "rxjs";
import type { Clock, Timer } from "../host.ts";

/** What `setTimeout` takes at most, 25 days; it fires at once for more. */
const longestTimeoutMs = 2 ** 31 - 1;

/** The machine's time. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (run, delayMs) => (delayMs > longestTimeoutMs ? longTimer(run, delayMs) : setTimeout(run, delayMs)),
  clearTimer: (timer) => clearTimeout(isLong(timer) ? timer.timeout : (timer as NodeJS.Timeout)),
};

/** A timer of several timeouts, one after the other. */
interface LongTimer {
  timeout: NodeJS.Timeout;
}

function longTimer(run: () => void, delayMs: number): LongTimer {
  const wait = (leftMs: number): NodeJS.Timeout =>
    leftMs > longestTimeoutMs
      ? setTimeout(() => void (timer.timeout = wait(leftMs - longestTimeoutMs)), longestTimeoutMs)
      : setTimeout(run, leftMs);
  const timer = { timeout: wait(delayMs) };
  return timer;
}

function isLong(timer: Timer): timer is LongTimer {
  return "timeout" in (timer as object);
}

/** An RxJS scheduler that runs on `clock`, so that time operators follow simulated time as well. */
export function clockScheduler(clock: Clock): SchedulerLike {
  return {
    now: () => clock.nowMs(),
    schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delayMs = 0, state?: T) {
      return new ClockAction(clock, work).schedule(state, delayMs);
    },
  };
}

class ClockAction<T> extends Subscription implements SchedulerAction<T> {
  readonly #clock: Clock;
  readonly #work: (this: SchedulerAction<T>, state?: T) => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, work: (this: SchedulerAction<T>, state?: T) => void) {
    super();
    this.#clock = clock;
    this.#work = work;
    this.add(() => this.#clear());
  }

  schedule(state?: T, delayMs = 0): Subscription {
    if (this.closed) return this;
    this.#clear();
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = undefined;
      this.#work.call(this, state);
    }, delayMs);
    return this;
  }

  #clear(): void {
    if (this.#timer === undefined) return;
    this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}
