import type { DiskFile } from "./disk.ts";

/*
 * Reads databases of bbolt, the store behind the Collector's `file_storage`: a tree of pages, numbers in the byte order of
 * the machine (little-endian on all that we support). Pages 0 and 1 are two versions of the head; the one with the higher
 * transaction is in force. A page begins with its id (u64), kind (u16), count of elements (u16) and count of further pages
 * that belong to it (u32); behind that are its elements, behind them keys and values.
 *
 * @see go.etcd.io/bbolt, `internal/common/page.go` and `meta.go`
 */
const magic = 0xed0cdaed;
const version = 2;
const pageHeadLength = 16;
const elementLength = 16;
const metaLength = 64;
const checkedLength = 56;
const branchPage = 0x01;
const leafPage = 0x02;
const bucketEntry = 0x01;
const bucketHeadLength = 16;
/** From the smallest page to the largest; the second head is at one of these. */
const pageSizes = Array.from({ length: 7 }, (_, index) => 1024 << index);

/** A database of which nothing can be read. */
export class BboltError extends Error {
  override readonly name = "BboltError";
}

/** A key, and where its value lies in the file. */
export interface BboltEntry {
  readonly key: string;
  readonly position: number;
  readonly length: number;
}

export interface BboltBucket {
  /** In the order of their keys' bytes. */
  readonly entries: readonly BboltEntry[];
  /** Pages that made no sense: what was on them and below is missing. */
  readonly damagedPages: number;
}

interface Meta {
  readonly pageSize: number;
  readonly root: number;
  readonly transaction: bigint;
}

/** Whether a file has the mark of such a database in one of its heads, sound or not. */
export async function isBbolt(file: DiskFile): Promise<boolean> {
  const start = await startOf(file);
  return [0, ...pageSizes].some((at) => hasMagic(start, at));
}

/**
 * The entries of a top-level bucket.
 *
 * @throws {BboltError} when neither head is sound, or there is no such bucket.
 */
export async function readBucket(file: DiskFile, name: string): Promise<BboltBucket> {
  const meta = metaOf(await startOf(file));
  if (meta === undefined) throw new BboltError("neither head of the database is sound");
  const tree = new Tree(file, meta.pageSize, await file.size());
  const buckets: BboltEntry[] = [];
  await tree.collect(meta.root, (entry, flags) => {
    if ((flags & bucketEntry) !== 0 && entry.key === name) buckets.push(entry);
  });
  const [bucket] = buckets;
  if (bucket === undefined) throw new BboltError(`there is no bucket ${JSON.stringify(name)}`);
  const entries: BboltEntry[] = [];
  await tree.collectBucket(bucket, (entry, flags) => {
    if ((flags & bucketEntry) === 0) entries.push(entry);
  });
  return { entries, damagedPages: tree.damagedPages };
}

async function startOf(file: DiskFile): Promise<Buffer> {
  return await file.read(0, Math.max(...pageSizes) + pageHeadLength + metaLength);
}

function hasMagic(start: Buffer, at: number): boolean {
  return at + pageHeadLength + metaLength <= start.length && start.readUInt32LE(at + pageHeadLength) === magic;
}

/** The head in force. */
function metaOf(start: Buffer): Meta | undefined {
  const sound = [0, ...pageSizes].map((at) => readMeta(start, at)).filter((meta) => meta !== undefined);
  return sound.sort((left, right) => (left.transaction < right.transaction ? 1 : -1))[0];
}

function readMeta(start: Buffer, at: number): Meta | undefined {
  if (!hasMagic(start, at)) return undefined;
  const bytes = start.subarray(at + pageHeadLength, at + pageHeadLength + metaLength);
  const pageSize = bytes.readUInt32LE(8);
  const isSound =
    bytes.readUInt32LE(4) === version &&
    (at === 0 || at === pageSize) &&
    bytes.readBigUInt64LE(checkedLength) === fnv1a(bytes.subarray(0, checkedLength));
  if (!isSound) return undefined;
  return { pageSize, root: Number(bytes.readBigUInt64LE(16)), transaction: bytes.readBigUInt64LE(48) };
}

/** FNV-1a, 64 bits. */
export function fnv1a(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

type Take = (entry: BboltEntry, flags: number) => void;

class Tree {
  damagedPages = 0;
  readonly #file: DiskFile;
  readonly #pageSize: number;
  readonly #size: number;
  readonly #seen = new Set<number>();

  constructor(file: DiskFile, pageSize: number, size: number) {
    this.#file = file;
    this.#pageSize = pageSize;
    this.#size = size;
  }

  /** Gives `take` all entries of the tree under a page. */
  async collect(pageId: number, take: Take): Promise<void> {
    try {
      const page = await this.#read(pageId);
      if (page.readUInt16LE(8) === leafPage) return takeLeaves(page, pageId * this.#pageSize, take);
      if (page.readUInt16LE(8) !== branchPage) throw new RangeError("no page of a tree");
      for (let index = 0; index < page.readUInt16LE(10); index++) {
        await this.collect(idAt(page, pageHeadLength + index * elementLength + 8), take);
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.damagedPages += 1;
    }
  }

  /** The same for a bucket: its value names its root, or holds its only page. */
  async collectBucket({ position, length }: BboltEntry, take: Take): Promise<void> {
    const bytes = await this.#file.read(position, length);
    try {
      const root = idAt(bytes, 0);
      if (root > 0) await this.collect(root, take);
      else takeLeaves(bytes.subarray(bucketHeadLength), position + bucketHeadLength, take);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.damagedPages += 1;
    }
  }

  /** A page with those that belong to it. @throws {RangeError} when it is not there, is another one, or came up before. */
  async #read(pageId: number): Promise<Buffer> {
    const position = pageId * this.#pageSize;
    if (this.#seen.has(pageId) || position + this.#pageSize > this.#size) throw new RangeError("no such page");
    this.#seen.add(pageId);
    const first = await this.#file.read(position, this.#pageSize);
    if (idAt(first, 0) !== pageId) throw new RangeError("another page");
    const length = (1 + first.readUInt32LE(12)) * this.#pageSize;
    if (position + length > this.#size) throw new RangeError("a page that was cut short");
    return length === this.#pageSize ? first : await this.#file.read(position, length);
  }
}

function idAt(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

/** The entries of a leaf page that lies at `position`. @throws {RangeError} before any is taken, when one lies outside. */
function takeLeaves(page: Buffer, position: number, take: Take): void {
  if (page.readUInt16LE(8) !== leafPage) throw new RangeError("no leaf page");
  const entries = Array.from({ length: page.readUInt16LE(10) }, (_, index) => {
    const at = pageHeadLength + index * elementLength;
    const start = at + page.readUInt32LE(at + 4);
    const valueStart = start + page.readUInt32LE(at + 8);
    const length = page.readUInt32LE(at + 12);
    if (valueStart + length > page.length) throw new RangeError("a value outside of its page");
    const entry = { key: page.toString("utf8", start, valueStart), position: position + valueStart, length };
    return { entry, flags: page.readUInt32LE(at) };
  });
  for (const { entry, flags } of entries) take(entry, flags);
}
