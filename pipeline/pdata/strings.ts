/** Node's own decoder by offsets, without a slice; Node's types do not know it. */
interface Utf8Buffer {
  utf8Slice(from: number, to: number): string;
}

/** The UTF-8 text in `[from, to)`. */
export function decodeUtf8(bytes: Buffer, from: number, to: number): string {
  return (bytes as unknown as Utf8Buffer).utf8Slice(from, to);
}

const slotCount = 4096;
const longest = 64;

/**
 * A memory of short strings that telemetry repeats (model names, methods, hosts), so that they are decoded once.
 * Bounded: 4 096 slots of at most 64 bytes. A slot takes a new string only when that string was the last one missed
 * there, so a flood of different strings costs no more than decoding them.
 */
class Interner {
  readonly #words = new Int32Array((slotCount * longest) / 4);
  readonly #sizes = new Int32Array(slotCount).fill(-1);
  readonly #missed = new Int32Array(slotCount);
  readonly #texts: string[] = new Array(slotCount).fill("");

  /** The text of `size` bytes at `from`, 4 to 64 of them. */
  text(bytes: Buffer, view: DataView, from: number, size: number): string {
    const first = view.getInt32(from, true);
    const last = view.getInt32(from + size - 4, true);
    const middle = view.getInt32(from + ((size - 4) >>> 1), true);
    let hash = Math.imul(first ^ Math.imul(last, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(middle + size, 0xc2b2ae35);
    hash ^= hash >>> 15;
    const slot = hash & (slotCount - 1);
    if (this.#sizes[slot] === size && this.#holds(slot, view, from, size, last)) return this.#texts[slot]!;
    const text = decodeUtf8(bytes, from, from + size);
    if (this.#missed[slot] === hash) this.#admit(slot, view, from, size, last, text);
    else this.#missed[slot] = hash;
    return text;
  }

  #holds(slot: number, view: DataView, from: number, size: number, last: number): boolean {
    const words = this.#words;
    let word = slot * (longest / 4);
    const end = from + size - 4;
    for (let at = from; at < end; at += 4) {
      if (words[word] !== view.getInt32(at, true)) return false;
      word += 1;
    }
    return words[word] === last;
  }

  #admit(slot: number, view: DataView, from: number, size: number, last: number, text: string): void {
    let word = slot * (longest / 4);
    const end = from + size - 4;
    for (let at = from; at < end; at += 4) {
      this.#words[word] = view.getInt32(at, true);
      word += 1;
    }
    this.#words[word] = last;
    this.#sizes[slot] = size;
    this.#texts[slot] = text;
  }
}

const interner = new Interner();

/** The UTF-8 text in `[from, to)`; a short one that was read before is not decoded again. */
export function readText(bytes: Buffer, view: DataView, from: number, to: number): string {
  const size = to - from;
  if (size > longest) return decodeUtf8(bytes, from, to);
  if (size >= 4) return interner.text(bytes, view, from, size);
  return size === 0 ? "" : decodeUtf8(bytes, from, to);
}
