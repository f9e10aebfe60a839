import { decodeFrames as decodeLz4, encodeFrame as encodeLz4 } from "./lz4.ts";
import type { Sliced } from "./sliced.ts";
import { decodeBlock, encodeBlock } from "./snappy.ts";
import { decodeFrames, encodeFrames, isFramed } from "./snappy_frames.ts";

export { OutputFull } from "./output.ts";
export { finish } from "./sliced.ts";

/**
 * Codings that Node has none for, by their names in HTTP. The libraries there are for them take malformed input, or never
 * come to its end, so they are written here: input is hostile.
 */
export type OwnEncoding = "snappy" | "x-snappy-framed" | "lz4";

interface Codec {
  /** @throws {OutputFull} when the output is over `maxBytes`. @throws {Error} when the input is corrupt. */
  decode(bytes: Buffer, maxBytes: number): Sliced<Buffer>;
  encode(bytes: Buffer): Sliced<Buffer>;
}

export const codecs: Readonly<Record<OwnEncoding, Codec>> = {
  // Frames are taken under this name as well: clients that send them so were there first.
  snappy: {
    decode: (bytes, maxBytes) => (isFramed(bytes) ? decodeFrames(bytes, maxBytes) : decodeBlock(bytes, maxBytes)),
    encode: encodeBlock,
  },
  "x-snappy-framed": { decode: decodeFrames, encode: encodeFrames },
  lz4: { decode: decodeLz4, encode: encodeLz4 },
};
