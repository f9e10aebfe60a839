import type { Clock } from "../host.ts";

/** Waits for `work`, at the latest until `deadlineMs` of the clock's monotonic time. Rejects as `work` does until then. */
export async function untilDeadline(clock: Clock, deadlineMs: number, work: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = clock.setTimer(resolve, Math.max(0, deadlineMs - clock.monotonicMs()));
  try {
    await Promise.race([work, late]);
  } finally {
    clock.clearTimer(timer);
  }
}
