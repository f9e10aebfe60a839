import type { Clock } from "./host.ts";

/**
 * What `work` comes to; undefined when that takes longer than until `deadlineMs` of the clock's monotonic time. Rejects as
 * `work` does until then.
 */
export async function untilDeadline<T>(clock: Clock, deadlineMs: number, work: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = clock.setTimer(() => resolve(undefined), Math.max(0, deadlineMs - clock.monotonicMs()));
  try {
    return await Promise.race([work, late]);
  } finally {
    clock.clearTimer(timer);
  }
}
