import { createHash } from "node:crypto";
import type { BigIntStats, Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Signal } from "../../pipeline/pdata/index.ts";

/** How far a file was read, and how it is known again. */
export interface Mark {
  /** The bytes it begins with. */
  readonly fingerprint: Buffer;
  /** Where the next line begins; in a compressed file, of what it holds. */
  readonly offset: number;
  /** The line before `offset`; undefined when none was read. */
  readonly lastLine: LastLine | undefined;
}

/** A line that was read, its newline included. */
export interface LastLine {
  readonly sizeBytes: number;
  /** SHA-256. */
  readonly digest: Buffer;
}

/** A file that is being read. */
export class TrackedFile implements Mark {
  path: string;
  readonly isGzip: boolean;
  /** Device and inode: the same file, whatever its name. */
  readonly identity: string;
  handle: FileHandle | undefined;
  fingerprint: Buffer;
  offset: number;
  lastLine: LastLine | undefined;
  /** Size and time of the last change at the last look; undefined when it has to be looked at in any case. */
  lookedAt: string | undefined;
  /** Polls in which no path led to it. */
  missedPolls = 0;
  /** By the monotonic clock: not before, because a pipeline said so. */
  notBeforeMs = 0;
  /** What stands behind the last newline, and since when it has not grown. */
  unfinished: { readonly sizeBytes: number; readonly sinceMs: number; wasTried: boolean } | undefined;
  /** Signals that the line at `offset` was already taken for. */
  readonly taken = new Set<Signal>();

  constructor(path: string, identity: string, handle: FileHandle, mark: Mark, isGzip: boolean) {
    this.path = path;
    this.identity = identity;
    this.handle = handle;
    this.fingerprint = mark.fingerprint;
    this.offset = mark.offset;
    this.lastLine = mark.lastLine;
    this.isGzip = isGzip;
  }

  /** Goes on somewhere else. */
  moveTo(offset: number, lastLine?: LastLine): void {
    this.offset = offset;
    this.lastLine = lastLine;
    this.unfinished = undefined;
    this.taken.clear();
  }

  async reopen(): Promise<FileHandle> {
    this.handle ??= await open(this.path, "r");
    return this.handle;
  }

  async close(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    await handle?.close();
  }
}

export function identityOf({ dev, ino }: Stats | BigIntStats): string {
  return `${dev}:${ino}`;
}

const firstPieceBytes = 64 * 1024;
const largestPieceBytes = 4 * 1024 * 1024;

/** What a file holds from `offset` on, decompressed, in pieces that grow: there may be long lines. */
export function contentFrom(handle: FileHandle, offset: number, isGzip: boolean): AsyncIterable<Buffer> {
  return isGzip ? inflatedFrom(handle, offset) : plainFrom(handle, offset);
}

async function* plainFrom(handle: FileHandle, offset: number): AsyncGenerator<Buffer, void, void> {
  let position = offset;
  for (let size = firstPieceBytes; ; size = Math.min(size * 2, largestPieceBytes)) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(size), 0, size, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** A file that is still being written ends in the middle of its stream: what is there counts. */
async function* inflatedFrom(handle: FileHandle, offset: number): AsyncGenerator<Buffer, void, void> {
  const source = Readable.from(plainFrom(handle, 0));
  const inflated = source.pipe(createGunzip());
  source.on("error", (error) => inflated.destroy(error));
  let left = offset;
  try {
    for await (const piece of inflated as AsyncIterable<Buffer>) {
      const skipped = Math.min(left, piece.length);
      left -= skipped;
      if (skipped < piece.length) yield piece.subarray(skipped);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "Z_BUF_ERROR") throw error;
  } finally {
    inflated.destroy();
    source.destroy();
  }
}

/** What a line is known by; it may come in parts. */
export function lastLineOf(...parts: readonly Buffer[]): LastLine {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return { sizeBytes: parts.reduce((sum, { length }) => sum + length, 0), digest: hash.digest() };
}

/** `length` bytes of what a file holds from `offset` on, or what there is. */
export async function bytesAt(handle: FileHandle, isGzip: boolean, offset: number, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let left = length;
  if (left === 0) return Buffer.alloc(0);
  for await (const piece of contentFrom(handle, offset, isGzip)) {
    parts.push(piece.subarray(0, left));
    left -= piece.length;
    if (left <= 0) break;
  }
  return Buffer.concat(parts);
}
