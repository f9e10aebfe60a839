const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const dictionaryIdBytes = [0, 1, 2, 4] as const;
const contentSizeBytes = [0, 2, 4, 8] as const;
const rawBlock = 0;
const repeatedByteBlock = 1;
const compressedBlock = 2;

/**
 * Whether a zstd body ends inside a frame. Node 22's decoder gives what it has of such a body and does not complain;
 * Node 24's refuses it. Only lengths are looked at: of what is no frame, the decoder says what is wrong.
 * @see RFC 8878, 3.1
 */
export function isCutZstd(body: Buffer): boolean {
  let at = 0;
  while (at < body.length) {
    if (at + 4 > body.length) return true;
    const magic = body.readUInt32LE(at);
    if (magic === frameMagic) at = frameEnd(body, at + 4);
    else if ((magic & ~0xf) >>> 0 === skippableMagic) at = skippableEnd(body, at + 4);
    else return false;
  }
  return at > body.length;
}

/** The largest window that every decoder has to have. @see RFC 8878, 3.1.1.1.2 */
const commonWindowBytes = 8 * 1024 * 1024;

/** Whether a zstd body is one frame and nothing else, of a window that every decoder takes. */
export function isSingleZstdFrame(body: Buffer): boolean {
  if (body.length < 6 || body.readUInt32LE(0) !== frameMagic || frameEnd(body, 4) !== body.length) return false;
  const isSingleSegment = (body[4]! & 0x20) !== 0;
  if (isSingleSegment) return true; // its window is what it holds
  const window = body[5]!;
  const base = 2 ** (10 + (window >> 3));
  return base + (base / 8) * (window & 7) <= commonWindowBytes;
}

/** What the first frame says of its content's size; 0 when it does not. */
export function zstdContentSize(body: Buffer): number {
  if (body.length < 4 || body.readUInt32LE(0) !== frameMagic) return 0;
  const descriptor = body[4]!;
  const { bytes, at } = contentSizeField(descriptor);
  if (bytes === 0 || body.length < 5 + at + bytes) return 0;
  if (bytes === 8) return Number(body.readBigUInt64LE(5 + at));
  return body.readUIntLE(5 + at, bytes) + (bytes === 2 ? 256 : 0);
}

/** How long the field for the content's size is, and how far behind the descriptor. */
function contentSizeField(descriptor: number): { bytes: number; at: number } {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const flag = descriptor >> 6;
  const bytes = flag === 0 && isSingleSegment ? 1 : contentSizeBytes[flag]!;
  return { bytes, at: (isSingleSegment ? 0 : 1) + dictionaryIdBytes[descriptor & 3]! };
}

/** Position behind the frame whose descriptor stands at `at`; past the end of the body when the frame is cut. */
function frameEnd(body: Buffer, at: number): number {
  const cut = body.length + 1;
  if (at >= body.length) return cut;
  const descriptor = body[at]!;
  const sizeField = contentSizeField(descriptor);
  let position = at + 1 + sizeField.at + sizeField.bytes;
  for (let isLast = false; !isLast; ) {
    if (position + 3 > body.length) return cut;
    const header = body.readUIntLE(position, 3);
    isLast = (header & 1) === 1;
    position += 3 + blockBytes((header >> 1) & 3, header >> 3);
  }
  const checksumBytes = (descriptor & 4) === 0 ? 0 : 4;
  return Math.min(position + checksumBytes, cut);
}

function blockBytes(type: number, size: number): number {
  if (type === repeatedByteBlock) return 1;
  return type === rawBlock || type === compressedBlock ? size : 0;
}

function skippableEnd(body: Buffer, at: number): number {
  return at + 4 > body.length ? body.length + 1 : Math.min(at + 4 + body.readUInt32LE(at), body.length + 1);
}
