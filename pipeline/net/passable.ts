import type { EncodedBody } from "../pdata/index.ts";
import type { Encoding } from "./compression.ts";
import { isSingleZstdFrame } from "./zstd_frames.ts";

/**
 * A compressed body that was read without complaint, where it may be sent on as it is: where every reader of its coding
 * takes all of it. Some stop at the end of the first gzip member or zstd frame and lose the rest without a word, so there
 * must be one alone.
 */
export function passable(encoding: Encoding, body: Buffer): EncodedBody | undefined {
  switch (encoding) {
    case "gzip":
      // Three bytes may look like a second member and be data: then it is compressed anew, which is no harm.
      return body.includes(memberStart, memberHeadBytes) ? undefined : { encoding, bytes: body };
    case "zstd":
      return isSingleZstdFrame(body) ? { encoding, bytes: body } : undefined;
    case "deflate":
      return { encoding, bytes: body };
    case "snappy":
      // Frames are taken under this name as well, but not by all: they begin so, blocks hardly ever.
      return body[0] === 0xff ? undefined : { encoding, bytes: body };
    case "x-snappy-framed":
      return { encoding, bytes: body };
    case "identity":
    case "lz4":
      return undefined;
  }
}

const memberStart = Buffer.from([0x1f, 0x8b, 0x08]);
const memberHeadBytes = 10;

/** The bytes of `encoded` where it has this coding. */
export function codedAs(encoding: Encoding, encoded: EncodedBody | undefined): Buffer | undefined {
  return encoded?.encoding === encoding ? encoded.bytes : undefined;
}
