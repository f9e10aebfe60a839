import { xxh32 } from "./checksums.ts";
import { decodeBlock, encodeBlock } from "./lz4_block.ts";
import { matchTable } from "./matches.ts";
import { Output } from "./output.ts";
import type { Sliced } from "./sliced.ts";

/** LZ4's frame format. @see LZ4: `lz4_Frame_format.md`. */

const magic = 0x184d2204;
const isSkippable = (word: number) => (word & 0xfffffff0) >>> 0 === 0x184d2a50;
const storedFlag = 0x80000000;

const flag = { version: 0xc0, independent: 0x20, blockChecksum: 0x10, size: 0x08, checksum: 0x04, dictionary: 0x01 };
const version1 = 0x40;

/** Largest blocks, by their code from 4 on. */
const blockBytes = [64 << 10, 256 << 10, 1 << 20, 4 << 20];

/** Reads a frame piece by piece. */
class Reader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  take(count: number): Buffer {
    const end = this.at + count;
    if (end > this.bytes.length) throw new Error("unexpected EOF");
    const taken = this.bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  word(): number {
    return this.take(4).readUInt32LE(0);
  }
}

interface Frame {
  readonly hasBlockChecksums: boolean;
  readonly hasChecksum: boolean;
  readonly areIndependent: boolean;
  readonly blockBytes: number;
}

/**
 * What frames hold, one after the other; nothing of nothing. Frames that may be skipped are.
 * @throws {OutputFull} when it is over `maxBytes`. @throws {Error} when they are corrupt or cut short.
 */
export function* decodeFrames(bytes: Buffer, maxBytes: number): Sliced<Buffer> {
  const reader = new Reader(bytes);
  const output = new Output(maxBytes, bytes.length * 2);
  while (!reader.isAtEnd) {
    const word = reader.word();
    if (isSkippable(word)) reader.take(reader.word());
    else if (word === magic) yield* decodeFrame(reader, output);
    else throw new Error("bad magic number");
  }
  return output.taken();
}

function readHead(reader: Reader): Frame {
  const start = reader.at;
  const [flags = 0, descriptor = 0] = reader.take(2);
  if ((flags & flag.version) !== version1) throw new Error("unsupported version");
  if (flags & flag.dictionary) throw new Error("dictionaries are not supported");
  if (flags & flag.size) reader.take(8);
  const head = reader.bytes.subarray(start, reader.at);
  if (((xxh32(head) >>> 8) & 0xff) !== reader.take(1)[0]) throw new Error("invalid header checksum");
  const largest = blockBytes[((descriptor >>> 4) & 7) - 4];
  if (largest === undefined) throw new Error("invalid block size");
  return {
    hasBlockChecksums: (flags & flag.blockChecksum) !== 0,
    hasChecksum: (flags & flag.checksum) !== 0,
    areIndependent: (flags & flag.independent) !== 0,
    blockBytes: largest,
  };
}

function* decodeFrame(reader: Reader, output: Output): Sliced<void> {
  const frame = readHead(reader);
  const start = output.length;
  for (;;) {
    const word = reader.word();
    if (word === 0) break;
    const isStored = word >= storedFlag;
    const length = isStored ? word - storedFlag : word;
    if (length > frame.blockBytes) throw new Error("block too large");
    const block = reader.take(length);
    if (frame.hasBlockChecksums && reader.word() !== xxh32(block)) throw new Error("invalid block checksum");
    if (isStored) {
      output.reserve(length);
      output.append(block, 0, length);
    } else {
      yield* decodeBlock(block, output, frame.areIndependent ? output.length : start, frame.blockBytes);
    }
    yield;
  }
  if (!frame.hasChecksum) return;
  if (reader.word() !== xxh32(output.bytes.subarray(start, output.length))) throw new Error("invalid frame checksum");
}

const pieceBytes = 64 << 10;
const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, version1 | flag.independent | flag.checksum, 4 << 4, 0]);
head[6] = (xxh32(head.subarray(4, 6)) >>> 8) & 0xff;

/** Bytes as one frame of independent blocks with a checksum. */
export function* encodeFrame(bytes: Buffer): Sliced<Buffer> {
  const parts: Buffer[] = [head];
  const table = matchTable();
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    if (start > 0) yield;
    const end = Math.min(start + pieceBytes, bytes.length);
    const block = encodeBlock(bytes, start, end, table);
    const isWorthIt = block.length < end - start;
    parts.push(word(isWorthIt ? block.length : end - start + storedFlag));
    parts.push(isWorthIt ? block : bytes.subarray(start, end));
  }
  parts.push(word(0), word(xxh32(bytes)));
  return Buffer.concat(parts);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
