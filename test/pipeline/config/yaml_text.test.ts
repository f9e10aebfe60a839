import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { placeText } from "../../../pipeline/config/problem.ts";
import { keyPlaceAt, plainOf, valuePlaceAt } from "../../../pipeline/config/tree.ts";
import { parseYaml } from "../../../pipeline/config/yaml_text.ts";

function parse(text: string) {
  return parseYaml({ name: "p.yaml", text });
}

describe("a YAML text is read as", () => {
  for (const { name, text, value } of [
    { name: "nothing", text: "", value: null },
    { name: "a comment", text: "# only\n", value: null },
    {
      name: "scalars of the core schema",
      text: "[1, 1.5, true, null, ~, yes, 0x1F, '1']",
      value: [1, 1.5, true, null, null, "yes", 31, "1"],
    },
    {
      name: "numbers as yaml.v3 reads them",
      text: "[0123, -017, 0b11, 1_000, 1_0.5, 0128, 0x1_0, '0123', !!str 0123, 0o17, 1__, 1_a, 0]",
      value: [83, -15, 3, 1000, 10.5, 128, 16, "0123", "0123", 15, 1, "1_a", 0],
    },
    { name: "an anchor and its alias", text: "a: &x { k: 1 }\nb: *x\n", value: { a: { k: 1 }, b: { k: 1 } } },
    {
      name: "a merge, own keys first",
      text: "a: &x { k: 1, l: 2 }\nb: { l: 3, <<: *x }\n",
      value: { a: { k: 1, l: 2 }, b: { l: 3, k: 1 } },
    },
    {
      name: "a merge of several, earlier ones first",
      text: "a: { <<: [{ k: 1 }, { k: 2, l: 2 }] }",
      value: { a: { k: 1, l: 2 } },
    },
    { name: "a quoted merge key, which is an ordinary one", text: 'a: { "<<": 1 }', value: { a: { "<<": 1 } } },
    { name: "keys with ::, which are nested", text: "a::b: 1\na::c::d: 2\n", value: { a: { b: 1, c: { d: 2 } } } },
    {
      name: "a key with :: beside the mapping it belongs to",
      text: "a: { b: 1 }\na::c: 2\n",
      value: { a: { b: 1, c: 2 } },
    },
    { name: "keys that are numbers, as text", text: "{ 1: a, 2.50: b }", value: { 1: "a", "2.50": "b" } },
    { name: "the first of several documents", text: "a: 1\n---\nb: 2\n", value: { a: 1 } },
    { name: "a block text", text: "a: |\n  one\n  two\n", value: { a: "one\ntwo\n" } },
  ]) {
    it(name, () => {
      const { tree, problems } = parse(text);
      assert.deepEqual(problems, []);
      assert.deepEqual(plainOf(tree), value);
    });
  }
});

it("keeps __proto__ an ordinary key", () => {
  const value = plainOf(parse("{ __proto__: { polluted: true } }").tree) as object;
  assert.deepEqual(Object.keys(value), ["__proto__"]);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
});

describe("a YAML text is refused for", () => {
  for (const { name, text, want } of [
    {
      name: "a key given twice",
      text: "a: 1\nb: 2\na: 3\n",
      want: 'p.yaml:3:1: key "a" is given twice in one mapping',
    },
    { name: "an alias without an anchor", text: "a: *x\n", want: "p.yaml:1:4: no anchor &x before this alias" },
    {
      name: "an alias inside its own anchor",
      text: "a: &x [*x]\n",
      want: "p.yaml:1:8: alias *x is inside its own anchor",
    },
    {
      name: "a merge of something else",
      text: "a: { <<: 1 }\n",
      want: 'p.yaml:1:6: "<<" takes a mapping or a list of mappings',
    },
    { name: "a key that is a list", text: "{ [a]: 1 }\n", want: "p.yaml:1:3: a key must be a text" },
    { name: "a quote that is not closed", text: 'a: "x\n', want: 'p.yaml:2:1: not valid YAML: missing closing "quote' },
  ]) {
    it(name, () => {
      const [problem] = parse(text).problems;
      assert.ok(problem !== undefined);
      assert.equal(`${placeText(problem.place)}: ${problem.message}`, want);
    });
  }
});

// Scenario: each anchor holds two aliases of the one before; written out it would have 2^30 values.
// Guarantees: it is refused at once instead of filling the memory.
it("refuses aliases of aliases that grow without bound", () => {
  const lines = Array.from({ length: 30 }, (_, level) => `a${level + 1}: &a${level + 1} [*a${level}, *a${level}]`);
  const { problems } = parse(["a0: &a0 [1]", ...lines].join("\n"));
  assert.deepEqual(
    problems.map((problem) => problem.message),
    ["more than 200000 values"],
  );
});

it("knows where keys and values stand, in blocks, flow mappings and behind aliases", () => {
  const { tree } = parse("a: &x\n  b: 1\nc: { d: [2, *x] }\ne:\n");
  const keyPlace = (...path: (string | number)[]) => placeText(keyPlaceAt(tree, path));
  const valuePlace = (...path: (string | number)[]) => placeText(valuePlaceAt(tree, path));
  assert.equal(keyPlace("a", "b"), "p.yaml:2:3");
  assert.equal(valuePlace("a", "b"), "p.yaml:2:6");
  assert.equal(valuePlace("c", "d", 0), "p.yaml:3:10");
  assert.equal(valuePlace("c", "d", 1, "b"), "p.yaml:2:6");
  assert.equal(valuePlace("e"), "p.yaml:4:1");
  assert.equal(keyPlace("c", "nope"), "p.yaml:3:1");
});
