import { fnv1a } from "../../pipeline/storage/bbolt.ts";

export const pageSize = 4096;
const headLength = 16;
const elementLength = 16;

/** What to write: keys and values of the bucket `default`, and how large a leaf may get before the next one begins. */
export interface DatabaseOptions {
  readonly entries: Readonly<Record<string, Buffer>>;
  readonly entriesPerLeaf?: number;
  /** Keeps the bucket in the page of its parent, as bbolt does with small ones. */
  readonly isInline?: boolean;
}

/**
 * A database as bbolt writes it: two heads, the older one naming no root, and the bucket `default` as a leaf, or as a branch
 * page over several. Pages are numbered from 2; the last one is the root.
 */
export function bboltDatabase({ entries, entriesPerLeaf = 1000, isInline = false }: DatabaseOptions): Buffer {
  const sorted = Object.entries(entries)
    .map(([key, value]) => ({ key: Buffer.from(key), value }))
    .sort((left, right) => left.key.compare(right.key));
  const pages: Buffer[] = [];
  const add = (bytes: Buffer) => {
    const id = 2 + pages.reduce((sum, page) => sum + page.length / pageSize, 0);
    bytes.writeBigUInt64LE(BigInt(id), 0);
    const count = Math.ceil(bytes.length / pageSize);
    bytes.writeUInt32LE(count - 1, 12);
    pages.push(Buffer.concat([bytes, Buffer.alloc(count * pageSize - bytes.length)]));
    return id;
  };
  const groups: (typeof sorted)[] = [];
  for (let at = 0; at === 0 || at < sorted.length; at += entriesPerLeaf) {
    groups.push(sorted.slice(at, at + entriesPerLeaf));
  }
  let bucket: Buffer;
  if (isInline) bucket = Buffer.concat([bucketHead(0), leaf(sorted)]);
  else {
    const children = groups.map((group) => ({ key: group[0]?.key ?? Buffer.alloc(0), id: add(leaf(group)) }));
    const [only] = children;
    bucket = bucketHead(children.length === 1 && only !== undefined ? only.id : add(branch(children)));
  }
  const root = add(leaf([{ key: Buffer.from("default"), value: bucket, flags: 1 }]));
  return Buffer.concat([meta(0, 8, root), meta(1, 7, 3), ...pages]);
}

function meta(page: number, transaction: number, root: number): Buffer {
  const bytes = Buffer.alloc(pageSize);
  bytes.writeBigUInt64LE(BigInt(page), 0);
  bytes.writeUInt16LE(4, 8);
  const body = bytes.subarray(headLength);
  body.writeUInt32LE(0xed0cdaed, 0);
  body.writeUInt32LE(2, 4);
  body.writeUInt32LE(pageSize, 8);
  body.writeBigUInt64LE(BigInt(root), 16);
  body.writeBigUInt64LE(0xffffffffffffffffn, 32);
  body.writeBigUInt64LE(1000n, 40);
  body.writeBigUInt64LE(BigInt(transaction), 48);
  body.writeBigUInt64LE(fnv1a(body.subarray(0, 56)), 56);
  return bytes;
}

function bucketHead(root: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(BigInt(root), 0);
  return bytes;
}

function leaf(entries: readonly { key: Buffer; value: Buffer; flags?: number }[]): Buffer {
  const heads = Buffer.alloc(headLength + entries.length * elementLength);
  heads.writeUInt16LE(2, 8);
  heads.writeUInt16LE(entries.length, 10);
  let at = heads.length;
  for (const [index, { key, value, flags = 0 }] of entries.entries()) {
    const element = headLength + index * elementLength;
    heads.writeUInt32LE(flags, element);
    heads.writeUInt32LE(at - element, element + 4);
    heads.writeUInt32LE(key.length, element + 8);
    heads.writeUInt32LE(value.length, element + 12);
    at += key.length + value.length;
  }
  return Buffer.concat([heads, ...entries.flatMap(({ key, value }) => [key, value])]);
}

function branch(children: readonly { key: Buffer; id: number }[]): Buffer {
  const heads = Buffer.alloc(headLength + children.length * elementLength);
  heads.writeUInt16LE(1, 8);
  heads.writeUInt16LE(children.length, 10);
  let at = heads.length;
  for (const [index, { key, id }] of children.entries()) {
    const element = headLength + index * elementLength;
    heads.writeUInt32LE(at - element, element);
    heads.writeUInt32LE(key.length, element + 4);
    heads.writeBigUInt64LE(BigInt(id), element + 8);
    at += key.length;
  }
  return Buffer.concat([heads, ...children.map(({ key }) => key)]);
}
