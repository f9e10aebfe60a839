/** Work that stops now and then (about every 64 KiB) to be asked whether to go on. */
export type Sliced<T> = Generator<void, T, void>;

/** Stops of one turn of the event loop: half a megabyte, some milliseconds. */
const stopsPerTurn = 8;

/** The outcome of work: at once when it is short, else over several turns of the event loop. */
export function finish<T>(work: Sliced<T>): T | Promise<T> {
  const first = turn(work);
  return first === undefined ? finishLater(work) : first.value;
}

async function finishLater<T>(work: Sliced<T>): Promise<T> {
  for (;;) {
    await new Promise(setImmediate);
    const outcome = turn(work);
    if (outcome !== undefined) return outcome.value;
  }
}

function turn<T>(work: Sliced<T>): { readonly value: T } | undefined {
  for (let stop = 0; stop < stopsPerTurn; stop++) {
    const { done, value } = work.next();
    if (done) return { value };
  }
  return undefined;
}
