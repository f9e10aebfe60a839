import { crc32c } from "./checksums.ts";
import { OutputFull } from "./output.ts";
import type { Sliced } from "./sliced.ts";
import { announcedLength, decodeBlock, encodeBlock, fragmentBytes } from "./snappy.ts";

/** Snappy's framing format: blocks of at most 64 KiB with checksums. @see Snappy: `framing_format.txt`. */

const identifier = Buffer.from([0xff, 6, 0, 0, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59]);

const compressed = 0x00;
const plain = 0x01;

/** Whether bytes are framed, by how they begin. */
export function isFramed(bytes: Buffer): boolean {
  return bytes.subarray(0, identifier.length).equals(identifier);
}

function maskedChecksum(bytes: Buffer): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/**
 * What frames hold; nothing of nothing.
 * @throws {OutputFull} when it is over `maxBytes`. @throws {Error} when they are corrupt or cut short.
 */
export function* decodeFrames(bytes: Buffer, maxBytes: number): Sliced<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  if (bytes.length > 0 && !isFramed(bytes)) throw new Error("corrupt input");
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new Error("unexpected EOF");
    const kind = bytes[at] as number;
    const end = at + 4 + bytes.readUIntLE(at + 1, 3);
    if (end > bytes.length) throw new Error("unexpected EOF");
    const chunk = bytes.subarray(at + 4, end);
    at = end;
    if (kind === identifier[0]) {
      if (!isFramed(bytes.subarray(at - identifier.length))) throw new Error("corrupt input");
      continue;
    }
    if (kind >= 0x80) continue; // padding, and what may be skipped
    if (kind > plain) throw new Error("unsupported input");
    const part = yield* content(kind, chunk, maxBytes - size);
    if (maskedChecksum(part) !== chunk.readUInt32LE(0)) throw new Error("corrupt input");
    size += part.length;
    parts.push(part);
    yield;
  }
  return Buffer.concat(parts, size);
}

function* content(kind: number, chunk: Buffer, left: number): Sliced<Buffer> {
  if (chunk.length < 4) throw new Error("corrupt input");
  const body = chunk.subarray(4);
  const length = kind === plain ? body.length : announcedLength(body).length;
  if (length > fragmentBytes) throw new Error("corrupt input");
  if (length > left) throw new OutputFull();
  return kind === plain ? body : yield* decodeBlock(body, left);
}

/** Bytes as frames; nothing of nothing. */
export function* encodeFrames(bytes: Buffer): Sliced<Buffer> {
  const parts: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += fragmentBytes) {
    if (start === 0) parts.push(identifier);
    else yield;
    const part = bytes.subarray(start, start + fragmentBytes);
    const block = yield* encodeBlock(part);
    const isWorthIt = block.length < part.length - part.length / 8;
    const body = isWorthIt ? block : part;
    const head = Buffer.alloc(8);
    head[0] = isWorthIt ? compressed : plain;
    head.writeUIntLE(body.length + 4, 1, 3);
    head.writeUInt32LE(maskedChecksum(part), 4);
    parts.push(head, body);
  }
  return Buffer.concat(parts);
}
