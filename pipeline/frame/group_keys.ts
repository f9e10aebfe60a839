import type { Span } from "../pdata/index.ts";
import { Dictionary, stringColumn } from "./builders.ts";
import type { StringColumn } from "./columns.ts";
import type { TextReader } from "./fields.ts";
import { GroupIndex } from "./group_index.ts";

/** Stands in every group column of the row that gathers what found no place of its own. */
export const overflowText = "otel.metric.overflow";

/**
 * Numbers the groups of one window: spans with the same texts in all group fields share a number. Past the limit new
 * combinations share one more, the overflow group, and their texts are not kept: a field with endless values (a user
 * id) costs bounded memory.
 */
export class GroupKeys {
  readonly #readers: readonly TextReader[];
  readonly #dictionaries: readonly Dictionary[];
  readonly #tuple: Int32Array;
  readonly #index: GroupIndex;
  readonly #limit: number;
  #overflowCount = 0;

  constructor(readers: readonly TextReader[], limit: number) {
    this.#readers = readers;
    this.#dictionaries = readers.map(() => new Dictionary());
    this.#tuple = new Int32Array(readers.length);
    this.#index = new GroupIndex(readers.length);
    this.#limit = limit;
  }

  /** Spans that went into the overflow group. */
  get overflowCount(): number {
    return this.#overflowCount;
  }

  /** All numbers given out are below it. */
  get idLimit(): number {
    return this.#overflowCount > 0 ? this.#limit + 1 : this.#index.size;
  }

  get sizeBytes(): number {
    return this.#dictionaries.reduce((sum, dictionary) => sum + dictionary.sizeBytes, this.#index.sizeBytes);
  }

  /** The number of the group `span` belongs to; the overflow group's is the limit. */
  idOf(span: Span): number {
    if (this.#index.size < this.#limit) {
      for (let place = 0; place < this.#tuple.length; place++) {
        const text = this.#readers[place]!(span);
        this.#tuple[place] = text === undefined ? -1 : this.#dictionaries[place]!.code(text);
      }
      return this.#index.add(this.#tuple);
    }
    const id = this.#knownId(span);
    if (id !== -1) return id;
    this.#overflowCount++;
    return this.#limit;
  }

  #knownId(span: Span): number {
    for (let place = 0; place < this.#tuple.length; place++) {
      const text = this.#readers[place]!(span);
      const code = text === undefined ? -1 : this.#dictionaries[place]!.find(text);
      if (code === -1 && text !== undefined) return -1;
      this.#tuple[place] = code;
    }
    return this.#index.find(this.#tuple);
  }

  /** The group columns, named by `names`, for rows of the groups `ids`. */
  columns(names: readonly string[], ids: Int32Array): readonly StringColumn[] {
    return names.map((name, place) => {
      const { texts } = this.#dictionaries[place]!;
      const code = (id: number) => (id === this.#limit ? texts.length : this.#index.at(id, place));
      return stringColumn(name, ids.map(code), ids.includes(this.#limit) ? [...texts, overflowText] : texts);
    });
  }
}
