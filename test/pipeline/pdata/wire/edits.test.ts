import assert from "node:assert/strict";
import { it } from "node:test";
import {
  type AttributesEditor,
  attribute,
  attributeKeys,
  concat,
  double,
  editPoints,
  editRecords,
  editResources,
  editScopes,
  editSpans,
  type Key,
  type Logs,
  type Metrics,
  receive,
  type Traces,
  type Value,
} from "../../../../pipeline/pdata/index.ts";
import { anyValue, itemsOf, keyNames, pointsOf, randomRequest, randomValue } from "./generate.ts";
import { addUnknownFields, comparable, decodeRequest, encodeRequest, type Message, meaning } from "./protobuf.ts";
import { Random, seed } from "./random.ts";

const random = new Random(seed());
const rounds = 400;
const names = [...keyNames, "new", "deployment.environment"];
// Two groups that share names: edits through one must see those made through the other.
const groups = [0, 1].map(() => attributeKeys(Object.fromEntries(names.map((name) => [name, name]))));
const keyOf = (name: string): Key => random.pick(groups)[name] as Key;

type Edit =
  | { readonly op: "set"; readonly name: string; readonly value: Value; readonly compiled: boolean }
  | { readonly op: "delete"; readonly name: string }
  | { readonly op: "rename"; readonly name: string; readonly to: string };

function randomEdits(most: number): Edit[] {
  return random.list(most, () => {
    const name = random.pick(names);
    if (random.chance(0.4)) return { op: "set", name, value: randomValue(random), compiled: random.chance(0.3) };
    return random.chance(0.5) ? { op: "delete", name } : { op: "rename", name, to: random.pick(names) };
  });
}

/** The edits through the editor. */
function edit(editor: AttributesEditor, edits: readonly Edit[]): void {
  for (const each of edits) {
    if (each.op === "delete") editor.delete(keyOf(each.name));
    else if (each.op === "rename") editor.rename(keyOf(each.name), keyOf(each.to));
    else if (each.compiled) editor.set(attribute(keyOf(each.name), each.value));
    else editor.set(keyOf(each.name), each.value);
  }
}

/** The same edits on a decoded message. */
function editDecoded(owner: Message, edits: readonly Edit[]): void {
  const isKey = (pair: Message, name: string) => (pair.key ?? "") === name;
  const without = (name: string, except?: Message) =>
    owner.attributes.filter((pair: Message) => pair === except || !isKey(pair, name));
  owner.attributes = owner.attributes === undefined ? [] : [...owner.attributes];
  for (const each of edits) {
    const found = owner.attributes.find((pair: Message) => isKey(pair, each.name));
    if (each.op === "delete") owner.attributes = without(each.name);
    else if (each.op === "set" && found === undefined) {
      owner.attributes.push({ key: each.name, value: anyValue(each.value) });
    } else if (each.op === "set") {
      owner.attributes = without(each.name, found);
      found.value = anyValue(each.value);
    } else if (each.op === "rename" && found !== undefined && each.name !== each.to) {
      owner.attributes = without(each.name, found);
      owner.attributes = without(each.to);
      found.key = each.to;
    }
  }
}

function bytesOf(signal: "traces" | "logs" | "metrics"): Buffer {
  const request = randomRequest(signal, random);
  addUnknownFields(request, () => random.chance(0.2));
  return encodeRequest(signal, request);
}

/** A message as it compares after it went through the wire: defaults are not there. */
function settled(signal: "traces" | "logs" | "metrics", request: Message): unknown {
  return comparable(decodeRequest(signal, encodeRequest(signal, request)));
}

it("edits spans and their events as decoded objects would be edited, and keeps unknown fields", () => {
  for (let round = 0; round < rounds; round++) {
    const bytes = bytesOf("traces");
    const decoded = decodeRequest("traces", bytes);
    const spans = itemsOf("traces", decoded);
    const dropped = new Set<Message>();
    let index = 0;
    const edited = editSpans(receive("traces", bytes), (span) => {
      const { item } = spans[index] as Message;
      index += 1;
      const edits = randomEdits(4);
      edit(span, edits);
      editDecoded(item, edits);
      if (random.chance(0.3)) {
        item.name = random.text();
        span.setName(item.name);
      }
      if (random.chance(0.2)) {
        item.traceState = random.text();
        span.setTraceState("thrown away");
        span.setTraceState(item.traceState);
      }
      for (let pass = random.below(3); pass > 0; pass--) {
        let event = 0;
        span.editEvents((editor) => {
          const decodedEvent = item.events[event];
          event += 1;
          const eventEdits = randomEdits(2);
          edit(editor, eventEdits);
          editDecoded(decodedEvent, eventEdits);
          if (random.chance(0.3)) {
            decodedEvent.name = random.text();
            editor.name = decodedEvent.name;
          }
        });
      }
      if (random.chance(0.2)) {
        span.drop();
        dropped.add(item);
      }
    });
    drop(decoded, dropped);
    assert.deepEqual(meaning("traces", edited.toBuffer()), settled("traces", decoded));
    assert.equal(edited.itemCount, spans.length - dropped.size);
    assert.equal(receive("traces", edited.toBuffer()).itemCount, edited.itemCount);
    assert.ok(edited.chunks.every((chunk) => !receive("traces", chunk.bytes).chunks[0]?.isRewritten));
  }
});

/** Removes spans from a decoded request, and the scopes and resources that lost spans and have none left. */
function drop(request: Message, dropped: ReadonlySet<Message>): void {
  const count = (byResource: Message) =>
    (byResource.scopeSpans ?? []).reduce((sum: number, scope: Message) => sum + (scope.spans?.length ?? 0), 0);
  request.resourceSpans = (request.resourceSpans ?? []).filter((byResource: Message) => {
    const before = count(byResource);
    byResource.scopeSpans = (byResource.scopeSpans ?? []).filter((scope: Message) => {
      const had = scope.spans?.length ?? 0;
      scope.spans = (scope.spans ?? []).filter((span: Message) => !dropped.has(span));
      return scope.spans.length > 0 || had === 0;
    });
    return count(byResource) > 0 || before === 0;
  });
}

it("edits log records as decoded objects would be edited", () => {
  for (let round = 0; round < rounds; round++) {
    const bytes = bytesOf("logs");
    const decoded = decodeRequest("logs", bytes);
    const records = itemsOf("logs", decoded);
    let index = 0;
    const edited = editRecords(receive("logs", bytes), (record) => {
      const { item } = records[index] as Message;
      index += 1;
      const edits = randomEdits(4);
      edit(record, edits);
      editDecoded(item, edits);
      if (random.chance(0.3)) {
        const body = randomValue(random);
        item.body = anyValue(body);
        record.setBody(body);
      }
      if (random.chance(0.2)) {
        item.severityNumber = random.below(25);
        item.severityText = random.text();
        item.eventName = random.text();
        record.setSeverityNumber(item.severityNumber);
        record.setSeverityText(item.severityText);
        record.setEventName(item.eventName);
      }
    });
    assert.deepEqual(meaning("logs", edited.toBuffer()), settled("logs", decoded));
  }
});

it("edits data points of every kind as decoded objects would be edited", () => {
  for (let round = 0; round < rounds; round++) {
    const bytes = bytesOf("metrics");
    const decoded = decodeRequest("metrics", bytes);
    const points = itemsOf("metrics", decoded).flatMap(({ item }) => pointsOf(item).points);
    let index = 0;
    const edited = editPoints(receive("metrics", bytes), (point) => {
      const edits = randomEdits(3);
      edit(point, edits);
      editDecoded(points[index], edits);
      index += 1;
    });
    assert.deepEqual(meaning("metrics", edited.toBuffer()), settled("metrics", decoded));
  }
});

it("edits resources and scopes of every signal, and makes those that are missing", () => {
  for (const [signal, list, scoped] of [
    ["traces", "resourceSpans", "scopeSpans"],
    ["logs", "resourceLogs", "scopeLogs"],
    ["metrics", "resourceMetrics", "scopeMetrics"],
  ] as const) {
    for (let round = 0; round < rounds / 2; round++) {
      const bytes = bytesOf(signal);
      const decoded = decodeRequest(signal, bytes);
      const resources = decoded[list] ?? [];
      let index = 0;
      const data = receive(signal, bytes) as Traces | Logs | Metrics;
      const once = editResources(data, (resource) => {
        const edits = randomEdits(2);
        edit(resource, edits);
        editOwner(resources[index], "resource", edits);
        index += 1;
      });
      const scopes = resources.flatMap((resource: Message) => resource[scoped] ?? []);
      index = 0;
      const twice = editScopes(once, (scope) => {
        const edits = randomEdits(2);
        edit(scope, edits);
        editOwner(scopes[index], "scope", edits);
        if (random.chance(0.3)) {
          scope.name = `name ${index}`;
          scope.version = "";
          scopes[index].scope ??= { attributes: [] };
          scopes[index].scope.name = `name ${index}`;
          scopes[index].scope.version = "";
        }
        index += 1;
      });
      assert.deepEqual(meaning(signal, twice.toBuffer()), settled(signal, decoded));
    }
  }
});

function editOwner(group: Message, member: "resource" | "scope", edits: readonly Edit[]): void {
  const owner = group[member] ?? {};
  editDecoded(owner, edits);
  if (group[member] != null || owner.attributes.length > 0) group[member] = owner;
}

it("returns the same object when nothing changed", () => {
  const bytes = encodeRequest("traces", {
    resourceSpans: [
      { scopeSpans: [{ spans: [{ name: "n", attributes: [{ key: "a", value: { stringValue: "x" } }] }] }] },
    ],
  });
  const traces = receive("traces", bytes);
  const { a, b } = attributeKeys({ a: "a", b: "b" });
  assert.equal(
    editSpans(traces, () => {}),
    traces,
  );
  assert.equal(
    editSpans(traces, (span) => {
      span.set(a, "x");
      span.delete(b);
      span.rename(b, a);
      span.setName("n");
      span.set(b, 1);
      span.delete(b);
      span.editEvents(() => assert.fail("there is no event"));
    }),
    traces,
  );
  assert.equal(
    editResources(traces, (resource) => resource.delete(a)),
    traces,
  );
  assert.equal(
    editScopes(traces, (scope) => assert.equal(scope.name, "")),
    traces,
  );
});

it("takes an empty key that is written out for the one that is left out", () => {
  // One attribute without a key field and one with an empty one, both with a value.
  const pair = [0x12, 0x03, 0x0a, 0x01, 0x61];
  const span = [0x4a, 5, ...pair, 0x4a, 7, 0x0a, 0, ...pair];
  const body = Buffer.from([0x0a, span.length + 4, 0x12, span.length + 2, 0x12, span.length, ...span]);
  const keys = attributeKeys({ empty: "", other: "other" });
  const entries = (edited: Traces) => [...edited.spans()].flatMap((each) => [...each.entries()]);
  const traces = receive("traces", body);
  assert.deepEqual(entries(editSpans(traces, (each) => each.delete(keys.empty))), []);
  assert.deepEqual(entries(editSpans(traces, (each) => each.set(keys.empty, 1))), [["", 1]]);
  assert.deepEqual(entries(editSpans(traces, (each) => each.rename(keys.empty, keys.other))), [["other", "a"]]);
});

it("shares the chunks that did not change", () => {
  const make = (name: string) =>
    receive("traces", encodeRequest("traces", { resourceSpans: [{ scopeSpans: [{ spans: [{ name }] }] }] }));
  const both = concat([make("a"), make("b")]);
  const edited = editSpans(both, (span) => {
    if (span.name === "a") span.setName("c");
  });
  assert.notEqual(edited.chunks[0], both.chunks[0]);
  assert.equal(edited.chunks[1], both.chunks[1]);
  assert.deepEqual([...edited.spans()].length, 2);
});

it("reads the span as it arrived while it is being edited", () => {
  const bytes = encodeRequest("traces", {
    resourceSpans: [{ scopeSpans: [{ spans: [{ attributes: [{ key: "a", value: { intValue: 1 } }] }] }] }],
  });
  const { a } = attributeKeys({ a: "a" });
  const edited = editSpans(receive("traces", bytes), (span) => {
    span.set(a, (span.number(a) ?? 0) + 1);
    span.set(a, (span.number(a) ?? 0) + 1);
  });
  assert.deepEqual(
    [...edited.spans()].map((span) => span.int(a)),
    [2],
  );
});

it("writes numbers as ints when integral, as doubles when told so, and refuses what does not fit", () => {
  const { a } = attributeKeys({ a: "a" });
  const traces = receive("traces", encodeRequest("traces", { resourceSpans: [{ scopeSpans: [{ spans: [{}] }] }] }));
  for (const { value, want } of [
    { value: 5, want: { intValue: 5n } },
    { value: -1, want: { intValue: -1n } },
    { value: 2 ** 53, want: { intValue: 2n ** 53n } },
    { value: -(2n ** 63n), want: { intValue: -(2n ** 63n) } },
    { value: 2n ** 63n - 1n, want: { intValue: 2n ** 63n - 1n } },
    { value: double(5), want: { doubleValue: 5 } },
    { value: 0.25, want: { doubleValue: 0.25 } },
    { value: 1e300, want: { doubleValue: 1e300 } },
    { value: Number.POSITIVE_INFINITY, want: { doubleValue: Number.POSITIVE_INFINITY } },
  ]) {
    const edited = editSpans(traces, (span) => span.set(a, value));
    const [span] = itemsOf("traces", meaning("traces", edited.toBuffer()));
    assert.deepEqual(span?.item.attributes, [{ key: "a", value: want }]);
  }
  assert.throws(() => editSpans(traces, (span) => span.set(a, 2n ** 63n)), RangeError);
});
