import assert from "node:assert/strict";
import { type Attributes, attributeKeys, type Key, text, type Value } from "../../../../pipeline/pdata/index.ts";
import type { AnyValue, KeyValue } from "../../../../pipeline/pdata/objects/types.ts";

/** What views say of attributes, held against decoded ones. */

/** A decoded attribute value as the views give it. */
export function viewedValue(value: AnyValue | undefined): Value {
  if (value?.stringValue !== undefined) return value.stringValue;
  if (value?.boolValue !== undefined) return value.boolValue;
  if (value?.intValue !== undefined) return narrowed(value.intValue);
  if (value?.doubleValue !== undefined) return value.doubleValue;
  if (value?.bytesValue !== undefined) return value.bytesValue;
  if (value?.arrayValue !== undefined) return value.arrayValue.values.map(viewedValue);
  if (value?.kvlistValue === undefined) return null;
  return Object.fromEntries(value.kvlistValue.values.map((entry) => [entry.key, viewedValue(entry.value)]));
}

/** A number where it is exact, else the bigint. */
export function narrowed(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Keys in one group: some that random messages have, one they never have, and one too long for the fast way. */
const keys: Readonly<Record<string, Key>> = attributeKeys({
  empty: "",
  one: "a",
  three: "key",
  service: "service.name",
  model: "gen_ai.request.model",
  accent: "é",
  currency: "€uro",
  missing: "not.there",
  long: "x".repeat(150),
});
const constants = ["", "a", "key", "service.name", "😀", "x".repeat(150)].map((value) => ({
  value,
  text: text(value),
}));

/** Every reading method of `Attributes` says what the decoded list says; of equal keys the first counts. */
export function checkAttributes(view: Attributes, list: readonly KeyValue[]): void {
  assert.deepEqual(
    [...view.entries()],
    list.map(({ key, value }) => [key, viewedValue(value)]),
  );
  for (const key of Object.values(keys)) {
    const found = list.find((attribute) => attribute.key === key.name);
    const { stringValue, intValue, doubleValue } = found?.value ?? {};
    assert.equal(view.has(key), found !== undefined, `has ${key.name}`);
    assert.deepEqual(view.value(key), found === undefined ? undefined : viewedValue(found.value), `value ${key.name}`);
    assert.equal(view.string(key), stringValue, `string ${key.name}`);
    assert.equal(view.int(key), intValue === undefined ? undefined : narrowed(intValue), `int ${key.name}`);
    assert.deepEqual(view.number(key), intValue === undefined ? doubleValue : Number(intValue), `number ${key.name}`);
    for (const constant of constants) {
      assert.equal(view.is(key, constant.text), stringValue === constant.value, `${key.name} is ${constant.value}`);
    }
  }
}
