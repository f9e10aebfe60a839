import type { Pause } from "../../pipeline/frame/engine.ts";

/** Spans, rows or nodes worked through between two pauses: some milliseconds. */
export const perStep = 1000;

/** Calls `work` on each item, with a pause now and then; none when there are few. */
export async function inSteps<V>(items: Iterable<V>, pause: Pause, work: (item: V) => void): Promise<void> {
  let count = 0;
  for (const item of items) {
    work(item);
    count += 1;
    if (count % perStep === 0) await pause();
  }
}
