// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a configuration are written like this
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { expandTree } from "../../../pipeline/config/expand.ts";
import { placeText } from "../../../pipeline/config/problem.ts";
import { plainOf, treeAt } from "../../../pipeline/config/tree.ts";
import { parseYaml } from "../../../pipeline/config/yaml_text.ts";

const environment = {
  NUMBER: "0123",
  QUOTED: '"0123"',
  FLAG: "true # on",
  WORD: "word",
  EMPTY: "",
  DOLLARS: "a $$ b",
  MAP: `{ number: "\${NUMBER}", word: "\${WORD}" }`,
  LIST: "[1, two]",
  NAME: "WORD",
  CIRCLE: `x\${CIRCLE}`,
  DEEP_CIRCLE: `["\${DEEP_CIRCLE}", "\${DEEP_CIRCLE}"]`,
  NOT_YAML: "a: b: c",
  REFERENCE: `\${WORD}`,
  COMMENTED: `12 # \${WORD}`,
};

/** What the value of the key `a` becomes. */
function expand(yaml: string) {
  const { tree } = parseYaml({ name: "p.yaml", text: `a: ${yaml}\n` });
  const files = (path: string) => (path === "part.yaml" ? "x: [1]\n" : assert.fail("no such file"));
  const expanded = expandTree(tree, { environment, readFile: files });
  const value = treeAt(expanded.tree, ["a"]);
  assert.ok(value !== undefined);
  return { ...expanded, value: plainOf(value), raw: value.raw };
}

describe("a reference becomes", () => {
  for (const { yaml, value, raw } of [
    { yaml: "${env:NUMBER}", value: 83, raw: "0123" },
    { yaml: "${NUMBER}", value: 83, raw: "0123" },
    { yaml: '"${NUMBER}"', value: 83, raw: "0123" },
    { yaml: "${QUOTED}", value: '"0123"', raw: '"0123"' },
    { yaml: "${FLAG}", value: true, raw: "true # on" },
    { yaml: "x${FLAG}", value: "xtrue # on" },
    { yaml: "x-${QUOTED}", value: 'x-"0123"' },
    { yaml: '"${WORD}:${NUMBER}"', value: "word:0123" },
    { yaml: "${EMPTY}", value: null, raw: "" },
    { yaml: "${env:UNSET:-5}", value: 5, raw: "5" },
    { yaml: "${env:UNSET:-[1, 2]}", value: [1, 2], raw: "[1, 2]" },
    { yaml: "${env:UNSET:-}", value: "", raw: "" },
    { yaml: "${env:EMPTY:-5}", value: null, raw: "" },
    { yaml: '"localhost:${env:UNSET:-4317}"', value: "localhost:4317" },
    { yaml: "${MAP}", value: { number: 83, word: "word" }, raw: '{ number: "0123", word: "word" }' },
    { yaml: "${LIST}", value: [1, "two"], raw: "[1, two]" },
    { yaml: "${NOT_YAML}", value: "a: b: c", raw: "a: b: c" },
    { yaml: "${REFERENCE}", value: "word", raw: "word" },
    { yaml: "${COMMENTED}", value: 12, raw: "12 # word" },
    { yaml: '"${env:${NAME}}"', value: "word", raw: "word" },
    { yaml: '["${NUMBER}", "x${WORD}"]', value: [83, "xword"] },
    { yaml: "${file:part.yaml}", value: { x: [1] }, raw: "x: [1]\n" },
    { yaml: '"${yaml:[1, 2]}"', value: [1, 2], raw: "[1, 2]" },
    { yaml: "{ $WORD: 1 }", value: { $WORD: 1 } },
    { yaml: '{ "${WORD}": 1 }', value: { "${WORD}": 1 } },
  ]) {
    it(yaml, () => {
      const expanded = expand(yaml);
      assert.deepEqual(expanded.value, value);
      assert.equal(expanded.raw, raw);
      assert.deepEqual(expanded.problems, []);
    });
  }
});

describe("a dollar sign stays or goes in", () => {
  for (const { yaml, value } of [
    { yaml: "$WORD", value: "$WORD" },
    { yaml: "$$", value: "$" },
    { yaml: "a$$b", value: "a$b" },
    { yaml: "$${WORD}", value: "${WORD}" },
    { yaml: "$$${WORD}", value: "$word" },
    { yaml: "$$$${WORD}", value: "$${WORD}" },
    { yaml: "x$$$$${WORD}", value: "x$$word" },
    { yaml: "$${WORD} ${WORD}", value: "${WORD} word" },
    { yaml: "$${NAME} ${WORD}", value: "${NAME} word" },
    { yaml: "$${env:NAME} ${WORD} $${NAME} ${NUMBER}", value: "${env:NAME} word ${NAME} 0123" },
    { yaml: "${WORD} $${WORD}", value: "word ${WORD}" },
    { yaml: "${DOLLARS}", value: "a $ b" },
    { yaml: "<${DOLLARS}>", value: "<a $ b>" },
    { yaml: '"${WORD"', value: "${WORD" },
    { yaml: "WORD}${WORD}", value: "WORD}word" },
    { yaml: '"${${${WORD}"', value: "${${word" },
    { yaml: '"HO{ST}"', value: "HO{ST}" },
  ]) {
    it(yaml, () => assert.equal(expand(yaml).value, value));
  }
});

describe("a reference is refused", () => {
  for (const { yaml, message, hint } of [
    { yaml: "${1}", message: /^environment variable "1" has an invalid name/, hint: "write $${1} for the text itself" },
    {
      yaml: "${env:a-b}",
      message: /^environment variable "a-b" has an invalid name/,
      hint: "write $${a-b} for the text itself",
    },
    { yaml: "${}", message: /^environment variable "" has an invalid name/, hint: "write $${} for the text itself" },
    { yaml: "${nope:x}", message: /^scheme "nope" is not supported$/ },
    { yaml: "${WORD:-x}", message: /^scheme "WORD" is not supported$/, hint: "did you mean ${env:WORD:-x}?" },
    { yaml: "${X:-x}", message: /^invalid reference "X:-x"$/, hint: "did you mean ${env:X:-x}?" },
    { yaml: "${env:$WORD}", message: /^reference "env:\$WORD" must not contain "\$"$/ },
    { yaml: "${CIRCLE}", message: /^more than 1000 references inside each other/ },
    { yaml: "x${CIRCLE}", message: /^more than 1000 references inside each other/ },
    { yaml: "${DEEP_CIRCLE}", message: /^more than 1000 references inside each other/ },
    { yaml: "${file:gone.yaml}", message: /^cannot read the file gone\.yaml/ },
  ] as { yaml: string; message: RegExp; hint?: string }[]) {
    it(yaml, () => {
      const { problems } = expand(yaml);
      assert.equal(problems.length, 1);
      const [problem] = problems;
      assert.match(problem?.message ?? "", message);
      assert.equal(problem?.hint, hint);
      assert.deepEqual(problem?.path, ["a"]);
    });
  }
});

it("points at the reference inside a longer value", () => {
  const [problem] = expand('"one ${WORD} ${nope:x}"').problems;
  assert.ok(problem !== undefined);
  assert.equal(placeText(problem.place), "p.yaml:1:17");
  assert.equal(problem.place.end - problem.place.start, "${nope:x}".length);
});

it("warns once for each place where an unset variable is named, and makes it null", () => {
  const { value, warnings } = expand('["${UNSET}", "x${UNSET}y"]');
  assert.deepEqual(value, [null, "xy"]);
  assert.deepEqual(warnings, [
    "p.yaml:1:6: environment variable UNSET is not set, so the value is empty",
    "p.yaml:1:19: environment variable UNSET is not set, so the value is empty",
  ]);
});
