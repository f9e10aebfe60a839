/** One figure beside what it is compared with. */
export interface Mark {
  readonly name: string;
  readonly ours: string;
  readonly theirs: string;
  /** What has a limit: a ratio, or milliseconds. */
  readonly value: number;
  readonly unit: "x" | "ms";
  /** It must not be more than this, or not less. */
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** Prints the marks as a table, and returns whether all are reached. */
export function report(marks: readonly Mark[]): boolean {
  console.log("\n| figure | otelpipe | beside it | | mark | |\n|---|---|---|---|---|---|");
  for (const mark of marks) {
    const { name, ours, theirs, value, unit, atMost, atLeast } = mark;
    const limit = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
    const verdict = isReached(mark) ? "reached" : "missed";
    console.log(`| ${name} | ${ours} | ${theirs} | ${value.toFixed(2)} ${unit} | ${limit} ${unit} | ${verdict} |`);
  }
  return marks.every(isReached);
}

function isReached({ value, atMost = Number.POSITIVE_INFINITY, atLeast = 0 }: Mark): boolean {
  return value <= atMost && value >= atLeast;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** CPU milliseconds of this process, user and system, that `run` takes. */
export async function cpuMsOf(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
