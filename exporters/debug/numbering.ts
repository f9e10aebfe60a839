/** What is numbered within what: resources, their scopes, their items (or metrics), and the data points of a metric. */
export const level = { resource: 0, scope: 1, item: 2, point: 3 } as const;

export type Level = (typeof level)[keyof typeof level];

/**
 * The numbers in the text of a batch that is printed piece by piece. A piece that begins inside a resource, scope or
 * metric repeats these messages: their lines are left out, and the numbers inside go on.
 */
export class Numbering {
  readonly #next = [0, 0, 0, 0];
  #repeated = 0;
  #passed = 0;

  /** Begins a piece whose first `repeated` levels were printed with the piece before. */
  begin(repeated: number): void {
    this.#repeated = repeated;
    this.#passed = 0;
  }

  /** What `lines` says for the next number of this level; nothing for what was printed with the piece before. */
  next(at: Level, lines: (index: number) => readonly string[]): readonly string[] {
    if (at === this.#passed && at < this.#repeated) {
      this.#passed += 1;
      return [];
    }
    const index = this.#next[at]!;
    this.#next[at] = index + 1;
    this.#next.fill(0, at + 1);
    return lines(index);
  }
}
