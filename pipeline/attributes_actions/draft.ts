import { type AttributesEditor, attributeKeys, type Key, type Value } from "../pdata/index.ts";
import type { Pattern } from "./pattern.ts";
import { plainValue, type TypedValue, typedValue } from "./typed_value.ts";

const untouched = 0;
const written = 1;
const deleted = 2;

/** Keys seen in data that are remembered at most, beyond those of the config. */
const rememberedKeys = 4096;

/**
 * The attributes of one item while several steps work on them: what a step wrote, the next one reads. An editor shows
 * an item as it arrived, so changes are kept here and written once, at the end. One draft is reused for every item.
 *
 * Keys are numbers, called slots. Those asked for before the first item are looked up together, in one walk.
 */
export class Draft {
  readonly #names: string[] = [];
  readonly #slots = new Map<string, number>();
  readonly #states: number[] = [];
  readonly #values: (TypedValue | undefined)[] = [];
  readonly #touched: number[] = [];
  readonly #matches = new Map<Pattern, Map<string, boolean>>();
  #keys: Key[] = [];
  #fixedCount: number | undefined;
  #target!: AttributesEditor;

  /** The slot of an attribute. One that is asked for while an item is at work is good for that item only. */
  slot(name: string): number {
    return this.#slots.get(name) ?? this.#add(name);
  }

  /** Takes up an item. */
  begin(target: AttributesEditor): void {
    this.#target = target;
    if (this.#fixedCount === undefined) this.#group();
    else if (this.#names.length > this.#fixedCount + rememberedKeys) this.#forget(this.#fixedCount);
  }

  has(slot: number): boolean {
    const state = this.#states[slot];
    return state === untouched ? this.#target.has(this.#keys[slot]!) : state === written;
  }

  read(slot: number): TypedValue | undefined {
    const state = this.#states[slot];
    if (state === untouched) return typedValue(this.#target, this.#keys[slot]!);
    return state === written ? this.#values[slot] : undefined;
  }

  set(slot: number, value: TypedValue): void {
    this.#touch(slot, written);
    this.#values[slot] = value;
  }

  delete(slot: number): void {
    this.#touch(slot, deleted);
  }

  /** All attributes as they stand now. Slow: reads every value. */
  *entries(): Iterable<readonly [name: string, value: Value]> {
    for (const entry of this.#target.entries()) {
      if (this.#states[this.#slots.get(entry[0]) ?? -1] !== deleted) yield entry;
    }
    for (const slot of this.#touched) {
      if (this.#states[slot] === written) yield [this.#names[slot]!, plainValue(this.#values[slot]!)];
    }
  }

  /** The slots of all attributes that stand now and whose key matches. */
  slotsMatching(pattern: Pattern): number[] {
    const names = new Set([...this.entries()].map(([name]) => name));
    return [...names].filter((name) => this.#isMatch(pattern, name)).map((name) => this.slot(name));
  }

  /** Hands all changes to the item's editor. */
  write(): void {
    for (const slot of this.#touched) {
      if (this.#states[slot] === written) this.#target.set(this.#keys[slot]!, this.#values[slot]!);
      else this.#target.delete(this.#keys[slot]!);
      this.#states[slot] = untouched;
      this.#values[slot] = undefined;
    }
    this.#touched.length = 0;
  }

  #touch(slot: number, state: number): void {
    if (this.#states[slot] === untouched) this.#touched.push(slot);
    this.#states[slot] = state;
  }

  #isMatch(pattern: Pattern, name: string): boolean {
    const known = this.#matches.get(pattern) ?? new Map<string, boolean>();
    this.#matches.set(pattern, known);
    const answer = known.get(name) ?? pattern.matches(name);
    if (known.size < rememberedKeys) known.set(name, answer);
    return answer;
  }

  #add(name: string): number {
    const slot = this.#names.length;
    this.#names.push(name);
    this.#states.push(untouched);
    this.#values.push(undefined);
    this.#slots.set(name, slot);
    if (this.#fixedCount !== undefined) this.#keys.push(attributeKeys({ key: name }).key);
    return slot;
  }

  #group(): void {
    const keys = attributeKeys(Object.fromEntries(this.#names.map((name, slot) => [`slot ${slot}`, name])));
    this.#keys = this.#names.map((_, slot) => keys[`slot ${slot}`]!);
    this.#fixedCount = this.#names.length;
  }

  /** Drops the slots of keys that only data brought. */
  #forget(fixedCount: number): void {
    for (const name of this.#names.slice(fixedCount)) this.#slots.delete(name);
    for (const list of [this.#keys, this.#names, this.#states, this.#values]) list.length = fixedCount;
    this.#matches.clear();
  }
}
