/**
 * The number of single-character insertions, deletions, substitutions and swaps of neighbours that turn `from` into
 * `to` (optimal string alignment: no part is edited twice).
 */
export function editDistance(from: string, to: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const insertion = Math.min(previous[column] ?? 0, current[column - 1] ?? 0) + 1;
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const swap = swapped ? (older[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(substitution, insertion, swap));
    }
    older = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}

/** The candidate most like `word`, when one is close enough to be what was meant. Case does not count. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { candidate, distance };
  }
  return best?.candidate;
}

/** `{ hint: 'did you mean "timeout"?' }`, or nothing when no candidate is close. To be spread into a problem. */
export function didYouMean(word: string, candidates: Iterable<string>): { readonly hint?: string } {
  const candidate = closest(word, candidates);
  return candidate === undefined ? {} : { hint: `did you mean ${JSON.stringify(candidate)}?` };
}
