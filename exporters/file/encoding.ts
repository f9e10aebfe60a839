import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import type { Pause } from "../../pipeline/frame/engine.ts";
import { type Pdata, toJsonInSteps } from "../../pipeline/pdata/index.ts";

export interface EncodingSettings {
  readonly format: "json" | "proto";
  /** The level of zstd, 1 to 22; undefined: not compressed. */
  readonly zstdLevel: number | undefined;
}

const compress = promisify(zstdCompress);

/**
 * A batch as it stands in the file, in pieces. Plain JSON is one line. Anything else is a message behind its length
 * (4 bytes, the highest first), compressed by itself, so that a reader can start at any message. A long text is made
 * with pauses.
 */
export async function encodeBatch(data: Pdata, settings: EncodingSettings, pause: Pause): Promise<readonly Buffer[]> {
  const { format, zstdLevel } = settings;
  const isLine = format === "json" && zstdLevel === undefined;
  const message = format === "json" ? await toJsonInSteps(data, pause, isLine ? "\n" : "") : [data.toBuffer()];
  if (isLine) return message;
  if (zstdLevel === undefined) return framed(message);
  const options = { params: { [constants.ZSTD_c_compressionLevel]: zstdLevel } };
  return framed([await compress(Buffer.concat(message), options)]);
}

function framed(message: readonly Buffer[]): readonly Buffer[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.reduce((sum, piece) => sum + piece.length, 0));
  return [length, ...message];
}
