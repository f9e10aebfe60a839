import type { Span } from "../pdata/index.ts";
import { CodeBuilder, NumberBuilder, stringColumn, TextBuilder } from "./builders.ts";
import type { Column, StringColumn } from "./columns.ts";
import { GroupKeys } from "./group_keys.ts";
import { groupColumn, type Plan } from "./plan.ts";

/**
 * The spans of one window as columns, straight from the bytes: 4 bytes for the group, 8 for each number, 4 for each
 * text of a row, and every distinct text once. Keeps nothing of the spans themselves.
 */
export class SpanFrame {
  readonly #plan: Plan;
  readonly #keys: GroupKeys;
  readonly #groups = new CodeBuilder();
  readonly #numbers: readonly NumberBuilder[];
  readonly #texts: readonly TextBuilder[];

  constructor(plan: Plan, maxGroups: number) {
    this.#plan = plan;
    this.#keys = new GroupKeys(
      plan.groupBy.map(({ read }) => read),
      maxGroups,
    );
    this.#numbers = plan.numbers.map(() => new NumberBuilder());
    this.#texts = plan.texts.map(() => new TextBuilder());
  }

  get rowCount(): number {
    return this.#groups.length;
  }

  /** Spans that went into the overflow group. */
  get overflowCount(): number {
    return this.#keys.overflowCount;
  }

  /** Memory held: typed arrays with their unused rest, and an estimate for the dictionaries. */
  get sizeBytes(): number {
    let size = this.#groups.sizeBytes + this.#keys.sizeBytes;
    for (const builder of this.#numbers) size += builder.sizeBytes;
    for (const builder of this.#texts) size += builder.sizeBytes;
    return size;
  }

  append(span: Span): void {
    const { numbers, texts } = this.#plan;
    this.#groups.push(this.#keys.idOf(span));
    for (let place = 0; place < numbers.length; place++) this.#numbers[place]!.push(numbers[place]!.read(span));
    for (let place = 0; place < texts.length; place++) this.#texts[place]!.push(texts[place]!.read(span));
  }

  /** The table for an engine. Views on this frame's memory: append nothing afterwards. */
  table(): readonly Column[] {
    const { numbers, texts } = this.#plan;
    return [
      stringColumn(groupColumn, this.#groups.finish(), this.#groupNames()),
      ...numbers.map(({ name }, place) => this.#numbers[place]!.finish(name)),
      ...texts.map(({ name }, place) => this.#texts[place]!.finish(name)),
    ];
  }

  /** An engine's answer for people: its group numbers replaced by the group columns. */
  answer(result: readonly Column[]): readonly Column[] {
    const [groups, ...aggregates] = result;
    assertGroups(groups);
    const ids = groups.values.map((code) => Number(groups.dictionary[code]));
    const names = this.#plan.groupBy.map(({ name }) => name);
    return [...this.#keys.columns(names, ids), ...aggregates];
  }

  #groupNames(): readonly string[] {
    return Array.from({ length: this.#keys.idLimit }, (_, id) => String(id));
  }
}

function assertGroups(column: Column | undefined): asserts column is StringColumn {
  if (column?.type !== "string") throw new Error(`the engine's answer does not start with the column "${groupColumn}"`);
}
