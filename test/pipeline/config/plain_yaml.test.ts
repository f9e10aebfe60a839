// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a configuration are written like this
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readPlainYaml } from "../../../pipeline/config/plain_yaml.ts";
import type { Tree } from "../../../pipeline/config/tree.ts";
import { parseAnyYaml } from "../../../pipeline/config/yaml_text.ts";

const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);
console.log(`OTELPIPE_SEED=${seed}`);

/** A tree without what the two readers need not agree on: the end of a block, and the text that places point into. */
function comparable(tree: Tree, text: string): unknown {
  const { start, end } = tree.place;
  const isBlock = tree.kind !== "scalar" && text[start] !== "[" && text[start] !== "{";
  const place = isBlock ? { start } : { start, end };
  if (tree.kind === "scalar") return { value: tree.value, ...place };
  if (tree.kind === "list") return { items: tree.items.map((item) => comparable(item, text)), ...place };
  const entries = [...tree.entries].map(([key, { keyPlace, value }]) => [
    key,
    { start: keyPlace.start, end: keyPlace.end },
    comparable(value, text),
  ]);
  return { entries, ...place };
}

/** Whether `text` is read here; if so, as the library reads it. */
function isReadAlike(text: string): boolean {
  const source = { name: "p.yaml", text };
  const tree = readPlainYaml(source);
  if (tree === undefined) return false;
  const any = parseAnyYaml(source);
  assert.deepEqual({ problems: any.problems, more: any.more }, { problems: [], more: false }, text);
  assert.deepEqual(comparable(tree, text), comparable(any.tree, text), text);
  return true;
}

describe("ordinary YAML is read without the library, and alike:", () => {
  for (const { name, text } of [
    { name: "nested mappings", text: "a:\n  b:\n    c: 1\n  d: x\ne: y\n" },
    { name: "lists in a mapping, indented or not", text: "a:\n- x\n- y\nb:\n  - x\n" },
    { name: "mappings in a list", text: "- a: 1\n  b:\n    - c: 2\n    - d\n-\n  e: 3\n" },
    { name: "empty values", text: "a:\nb: # none\nc:   \nd:\n  -\n  - x\ne:" },
    { name: "comments and empty lines", text: "# one\n\na: 1 # two\n   # three\n\nb: x#y\n# four" },
    { name: "flow collections", text: "a: [x, 1, { b: c, d: [] }, {}]\nb: { c: [y,z], d: 'e' }\n" },
    { name: "quotes", text: `a: "x: # {y}"\nb: 'it is'\nc: ""\n` },
    { name: "scalars", text: "- 1\n- -2\n- 0.5\n- true\n- ~\n- NULL\n- yes\n- 1s\n- 127.0.0.1:4317\n- http://x/y?z\n" },
    { name: "references", text: "a: ${env:X}\nb: x${env:Y:-z} y\n" },
    { name: "one scalar", text: "10s" },
    { name: "one flow list", text: "[a, b] # c\n" },
  ]) {
    it(name, () => assert.ok(isReadAlike(text)));
  }
});

it("reads the configurations that come with otelpipe alike", () => {
  const folder = new URL("../../../configs/", import.meta.url);
  const read = readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .filter((name) => isReadAlike(readFileSync(new URL(name, folder), "utf8")));
  assert.ok(read.length > 0);
});

const pieces = ["a", "b-c", "d/e", "1", "0.5", "-", "- ", ": ", ":", "\n", "\n  ", "\n    ", " ", "#", " # "].concat(
  [
    "[",
    "]",
    "{",
    "}",
    ", ",
    ",",
    '"',
    "'",
    "true",
    "~",
    "null",
    "01",
    "1e3",
    "${x}",
    "|",
    ">",
    "&a ",
    "*a",
    "!",
    "?",
    "@",
  ],
  [
    "<<",
    "::",
    "---",
    "%",
    "\t",
    "\r\n",
    "é",
    "\\",
    "-1",
    "0x1",
    "1_0",
    ".5",
    "1.2.3",
    "key: ",
    "\n- ",
    "\n  - ",
    "\nk: ",
  ],
);
const line = fc.record({ indent: fc.nat(3), text: fc.array(fc.constantFrom(...pieces), { maxLength: 6 }) });

// Scenario: texts of pieces of YAML, most of them broken; 40 000 of them.
// Guarantees: what is read here is what the library reads, places included; what the library refuses is not read here.
it("reads no text otherwise than the library", () => {
  let count = 0;
  const text = fc
    .array(line, { minLength: 1, maxLength: 5 })
    .map((lines) => lines.map(({ indent, text }) => "  ".repeat(indent) + text.join("")).join("\n"));
  const property = fc.property(text, (each) => {
    if (isReadAlike(each)) count += 1;
  });
  fc.assert(property, { seed, numRuns: 40_000 });
  assert.ok(count > 2_000, `only ${count} of them were read here`);
});

/** Sound texts: blocks inside blocks. */
const { value } = fc.letrec<{ value: string[] }>((tie) => {
  const scalar = fc.constantFrom(
    "x",
    "1",
    "'q'",
    '"r: s"',
    "",
    "[a, { b: c }]",
    "{ d: e }",
    "t # u",
    "~",
    "2.5",
    "http://v",
  );
  const inline = scalar.map((text) => [text]);
  const table = fc
    .uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c/d", "e_f", "g.h"), tie("value")), {
      selector: ([key]) => key,
      minLength: 1,
      maxLength: 4,
    })
    .map((entries) => entries.flatMap(([key, lines]) => attach(`${key}:`, lines, 2)));
  const list = fc
    .array(tie("value"), { minLength: 1, maxLength: 4 })
    .map((items) => items.flatMap((lines) => attach("-", lines, 2)));
  return { value: fc.oneof({ maxDepth: 4, depthIdentifier: "yaml" }, inline, table, list) };
});

/** `lines` behind `head`: on its line when there is one, else below it. */
function attach(head: string, lines: readonly string[], indent: number): string[] {
  const [first = ""] = lines;
  const isBlock = lines.length > 1 || /^(?:-|[\w/.]+:)(?: |$)/.test(first);
  if (!isBlock) return [`${head} ${first}`];
  const isCompact = head === "-" && !first.startsWith("-");
  const below = lines.map((each) => " ".repeat(indent) + each);
  return isCompact ? [`- ${first}`, ...below.slice(1)] : [head, ...below];
}

it("reads blocks inside blocks as the library does", () => {
  let count = 0;
  let all = 0;
  const property = fc.property(value, (lines) => {
    all += 1;
    if (isReadAlike(`${lines.join("\n")}\n`)) count += 1;
  });
  fc.assert(property, { seed, numRuns: 2_000 });
  assert.ok(count > all * 0.9, `only ${count} of ${all} were read here`);
});
