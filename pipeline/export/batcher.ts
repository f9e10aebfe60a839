import type { ClientInfo } from "../delivery.ts";
import type { Clock, Timer } from "../host.ts";
import { Cutter, concat, type Pdata } from "../pdata/index.ts";
import { type Entry, sizeOf } from "./queue.ts";
import type { Failure } from "./sender.ts";
import type { BatchSettings } from "./settings.ts";

/** What is sent at once, and the entries it holds items of. */
export interface Batch<T extends Pdata> {
  readonly data: T;
  readonly entries: readonly Tracked<T>[];
  /** For whom it is sent, when its entries were put together by that. */
  readonly client?: ClientInfo;
  /** Memory of its own, besides that of its entries: a piece repeats the resource it is of. */
  readonly ownBytes?: number;
}

/** An entry of which parts may travel in several batches: it is settled with the last one. */
export interface Tracked<T extends Pdata> {
  readonly entry: Entry<T>;
  /** Batches it is in that are not settled, plus one while some of it is not in a batch. */
  pending: number;
  /** The first failure of one of them. */
  failure?: Failure | undefined;
}

interface Part<T extends Pdata> {
  readonly tracked: Tracked<T>;
  items: number;
}

/**
 * What is larger than a batch may be, cut one batch at a time: each repeats its resource, so all of them at once can be a
 * thousand times the data.
 */
export class Pieces<T extends Pdata> {
  readonly #cutter = new Cutter<T>();
  readonly #limit: { readonly items?: number; readonly bytes?: number };
  readonly #parts: Part<T>[];
  readonly #client: { readonly client?: ClientInfo };
  readonly #keep: (last: T, parts: readonly Part<T>[]) => boolean;

  /** @param keep whether the last piece is kept to be joined with what comes, instead of leaving */
  constructor(
    data: T,
    limit: { readonly items?: number; readonly bytes?: number },
    parts: Part<T>[],
    client: { readonly client?: ClientInfo },
    keep: (last: T, parts: readonly Part<T>[]) => boolean,
  ) {
    this.#cutter.add(data);
    this.#limit = limit;
    this.#parts = parts;
    this.#client = client;
    this.#keep = keep;
  }

  /** The next batch; undefined when there is none any more. */
  next(): Batch<T> | undefined {
    const data = this.#cutter.cut(this.#limit);
    if (data === undefined) return undefined;
    const isLast = this.#cutter.memoryBytes === 0;
    const parts = isLast ? this.#parts : takeItems(this.#parts, data.itemCount);
    if (isLast && this.#keep(data, parts)) return undefined;
    return { data, entries: trackedOf(parts), ownBytes: data.memoryBytes, ...this.#client };
  }

  /** All that is left as one batch, however large: when it will not be sent. */
  rest(): Batch<T> | undefined {
    const data = this.#cutter.cut();
    return data && { data, entries: trackedOf(this.#parts), ...this.#client };
  }
}

function trackedOf<T extends Pdata>(parts: readonly Part<T>[]): Tracked<T>[] {
  return parts.map(({ tracked }) => tracked);
}

export interface BatcherSettings extends Pick<BatchSettings, "flush_timeout" | "min_size" | "max_size"> {
  readonly sizer: BatchSettings["sizer"];
}

/** Joins entries until they are `min_size` or the first one has waited for `flush_timeout`; splits at `max_size`. */
export class Batcher<T extends Pdata> {
  readonly #settings: BatcherSettings;
  readonly #clock: Clock;
  readonly #emit: (batch: Batch<T> | Pieces<T>) => void;
  readonly #client: { readonly client?: ClientInfo };
  #data: T[] = [];
  #parts: Part<T>[] = [];
  #size = 0;
  #timer: Timer | undefined;

  /** `emit` is called from `add`, `flush` and the timer. `client` is that of every batch. */
  constructor(
    settings: BatcherSettings,
    clock: Clock,
    emit: (batch: Batch<T> | Pieces<T>) => void,
    client?: ClientInfo,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#emit = emit;
    this.#client = client === undefined ? {} : { client };
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  add(entry: Entry<T>): void {
    const tracked: Tracked<T> = { entry, pending: 1 };
    // Profiles have one dictionary each and cannot be joined.
    if (entry.data.signal === "profiles" || this.#isBatch(entry.data)) {
      this.#emit({ data: entry.data, entries: [tracked], ...this.#client });
      return;
    }
    this.#hold(entry.data, [{ tracked, items: entry.data.itemCount }]);
    if (this.#size >= this.#settings.min_size) this.#cut(true);
  }

  flush(): void {
    if (!this.isEmpty) this.#cut(false);
  }

  /** Whether `data` can go as it is: nothing is held that it could join, and it needs no splitting. */
  #isBatch(data: T): boolean {
    const { sizer, min_size, max_size } = this.#settings;
    const size = sizeOf(data, sizer);
    return this.isEmpty && size >= min_size && (max_size === 0 || size <= max_size);
  }

  #hold(data: T, parts: readonly Part<T>[]): void {
    this.#data.push(data);
    this.#parts.push(...parts);
    this.#size += sizeOf(data, this.#settings.sizer);
    this.#timer ??= this.#clock.setTimer(() => {
      this.#timer = undefined;
      this.flush();
    }, this.#settings.flush_timeout);
  }

  #take() {
    const held = { data: this.#data, parts: this.#parts };
    this.#data = [];
    this.#parts = [];
    this.#size = 0;
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    return held;
  }

  /** Sends what is held; `keepRest` keeps a last piece that is smaller than `min_size`. */
  #cut(keepRest: boolean): void {
    const { sizer, max_size, min_size } = this.#settings;
    const { data, parts } = this.#take();
    const merged = concat(data);
    if (max_size === 0 || sizeOf(merged, sizer) <= max_size) {
      this.#emit({ data: merged, entries: trackedOf(parts), ...this.#client });
      return;
    }
    const limit = sizer === "bytes" ? { bytes: max_size } : { items: max_size };
    const keep = (last: T, itsParts: readonly Part<T>[]) => {
      const isKept = keepRest && sizeOf(last, sizer) < min_size;
      if (isKept) this.#hold(last, itsParts);
      return isKept;
    };
    this.#emit(new Pieces(merged, limit, parts, this.#client, keep));
  }
}

/** Takes the parts of the first `items` items off `parts`; an entry that is cut gets one more pending batch. */
function takeItems<T extends Pdata>(parts: Part<T>[], items: number): Part<T>[] {
  const taken: Part<T>[] = [];
  let missing = items;
  while (missing > 0) {
    const [first] = parts;
    if (first === undefined) break;
    if (first.items <= missing) {
      parts.shift();
      taken.push(first);
      missing -= first.items;
    } else {
      first.items -= missing;
      first.tracked.pending++;
      taken.push({ tracked: first.tracked, items: missing });
      missing = 0;
    }
  }
  return taken;
}
