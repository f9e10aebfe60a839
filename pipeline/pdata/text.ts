import type { Chunk } from "./chunk.ts";
import { valueTag } from "./value.ts";
import { afterLength, afterVarint } from "./wire.ts";

/** A constant compiled for comparing with string attributes without decoding them. Made by `text`. */
export interface Text {
  readonly constant: string;
}

class CompiledText implements Text {
  readonly constant: string;
  readonly bytes: Buffer;
  constructor(constant: string) {
    this.constant = constant;
    this.bytes = Buffer.from(constant);
  }
}

/** Compiles a constant to compare attributes with: `span.is(key, text("prod"))`. */
export function text(constant: string): Text {
  return new CompiledText(constant);
}

/** Whether the `AnyValue` whose length stands at `lengthAt` is a string equal to the constant. */
export function valueIs(chunk: Chunk, lengthAt: number, constant: Text): boolean {
  const { bytes } = chunk;
  const wanted = (constant as CompiledText).bytes;
  if (bytes[lengthAt] === 0) return false;
  const at = bytes[lengthAt]! < 128 ? lengthAt + 1 : afterVarint(bytes, lengthAt);
  if (bytes[at] !== valueTag.string) return false;
  const size = bytes[at + 1]!;
  if (size > 127) return equalsLong(bytes, at + 1, wanted);
  if (size !== wanted.length) return false;
  for (let index = 0; index < size; index++) if (bytes[at + 2 + index] !== wanted[index]) return false;
  return true;
}

function equalsLong(bytes: Buffer, lengthAt: number, wanted: Buffer): boolean {
  const from = afterVarint(bytes, lengthAt);
  const to = afterLength(bytes, lengthAt);
  return to - from === wanted.length && bytes.compare(wanted, 0, wanted.length, from, to) === 0;
}
