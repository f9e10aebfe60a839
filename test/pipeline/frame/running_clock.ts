import type { Clock } from "../../../pipeline/host.ts";
import { SimulatedClock } from "../../support/simulated_host.ts";

/** Has timers without delay run by themselves, on a later turn: for work that pauses in between. Returns `clock`. */
export function runningClock(clock = new SimulatedClock()): SimulatedClock {
  const { setTimer } = clock;
  clock.setTimer = (run: () => void, delayMs: number): ReturnType<Clock["setTimer"]> => {
    const timer = setTimer.call(clock, run, delayMs);
    if (delayMs === 0) setImmediate(() => clock.advance(0));
    return timer;
  };
  return clock;
}
