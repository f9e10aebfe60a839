/** A queue of values whose `shift` does not move the others. */
export class Fifo<V> {
  #values: (V | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#values.length - this.#head;
  }

  /** The value that is `index` places behind the first; undefined behind the last. */
  peek(index = 0): V | undefined {
    return this.#values[this.#head + index];
  }

  push(value: V): void {
    this.#values.push(value);
  }

  shift(): V | undefined {
    if (this.length === 0) return undefined;
    const value = this.#values[this.#head];
    this.#values[this.#head++] = undefined;
    if (this.#head > 1024 && this.#head * 2 > this.#values.length) {
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }
}
