/** Columns of a piece: where it starts, its payload begins and it ends; its tag, 0 for unknown fields; its next and last part. */
export const piece = { start: 0, payload: 1, end: 2, tag: 3, next: 4, lastPart: 5 } as const;

const width = 6;

/** No piece. */
export const none = -1;

/**
 * A stack of pieces of messages, as rows of integers: an object each would take ten times the time. A piece is a field
 * as it came, several unknown ones side by side, or a message that came in parts, which `next` chains.
 */
export class PieceList {
  #cells = new Int32Array(256 * width);
  /** How many there are; set it back to forget the last ones. */
  length = 0;

  at(index: number, column: number): number {
    return this.#cells[index * width + column]!;
  }

  add(start: number, payload: number, end: number, tag: number): number {
    const index = this.length;
    const cell = index * width;
    if (cell + width > this.#cells.length) this.#grow();
    const cells = this.#cells;
    cells[cell + piece.start] = start;
    cells[cell + piece.payload] = payload;
    cells[cell + piece.end] = end;
    cells[cell + piece.tag] = tag;
    cells[cell + piece.next] = none;
    cells[cell + piece.lastPart] = index;
    this.length = index + 1;
    return index;
  }

  /** Adds unknown fields; `first` is the first piece of the message. */
  addUnknown(first: number, start: number, end: number): void {
    const last = this.length - 1;
    if (last >= first && this.at(last, piece.tag) === 0 && this.at(last, piece.end) === start && !this.isGone(last)) {
      this.#cells[last * width + piece.end] = end;
    } else this.add(start, start, end, 0);
  }

  /** Adds a part to the message `index`; its row counts as taken out. */
  append(index: number, payload: number, end: number): void {
    const part = this.add(payload, payload, end, 0);
    this.remove(part);
    const last = this.at(index, piece.lastPart);
    this.#cells[last * width + piece.next] = part;
    this.#cells[index * width + piece.lastPart] = part;
  }

  /** Takes a piece out; its row stays. */
  remove(index: number): void {
    this.#cells[index * width + piece.start] = none;
  }

  isGone(index: number): boolean {
    return this.at(index, piece.start) === none;
  }

  #grow(): void {
    const grown = new Int32Array(this.#cells.length * 2);
    grown.set(this.#cells);
    this.#cells = grown;
  }
}
