import { recycle } from "./buffers.ts";
import type { Rows } from "./rows.ts";
import { fillLogs } from "./rows_logs.ts";
import { fillMetrics } from "./rows_metrics.ts";
import { fillTraces } from "./rows_traces.ts";
import type { Signal } from "./signal.ts";
import { lengthBefore } from "./wire.ts";

let lastId = 0;

/** A request as it came, before it was decompressed. Nobody writes into `bytes`. */
export interface EncodedBody {
  /** The coding, by its name in `pipeline/net`. */
  readonly encoding: string;
  readonly bytes: Buffer;
}

export interface ChunkOptions {
  readonly rows?: Rows;
  readonly isRewritten?: boolean;
  /** Whether `bytes` came from `allocate`, and nobody else has them. */
  readonly isOwn?: boolean;
  readonly encoded?: EncodedBody;
}

/**
 * One serialized `Export…ServiceRequest` in ordinary form. Immutable: nobody writes into `bytes`.
 *
 * `rows` say where items, scopes and resources lie. They are shared by all readers, and filled by the validating walk
 * or when the first reader needs them.
 */
export class Chunk {
  readonly bytes: Buffer;
  readonly itemCount: number;
  readonly signal: Signal;
  /** Loads of four bytes at any offset; as long as `bytes`. */
  readonly view: DataView;
  /** Tells chunks apart without holding them. */
  readonly id: number;
  /** Whether the validating walk had to put an odd encoding into ordinary form: these are not the sender's bytes. */
  readonly isRewritten: boolean;
  /** What decompresses to exactly `bytes`, where they came like that and it may be sent on. */
  readonly encoded: EncodedBody | undefined;
  #rows: Rows | undefined;
  #runEnds: Map<Int32Array, Int32Array> | undefined;
  #isOwn: boolean;

  constructor(signal: Signal, bytes: Buffer, itemCount: number, options: ChunkOptions = {}) {
    this.signal = signal;
    this.bytes = bytes;
    this.itemCount = itemCount;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    lastId += 1;
    this.id = lastId;
    this.isRewritten = options.isRewritten ?? false;
    this.encoded = options.encoded;
    this.#rows = options.rows;
    this.#isOwn = options.isOwn ?? false;
  }

  /** Gives the memory back when it was made by an edit; see `release`. */
  release(): void {
    if (this.#isOwn) recycle(this.bytes);
    this.#isOwn = false;
  }

  get rows(): Rows {
    this.#rows ??= fill(this.signal, this.bytes, this.itemCount);
    return this.#rows;
  }

  /** `rows`, unless nobody has needed them yet. */
  get foundRows(): Rows | undefined {
    return this.#rows;
  }

  /** For each row of one of the tables in `rows`, the first row behind it that does not stand right behind the one before. */
  runEnds(table: Int32Array, width: number): Int32Array {
    this.#runEnds ??= new Map();
    let ends = this.#runEnds.get(table);
    if (ends === undefined) {
      ends = findRunEnds(table, width);
      this.#runEnds.set(table, ends);
    }
    return ends;
  }
}

function findRunEnds(table: Int32Array, width: number): Int32Array {
  const ends = new Int32Array(table.length / width);
  for (let index = ends.length - 1; index >= 0; index--) {
    const next = (index + 1) * width;
    const isFollowed =
      next < table.length && table[next - width + 1] === lengthBefore(table[next]!, table[next + 1]!) - 1;
    ends[index] = isFollowed ? ends[index + 1]! : index + 1;
  }
  return ends;
}

function fill(signal: Signal, bytes: Buffer, itemCount: number): Rows {
  switch (signal) {
    case "traces":
      return fillTraces(bytes, itemCount);
    case "logs":
      return fillLogs(bytes, itemCount);
    case "metrics":
      return fillMetrics(bytes, itemCount);
    case "profiles":
      throw new TypeError("profiles are passed through, they have no rows");
  }
}
