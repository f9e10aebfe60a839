/**
 * Numbers distinct tuples of integers from 0 in order of first sight: open addressing over typed arrays, no object
 * per tuple.
 */
export class GroupIndex {
  readonly #width: number;
  #keys: Int32Array;
  #slots: Int32Array;
  #size = 0;

  /**
   * @param width integers in a tuple; 0 gives one group.
   * @param expected tuples that fit without growing, which for a million of them would be one long step.
   */
  constructor(width: number, expected = 16) {
    this.#width = width;
    this.#keys = new Int32Array(expected * width);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(expected * 2 + 2))).fill(-1);
  }

  /** Distinct tuples so far. */
  get size(): number {
    return this.#size;
  }

  get sizeBytes(): number {
    return this.#keys.byteLength + this.#slots.byteLength;
  }

  /** The number of the tuple in the first `width` places of `tuple`, given out now when it is new. */
  add(tuple: Int32Array): number {
    const slot = this.#slotOf(tuple);
    const known = this.#slots[slot]!;
    if (known !== -1) return known;
    const id = this.#size++;
    if ((id + 1) * this.#width > this.#keys.length) this.#growKeys();
    this.#keys.set(tuple.subarray(0, this.#width), id * this.#width);
    this.#slots[slot] = id;
    if (this.#size * 2 > this.#slots.length) this.#growSlots();
    return id;
  }

  /** The number of the tuple, or -1 when it has none. */
  find(tuple: Int32Array): number {
    return this.#slots[this.#slotOf(tuple)]!;
  }

  /** The integer at `place` of tuple `id`. */
  at(id: number, place: number): number {
    return this.#keys[id * this.#width + place]!;
  }

  #slotOf(tuple: Int32Array): number {
    const mask = this.#slots.length - 1;
    let slot = hash(tuple, 0, this.#width) & mask;
    for (;;) {
      const id = this.#slots[slot]!;
      if (id === -1 || this.#equals(tuple, id * this.#width)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #equals(tuple: Int32Array, at: number): boolean {
    for (let place = 0; place < this.#width; place++) {
      if (this.#keys[at + place] !== tuple[place]) return false;
    }
    return true;
  }

  #growKeys(): void {
    const keys = new Int32Array(this.#keys.length * 2 + this.#width);
    keys.set(this.#keys);
    this.#keys = keys;
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#size; id++) {
      let slot = hash(this.#keys, id * this.#width, this.#width) & mask;
      while (slots[slot] !== -1) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.#slots = slots;
  }
}

function hash(integers: Int32Array, from: number, width: number): number {
  let mixed = 0x9e3779b9 | 0;
  for (let place = 0; place < width; place++) {
    mixed = Math.imul(mixed ^ integers[from + place]!, 0x85ebca6b);
    mixed ^= mixed >>> 15;
  }
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
