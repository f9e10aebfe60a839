export interface Measurement {
  /**
   * Nanoseconds of CPU time a span, of all threads of the process (collection and compilation included): the median
   * of the runs, and the fastest. CPU time, because a busy machine stretches the time on the clock.
   */
  readonly median: number;
  readonly best: number;
}

export interface Effort {
  readonly warmUpMs: number;
  readonly runMs: number;
  readonly runs: number;
}

export const fullEffort: Effort = { warmUpMs: 400, runMs: 80, runs: 15 };
export const smokeEffort: Effort = { warmUpMs: 2, runMs: 2, runs: 1 };

/** Times `step`, which works on one batch of `items` items a call. */
export function measure(step: (index: number) => void, items: number, effort: Effort): Measurement {
  let index = 0;
  const run = (ms: number): number => {
    const start = performance.now();
    const before = process.cpuUsage();
    const first = index;
    while (performance.now() - start < ms) {
      for (let times = 0; times < 8; times++) {
        step(index);
        index += 1;
      }
    }
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1e3) / ((index - first) * items);
  };
  run(effort.warmUpMs);
  const figures = Array.from({ length: effort.runs }, () => run(effort.runMs)).sort((a, b) => a - b);
  return { median: figures[figures.length >> 1] ?? 0, best: figures[0] ?? 0 };
}
