import { crc32 } from "node:zlib";

/**
 * The bytes of a `.settled` file: which records of a segment are settled, for which of their queues. Each entry is the
 * record's offset (u32), the queue's place in the record's list (u32), and the CRC-32 of both with the salt of the segment
 * before them (u32). A damaged entry counts as none: the record is sent once more.
 */
const entryLength = 12;

export interface SettledEntry {
  readonly offset: number;
  readonly target: number;
}

export function settledBytes(salt: Buffer, entries: readonly SettledEntry[]): Buffer {
  const bytes = Buffer.allocUnsafeSlow(entries.length * entryLength);
  for (const [index, { offset, target }] of entries.entries()) {
    const at = index * entryLength;
    bytes.writeUInt32LE(offset, at);
    bytes.writeUInt32LE(target, at + 4);
    bytes.writeUInt32LE(checkOf(salt, bytes, at), at + 8);
  }
  return bytes;
}

/** The entries as texts `offset:target`, and the length of the file without an entry that was cut short. */
export function readSettled(salt: Buffer, bytes: Buffer): { readonly entries: Set<string>; readonly length: number } {
  const entries = new Set<string>();
  const length = bytes.length - (bytes.length % entryLength);
  for (let at = 0; at < length; at += entryLength) {
    if (bytes.readUInt32LE(at + 8) !== checkOf(salt, bytes, at)) continue;
    entries.add(settledKey({ offset: bytes.readUInt32LE(at), target: bytes.readUInt32LE(at + 4) }));
  }
  return { entries, length };
}

export function settledKey({ offset, target }: SettledEntry): string {
  return `${offset}:${target}`;
}

function checkOf(salt: Buffer, bytes: Buffer, at: number): number {
  return crc32(bytes.subarray(at, at + 8), crc32(salt));
}
