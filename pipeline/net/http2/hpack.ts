import { ErrorCode, Http2Error } from "./errors.ts";
import type { MalformedError, RequestFields } from "./fields.ts";
import { decodeHuffman } from "./huffman.ts";
import { staticTable } from "./static_table.ts";

/** The dynamic table's size that is announced, which is HTTP/2's standard. */
export const tableBytes = 4096;

/** What HPACK adds to the length of name and value. */
const entryOverhead = 32;

/** As many entries as fit into the table. */
const ringLength = tableBytes / entryOverhead;

const staticEntries = staticTable.length / 2;

/** The longest header block that is read. */
export const maxBlockBytes = 32 * 1024;

/** Has room for all that a block can become: the shortest code has 5 bits. */
const scratch = Buffer.allocUnsafeSlow(Math.ceil((maxBlockBytes * 8) / 5));

/** The fields of one header block. A block like the one before gives the same object, so what they mean is kept here too. */
export interface HeaderFields {
  /** Names and values in turn, as they came. */
  readonly list: readonly string[];
  /** Whether they were more than the limit: then `list` is cut short. */
  readonly isTooLarge: boolean;
  /** @see requestOf */
  request?: RequestFields | MalformedError;
}

/**
 * Decodes the header blocks of one connection. Every block must come here, also those nobody wants: each may change the
 * table that the next is read with.
 */
export class HpackDecoder {
  readonly #limitBytes: number;
  /** Entries of the dynamic table, the latest before `#next`. */
  readonly #names: string[] = new Array(ringLength).fill("");
  readonly #values: string[] = new Array(ringLength).fill("");
  #next = 0;
  #count = 0;
  #size = 0;
  #maxSize = tableBytes;
  /** How often the table has changed. */
  #changes = 0;
  #last: HeaderFields | undefined;
  #lastBlock: Buffer = Buffer.alloc(0);
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  /** `limitBytes`: the most that names, values and 32 bytes for each field may be in all. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** @throws {Http2Error} for the whole connection: the table would be out of step. */
  decode(bytes: Buffer, start: number, end: number): HeaderFields {
    const last = this.#last;
    if (last !== undefined && sameBytes(bytes, start, end, this.#lastBlock)) return last;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    const before = this.#changes;
    const fields = this.#fields();
    // A block that changes the table is read differently the next time.
    const isSteady = before === this.#changes;
    this.#last = isSteady ? fields : undefined;
    if (isSteady) this.#lastBlock = Buffer.from(bytes.subarray(start, end));
    return fields;
  }

  #fields(): HeaderFields {
    const list: string[] = [];
    let size = 0;
    let mayResize = true;
    while (this.#at < this.#end) {
      const byte = this.#bytes[this.#at] as number;
      if (byte >>> 5 === 1) {
        if (!mayResize) throw broken("a table size update inside a block");
        this.#resize(this.#integer(5));
        continue;
      }
      mayResize = false;
      let name: string;
      let value: string;
      if (byte >= 0x80) {
        const index = this.#integer(7);
        name = this.#nameAt(index);
        value = this.#valueAt(index);
      } else {
        const isIndexed = byte >= 0x40;
        const index = this.#integer(isIndexed ? 6 : 4);
        name = index === 0 ? this.#text() : this.#nameAt(index);
        value = this.#text();
        if (isIndexed) this.#insert(name, value);
      }
      size += name.length + value.length + entryOverhead;
      if (size <= this.#limitBytes) list.push(name, value);
    }
    return { list, isTooLarge: size > this.#limitBytes };
  }

  #nameAt(index: number): string {
    if (index === 0) throw broken("index 0");
    if (index <= staticEntries) return staticTable[index * 2 - 2] as string;
    return this.#names[this.#slot(index)] as string;
  }

  #valueAt(index: number): string {
    if (index <= staticEntries) return staticTable[index * 2 - 1] as string;
    return this.#values[this.#slot(index)] as string;
  }

  #slot(index: number): number {
    const age = index - staticEntries;
    if (age > this.#count) throw broken(`index ${index} of ${staticEntries + this.#count}`);
    return (this.#next - age + ringLength) % ringLength;
  }

  #insert(name: string, value: string): void {
    this.#changes += 1;
    const size = name.length + value.length + entryOverhead;
    this.#evict(this.#maxSize - size);
    if (size > this.#maxSize) return; // it has emptied the table
    this.#names[this.#next] = name;
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % ringLength;
    this.#count += 1;
    this.#size += size;
  }

  #resize(size: number): void {
    if (size > tableBytes) throw broken(`a table of ${size} bytes`);
    this.#changes += 1;
    this.#maxSize = size;
    this.#evict(size);
  }

  /** Drops the oldest entries until those left take `room` bytes at most. */
  #evict(room: number): void {
    while (this.#count > 0 && this.#size > room) {
      const oldest = (this.#next - this.#count + ringLength) % ringLength;
      this.#size -= (this.#names[oldest] as string).length + (this.#values[oldest] as string).length + entryOverhead;
      this.#names[oldest] = "";
      this.#values[oldest] = "";
      this.#count -= 1;
    }
  }

  /** An integer whose first `bits` bits are the lowest of the current byte. */
  #integer(bits: number): number {
    const most = (1 << bits) - 1;
    let value = (this.#bytes[this.#at++] as number) & most;
    if (value < most) return value;
    for (let shift = 0; ; shift += 7) {
      if (this.#at >= this.#end || shift > 21) throw broken("an integer");
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  #text(): string {
    if (this.#at >= this.#end) throw broken("a block that is cut short");
    const isCoded = (this.#bytes[this.#at] as number) >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) throw broken("a text that is cut short");
    this.#at = end;
    if (!isCoded) return this.#bytes.toString("latin1", start, end);
    const written = decodeHuffman(this.#bytes, start, end, scratch);
    if (written < 0) throw broken("a Huffman code");
    return scratch.toString("latin1", 0, written);
  }
}

function sameBytes(bytes: Buffer, start: number, end: number, other: Buffer): boolean {
  const length = end - start;
  if (length !== other.length) return false;
  for (let at = 0; at < length; at++) if (bytes[start + at] !== other[at]) return false;
  return true;
}

function broken(what: string): Http2Error {
  return new Http2Error(ErrorCode.compression, `HPACK: ${what}`);
}

/** Writes a field as a literal that enters no table: readable whatever the peer's table is. */
export function literalField(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), literalText(name), literalText(value)]);
}

/** The same with the name of an entry of the static table. */
export function namedField(index: number, value: string): Buffer {
  return Buffer.concat([integer(index, 4, 0), literalText(value)]);
}

/** Says how large the dynamic table is from here; only in front of a header block. */
export function tableSize(bytes: number): Buffer {
  return integer(bytes, 5, 0x20);
}

/** A field that is an entry of the static table. */
export function indexedField(index: number): Buffer {
  return integer(index, 7, 0x80);
}

function literalText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([integer(bytes.length, 7, 0), bytes]);
}

function integer(value: number, bits: number, flags: number): Buffer {
  const most = (1 << bits) - 1;
  if (value < most) return Buffer.from([flags | value]);
  const bytes = [flags | most];
  let rest = value - most;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
