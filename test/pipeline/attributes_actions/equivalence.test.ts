import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { type AttributeMap, acted, bool, dbl, int, text } from "./support.ts";

const seed = Number(process.env["OTELPIPE_SEED"] ?? 42);

const keys = ["a", "b", "c", "long.attribute.key", "täg"] as const;
const key = fc.constantFrom(...keys);
const value = fc.oneof(
  fc.string().map(text),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(int),
  fc.double({ noNaN: true }).map(dbl),
  fc.boolean().map(bool),
);
const span: fc.Arbitrary<AttributeMap> = fc.dictionary(key, value);
const action = fc.oneof(
  fc.record({ key, action: fc.constantFrom("insert", "update", "upsert"), value: fc.constantFrom("x", 7, 0.5, false) }),
  fc.record({ key, action: fc.constantFrom("insert", "update", "upsert"), from_attribute: key }),
  fc.record({ key, action: fc.constant("delete") }),
  fc.record({ pattern: fc.constantFrom("^a$", "[bc]", "key$", "ä"), action: fc.constant("delete") }),
);

type Action = {
  readonly key?: string;
  readonly action: string;
  readonly pattern?: string;
  readonly value?: unknown;
  readonly from_attribute?: string;
};

/** The same actions on plain objects: what the engine over bytes must equal. */
function model(actions: readonly Action[], attributes: AttributeMap): AttributeMap {
  const map = new Map(Object.entries(attributes));
  for (const { key: name = "", action: kind, pattern, value: given, from_attribute } of actions) {
    if (kind === "delete") {
      map.delete(name);
      if (pattern !== undefined)
        for (const present of [...map.keys()]) if (new RegExp(pattern).test(present)) map.delete(present);
      continue;
    }
    const source = from_attribute === undefined ? wired(given) : map.get(from_attribute);
    const wanted = kind === "upsert" || map.has(name) === (kind === "update");
    if (source !== undefined && wanted) map.set(name, source);
  }
  return Object.fromEntries(map);
}

function wired(given: unknown): AttributeMap[string] {
  if (typeof given === "string") return text(given);
  if (typeof given === "boolean") return bool(given);
  return Number.isInteger(given) ? int(Number(given)) : dbl(Number(given));
}

it("editing bytes equals editing objects, for any actions on any spans", () => {
  console.log(`OTELPIPE_SEED=${seed}`);
  const property = fc.property(
    fc.array(action, { minLength: 1, maxLength: 8 }),
    fc.array(span, { maxLength: 5 }),
    (actions, spans) => {
      assert.deepEqual(
        acted(actions, spans),
        spans.map((attributes) => model(actions, attributes)),
      );
    },
  );
  fc.assert(property, { seed, numRuns: 2000 });
});
