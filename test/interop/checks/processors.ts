import assert from "node:assert/strict";
import { check, type Findings, type Row } from "../check.ts";
import { corpus } from "../corpus.ts";
import { comparable, readItems } from "../otlp_items.ts";
import { sideBySide } from "../side_by_side.ts";

/** One line each, as YAML in flow style: what a processor is told to do. */
const settings: readonly (readonly [processor: "attributes" | "resource", settings: string])[] = [
  ["attributes", "actions: [{ key: added, action: insert, value: 1 }, { key: text, action: insert, value: kept }]"],
  ["attributes", "actions: [{ key: text, action: update, value: 2.5 }, { key: none, action: update, value: x }]"],
  [
    "attributes",
    "actions: [{ key: text, action: upsert, value: true }, { key: new, action: upsert, value: [1, two] }]",
  ],
  ["attributes", "actions: [{ key: new, action: upsert, value: { a: { b: [1.5] } } }]"],
  [
    "attributes",
    "actions: [{ key: copy, action: upsert, from_attribute: map }, { key: no, action: insert, from_attribute: none }]",
  ],
  ["attributes", "actions: [{ key: text, action: delete }, { key: none, pattern: ^peer.*, action: delete }]"],
  ["attributes", "actions: [{ key: text, action: hash }, { key: list, action: hash }, { key: map, action: hash }]"],
  [
    "attributes",
    'actions: [{ key: zero, action: hash }, { key: third, action: hash }, { key: "true", action: hash }, { key: bytes, action: hash }]',
  ],
  ["attributes", "actions: [{ key: empty text, action: hash }, { key: none, pattern: ^peer.*, action: hash }]"],
  ["attributes", 'actions: [{ key: text, action: extract, pattern: "^(?P<first>[^ ]+) (?P<second>.*)" }]'],
  [
    "attributes",
    "actions: [{ key: zero, action: convert, converted_type: string }, { key: third, action: convert, converted_type: int }]",
  ],
  [
    "attributes",
    "actions: [{ key: third, action: convert, converted_type: string }, { key: large, action: convert, converted_type: string }]",
  ],
  [
    "attributes",
    'actions: [{ key: "true", action: convert, converted_type: int }, { key: text, action: convert, converted_type: double }]',
  ],
  [
    "attributes",
    "actions: [{ key: list, action: convert, converted_type: string }, { key: map, action: convert, converted_type: string }]",
  ],
  ["attributes", "actions: [{ key: a, action: upsert, value: 1 }], include: { match_type: strict, services: [odd] }"],
  [
    "attributes",
    'actions: [{ key: a, action: upsert, value: 1 }], include: { match_type: regexp, attributes: [{ key: peer.index, value: "^[2-4]$" }] }',
  ],
  [
    "attributes",
    "actions: [{ key: a, action: upsert, value: 1 }], exclude: { match_type: strict, attributes: [{ key: peer.even, value: true }] }",
  ],
  [
    "attributes",
    "actions: [{ key: a, action: upsert, value: 1 }], include: { match_type: strict, resources: [{ key: service.name, value: go-sdk }] }",
  ],
  [
    "attributes",
    "actions: [{ key: a, action: upsert, value: 1 }], include: { match_type: regexp, libraries: [{ name: ^py }] }",
  ],
  ["resource", "attributes: [{ key: service.name, action: upsert, value: renamed }]"],
  [
    "resource",
    "attributes: [{ key: cloud.region, action: insert, value: eu }, { key: service.name, action: insert, value: no }]",
  ],
  ["resource", "attributes: [{ key: service.name, action: delete }, { key: host.ips, action: hash }]"],
  ["resource", "attributes: [{ key: service.namespace, action: insert, from_attribute: service.name }]"],
  ["resource", 'attributes: [{ key: service.name, action: extract, pattern: "(?P<language>[a-z]+)-sdk" }]'],
];

/** The attributes and resource processors make the same of the same items. */
export const processors = check({
  name: "processors",
  area: "Data: processors and samplers",
  needs: ["python_sdk", "go_sdk", "collector"],
  async run(peers): Promise<Findings> {
    // Most of what include and exclude match on is not valid for metrics or logs.
    const pipelines = settings.map(([type, line], index) => ({
      name: `p${index}`,
      processors: [`${type}/p${index}: { ${line} }`],
      signals: line.includes("clude: ") ? (["traces"] as const) : (["traces", "metrics", "logs"] as const),
    }));
    const outputs = await sideBySide(peers.collector, pipelines, await corpus(peers));
    const rows: Row[] = [];
    const wrong: string[] = [];
    for (const [index, [type, line]] of settings.entries()) {
      const theirs = comparable(await readItems(outputs.theirs(`p${index}`)));
      const ours = comparable(await readItems(outputs.ours(`p${index}`)));
      assert.ok(theirs.length > 0);
      const differing = ours.filter((item) => !theirs.includes(item));
      const missing = theirs.filter((item) => !ours.includes(item));
      if (differing.length + missing.length > 0 || ours.length !== theirs.length) {
        wrong.push(`${type}: { ${line} }: ours\n${differing[0]}\ntheirs\n${missing[0]}`);
      }
      const result = `${theirs.length} items equal`;
      rows.push({ peer: "Collector, same config", checked: `\`${type}: { ${line} }\``, result });
    }
    assert.ok(wrong.length === 0, wrong.join("\n\n"));
    return { rows };
  },
});
