import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import { type Pdata, toJson } from "../../pipeline/pdata/index.ts";

export interface EncodingSettings {
  readonly format: "json" | "proto";
  /** The level of zstd, 1 to 22; undefined: not compressed. */
  readonly zstdLevel: number | undefined;
}

const compress = promisify(zstdCompress);

/**
 * A batch as it stands in the file. Plain JSON is one line. Anything else is a message behind its length (4 bytes, the
 * highest first), compressed by itself, so that a reader can start at any message.
 */
export async function encodeBatch(data: Pdata, { format, zstdLevel }: EncodingSettings): Promise<Buffer> {
  const message = format === "json" ? toJson(data) : data.toBuffer();
  if (zstdLevel !== undefined) {
    return framed(await compress(message, { params: { [constants.ZSTD_c_compressionLevel]: zstdLevel } }));
  }
  return format === "json" ? Buffer.concat([message, newline]) : framed(message);
}

const newline = Buffer.of(0x0a);

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}
