/** As many closed streams are told from those that never were. */
const rememberedStreams = 256;

/** The last streams that are over, and how they ended: that decides what a late frame for one of them means. */
export class GoneStreams {
  /** Ids in a ring; with the sign reversed those that were reset from here. */
  readonly #ids = new Int32Array(rememberedStreams);
  #next = 0;

  add(id: number, wasResetHere: boolean): void {
    this.#ids[this.#next] = wasResetHere ? -id : id;
    this.#next = (this.#next + 1) % rememberedStreams;
  }

  /** Whether frames for it may have been on their way when it was reset from here. */
  wasResetHere(id: number): boolean {
    return this.#ids.includes(-id);
  }

  hasEnded(id: number): boolean {
    return this.#ids.includes(id);
  }

  /** Whether it would be remembered, had it been there. */
  covers(id: number, highestId: number): boolean {
    return highestId - id < rememberedStreams;
  }
}
