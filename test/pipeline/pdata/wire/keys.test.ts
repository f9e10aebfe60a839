import assert from "node:assert/strict";
import { it } from "node:test";
import { type Attributes, attributeKeys, type Key, receive, text } from "../../../../pipeline/pdata/index.ts";
import { encodeRequest, type Message } from "./protobuf.ts";

/** Every span of a request whose spans have these attributes. */
function spans(...attributes: Message[][]): Iterable<Attributes> {
  const request = { resourceSpans: [{ scopeSpans: [{ spans: attributes.map((list) => ({ attributes: list })) }] }] };
  return receive("traces", encodeRequest("traces", request)).spans();
}

const string = (key: string, stringValue: string) => ({ key, value: { stringValue } });

it("finds keys of every length, the first bytes or the last alike or not", () => {
  const names = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 31, 32, 126, 127, 128, 129, 300].flatMap((size) =>
    size === 0 ? [""] : [`${"k".repeat(size - 1)}x`, `${"k".repeat(size - 1)}y`, `y${"k".repeat(size - 1)}`],
  );
  const keys = attributeKeys(Object.fromEntries(names.map((name) => [name, name])));
  for (const present of names) {
    for (const span of spans([string(present, "here")])) {
      for (const name of names)
        assert.equal(span.string(keys[name] as Key), name === present ? "here" : undefined, name);
    }
  }
});

it("finds keys that are not graphic ASCII, alone and beside others", () => {
  const names = [
    "é",
    "schlüssel.länge",
    "with space",
    "tab\there",
    "漢字漢字漢字",
    "\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000",
    "plain.key",
  ];
  for (const group of [names, ...names.map((name) => [name])]) {
    const keys = attributeKeys(Object.fromEntries(group.map((name) => [name, name])));
    for (const present of [...names, "\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0080"]) {
      for (const span of spans([string("first", "x"), string(present, "here")])) {
        for (const name of group) assert.equal(span.has(keys[name] as Key), name === present, `${name} in ${present}`);
      }
    }
  }
});

it("takes the first of equal keys, also of two names for one key", () => {
  const keys = attributeKeys({ one: "k", two: "k" });
  for (const span of spans([string("k", "first"), string("k", "second")])) {
    assert.deepEqual([span.string(keys.one), span.string(keys.two)], ["first", "first"]);
  }
});

it("does not take one span's, owner's or batch's values for another's", () => {
  const { k } = attributeKeys({ k: "k" });
  const first = spans([string("k", "a")], [], [string("j", "x")], [string("k", "b")]);
  const second = spans([string("k", "c")]);
  const seen: (string | undefined)[] = [];
  for (const span of first) {
    for (const other of second) seen.push(span.string(k), other.string(k), span.string(k));
  }
  assert.deepEqual(seen, ["a", "c", "a", undefined, "c", undefined, undefined, "c", undefined, "b", "c", "b"]);
});

it("compares texts of every length with constants", () => {
  const { k } = attributeKeys({ k: "k" });
  for (const size of [0, 1, 3, 4, 5, 8, 127, 128, 200, 5000]) {
    const value = "v".repeat(size);
    for (const span of spans([string("k", value)])) {
      assert.equal(span.is(k, text(value)), true, `${size}`);
      assert.equal(span.is(k, text(`${value}v`)), false);
      if (size > 0) assert.equal(span.is(k, text(`${value.slice(1)}w`)), false);
      assert.equal(span.string(k), value);
    }
  }
  for (const span of spans([{ key: "k", value: { intValue: 0 } }])) assert.equal(span.is(k, text("")), false);
});

it("reads strings right again and again, whatever else was read between", () => {
  const { k } = attributeKeys({ k: "k" });
  const values = Array.from(
    { length: 5000 },
    (_, index) => `value-${index % 700}-${[..."é漢🙂x"].slice(0, index % 5).join("")}`,
  );
  for (let pass = 0; pass < 3; pass++) {
    let index = 0;
    for (const span of spans(...values.map((value) => [string("k", value)]))) {
      assert.equal(span.string(k), values[index]);
      index += 1;
    }
  }
});
