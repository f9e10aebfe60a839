import type { Pause } from "../../pipeline/frame/engine.ts";
import { Cutter, type Pdata } from "../../pipeline/pdata/index.ts";
import { Numbering } from "./numbering.ts";

/** Of which the text is made in one go: some milliseconds. */
const step = { items: 50, bytes: 24 * 1024 };

/** Whether the text of a batch is made in one go. Profiles are: they cannot be cut. */
export function isOneStep({ signal, itemCount, sizeBytes }: Pdata): boolean {
  return signal === "profiles" || (itemCount <= step.items && sizeBytes <= step.bytes);
}

/**
 * The text of a batch, made piece by piece with pauses. A single item is never cut, however large.
 *
 * @param text the text of a piece, without what was printed with the piece before
 * @throws when `signal` aborts
 */
export async function textInSteps<T extends Pdata>(
  data: T,
  text: (piece: T, numbering: Numbering) => string,
  pause: Pause,
  signal: AbortSignal,
): Promise<string> {
  const cutter = new Cutter<T>();
  cutter.add(data);
  const numbering = new Numbering();
  const texts: string[] = [];
  let { items, bytes } = step;
  for (;;) {
    numbering.begin(cutter.repeatedHeads);
    const piece = cutter.cut({ items, bytes });
    if (piece === undefined) return texts.join("");
    texts.push(text(piece, numbering));
    // Each piece repeats its resource: when that is large, there must not be many of them.
    if (piece.sizeBytes * data.itemCount > 2 * data.sizeBytes * piece.itemCount) {
      items *= 2;
      bytes *= 2;
    }
    await pause();
    signal.throwIfAborted();
  }
}
