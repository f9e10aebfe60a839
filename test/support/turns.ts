import { setImmediate } from "node:timers/promises";

/** Lets everything that waits for nothing but its turn happen. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await setImmediate();
}

/** Resolves when `holds` does; it is asked again whenever the event loop turns. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await setImmediate();
}
