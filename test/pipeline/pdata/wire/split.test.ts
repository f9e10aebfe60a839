import assert from "node:assert/strict";
import { it } from "node:test";
import {
  Cutter,
  concat,
  decode,
  encode,
  filterPoints,
  filterRecords,
  filterSpans,
  type Metrics,
  type Pdata,
  receive,
  split,
  type Traces,
} from "../../../../pipeline/pdata/index.ts";
import { itemsOf, pointsOf, randomRequest } from "./generate.ts";
import { addUnknownFields, encodeRequest, type Message, meaning } from "./protobuf.ts";
import { Random, seed } from "./random.ts";

const random = new Random(seed());
const rounds = 200;
const signals = ["traces", "metrics", "logs"] as const;
type ItemSignal = (typeof signals)[number];

function batch(signal: ItemSignal, most = 6): Pdata {
  const request = randomRequest(signal, random, most);
  addUnknownFields(request, () => random.chance(0.1));
  return receive(signal, encodeRequest(signal, request));
}

/** Every item with its resource, scope and metric: what splitting and merging must keep. */
function flat(signal: ItemSignal, data: Pdata): unknown[] {
  return data.chunks.flatMap((chunk) =>
    itemsOf(signal, meaning(signal, chunk.bytes)).flatMap(({ item, scope, resource }): unknown[] => {
      if (signal !== "metrics") return [{ item, scope, resource }];
      return pointsOf(item).points.map((point) => ({
        point,
        kind: pointsOf(item).kind,
        name: item.name,
        scope,
        resource,
      }));
    }),
  );
}

it("concatenates without copying", () => {
  for (const signal of signals) {
    const parts = [batch(signal), batch(signal), batch(signal)];
    const whole = concat(parts);
    assert.deepEqual(
      whole.chunks,
      parts.flatMap((part) => part.chunks),
    );
    assert.equal(
      whole.itemCount,
      parts.reduce((sum, part) => sum + part.itemCount, 0),
    );
    const once = receive(signal, whole.toBuffer());
    assert.deepEqual(
      flat(signal, once),
      parts.flatMap((part) => flat(signal, part)),
    );
  }
  assert.throws(() => concat([]), RangeError);
  const profiles = receive("profiles", Buffer.from([0x0a, 0]));
  assert.throws(() => concat([profiles, profiles]), RangeError);
  assert.equal(concat([profiles]), profiles);
});

it("splits by items: parts are full, in order, and lose nothing", () => {
  for (const signal of signals) {
    for (let round = 0; round < rounds; round++) {
      const whole = concat([batch(signal), batch(signal)]);
      const limit = 1 + random.below(7);
      const parts = [...split(whole, { items: limit })];
      assert.deepEqual(
        parts.flatMap((part) => flat(signal, part)),
        flat(signal, whole),
      );
      const counts = parts.map((part) => part.itemCount);
      assert.ok(
        counts.slice(0, -1).every((count) => count === limit),
        `${counts} of at most ${limit}`,
      );
      assert.ok((counts.at(-1) ?? 0) <= limit);
      for (const part of parts) {
        assert.equal(receive(signal, part.toBuffer()).itemCount, part.itemCount);
        assert.ok(part.chunks.every((chunk) => !receive(signal, chunk.bytes).chunks[0]?.isRewritten));
      }
    }
  }
});

// Scenario: requests of thousands of tiny scopes, resources, metrics or points, cut into many parts.
// Guarantees: a part costs what it holds, not what the request holds; one request cannot stop the daemon for seconds.
it("splits into many parts in about the time that receiving takes", () => {
  const field = (number: number, payload: Buffer) => {
    const head = [number * 8 + 2];
    let rest = payload.length;
    for (; rest > 127; rest = Math.floor(rest / 128)) head.push((rest & 127) | 128);
    return Buffer.concat([Buffer.from([...head, rest]), payload]);
  };
  const empty = (number: number) => Buffer.of(number * 8 + 2, 0);
  const many = (count: number, bytes: Buffer) => Buffer.concat(Array.from({ length: count }, () => bytes));
  const cases = {
    scopes: receive("traces", field(1, many(100_000, Buffer.of(0x12, 2, 0x12, 0)))),
    resources: receive("traces", many(100_000, Buffer.of(0x0a, 4, 0x12, 2, 0x12, 0))),
    metrics: receive("metrics", field(1, field(2, many(100_000, Buffer.of(0x12, 4, 0x2a, 2, 0x0a, 0))))),
    points: receive("metrics", field(1, field(2, field(2, field(5, many(400_000, empty(1))))))),
  };
  for (const [name, data] of Object.entries(cases)) {
    const received = process.cpuUsage();
    receive(data.signal, Buffer.from(data.toBuffer()));
    const receiving = process.cpuUsage(received);
    const started = process.cpuUsage();
    const parts = [...split<Pdata>(data, { items: 100 })];
    const splitting = process.cpuUsage(started);
    assert.equal(
      parts.reduce((sum, part) => sum + part.itemCount, 0),
      data.itemCount,
    );
    const ratio = (splitting.user + splitting.system) / (receiving.user + receiving.system);
    assert.ok(ratio < 30, `${name}: splitting took ${ratio.toFixed(0)} times as long as receiving`);
  }
});

it("splits by bytes: parts fit, or hold a single item", () => {
  for (const signal of signals) {
    for (let round = 0; round < rounds; round++) {
      const whole = concat([batch(signal), batch(signal)]);
      const limit = 50 + random.below(2000);
      const parts = [...split(whole, { bytes: limit })];
      assert.deepEqual(
        parts.flatMap((part) => flat(signal, part)),
        flat(signal, whole),
      );
      for (const part of parts)
        assert.ok(part.sizeBytes <= limit || part.itemCount <= 1, `${part.sizeBytes} > ${limit}`);
    }
  }
});

it("returns the same batch when it fits, and shares whole chunks", () => {
  const make = (name: string) =>
    receive("traces", encodeRequest("traces", { resourceSpans: [{ scopeSpans: [{ spans: [{ name }, { name }] }] }] }));
  const [a, b] = [make("a"), make("b")];
  assert.equal([...split(a, { items: 2 })].length, 1);
  assert.equal(split(a, { items: 2 }).next().value, a);
  const [first, second] = [...split(concat([a, b]), { items: 3 })] as [Traces, Traces];
  assert.equal(first.chunks[0], a.chunks[0]);
  assert.deepEqual([[...first.spans()].length, [...second.spans()].length], [3, 1]);
});

// Scenario: a resource of 100 kB and 1 000 spans, of which one is wanted in each part.
// Guarantees: a part is made when it is asked for: what nobody asks for costs nothing, here 100 MB.
it("keeps scopes without items: with the item behind them, or with the last one of their resource", () => {
  const scope = (name: string, ...spans: string[]) => ({
    scope: { name },
    spans: spans.map((each) => ({ name: each })),
  });
  const whole = encode("traces", {
    resourceSpans: [
      { scopeSpans: [scope("before"), scope("one", "a", "b"), scope("between"), scope("two", "c"), scope("last")] },
      { scopeSpans: [scope("three", "d")] },
    ],
  });
  assert.deepEqual(
    [...split(whole, { items: 1 })].map((part) =>
      decode<"traces">(part).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.map((each) => each.scope?.name)),
    ),
    [["before", "one"], ["one"], ["between", "two", "last"], ["three"]],
  );
});

it("cuts a part when it is asked for", () => {
  const resource = { attributes: [{ key: "k", value: { stringValue: "x".repeat(100_000) } }] };
  const spans = Array.from({ length: 1000 }, () => ({ name: "s" }));
  const whole = receive("traces", encodeRequest("traces", { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }));
  const cutter = new Cutter<Traces>();
  cutter.add(whole);
  const before = process.memoryUsage().arrayBuffers;
  assert.equal(cutter.cut({ items: 1 })?.itemCount, 1);
  assert.equal(split(whole, { items: 1 }).next().value?.itemCount, 1);
  assert.ok(process.memoryUsage().arrayBuffers - before < 5_000_000);
  assert.equal(cutter.itemCount, 999);
  assert.equal(cutter.memoryBytes, whole.memoryBytes);
  assert.equal(cutter.cut()?.itemCount, 999);
  assert.deepEqual([cutter.cut(), cutter.itemCount, cutter.memoryBytes], [undefined, 0, 0]);
});

it("cuts on across batches that are added in between", () => {
  for (const signal of signals) {
    const cutter = new Cutter<Pdata>();
    const added: Pdata[] = [];
    const parts: Pdata[] = [];
    for (let round = 0; round < rounds; round++) {
      if (random.chance(0.5)) {
        added.push(batch(signal));
        cutter.add(added.at(-1)!);
      }
      const part = cutter.cut({ items: 1 + random.below(4) });
      if (part !== undefined) parts.push(part);
    }
    const rest = cutter.cut();
    if (rest !== undefined) parts.push(rest);
    assert.deepEqual(
      parts.flatMap((part) => flat(signal, part)),
      added.flatMap((data) => flat(signal, data)),
    );
    assert.deepEqual([cutter.itemCount, cutter.memoryBytes], [0, 0]);
  }
});

it("never cuts profiles", () => {
  const profiles = receive("profiles", encodeRequest("profiles", { resourceProfiles: [{}, {}] }));
  assert.deepEqual([...split(profiles, { items: 1, bytes: 1 })], [profiles]);
});

it("filters items with what they belong to, and drops what they leave empty", () => {
  for (let round = 0; round < rounds; round++) {
    for (const signal of signals) {
      const data = batch(signal);
      const verdicts = Array.from({ length: data.itemCount }, () => random.chance(0.6));
      let index = 0;
      const keep = () => verdicts[index++] === true;
      const kept = filter(data, keep);
      assert.equal(index, data.itemCount);
      assert.deepEqual(
        flat(signal, kept),
        flat(signal, data).filter((_, item) => verdicts[item] === true),
      );
      assert.equal(kept.itemCount, verdicts.filter(Boolean).length);
      assert.equal(receive(signal, kept.toBuffer()).itemCount, kept.itemCount);
      if (verdicts.every(Boolean)) assert.equal(kept, data);
    }
  }
});

function filter(data: Pdata, keep: () => boolean): Pdata {
  if (data.signal === "traces") return filterSpans(data as Traces, keep);
  return data.signal === "metrics" ? filterPoints(data as Metrics, keep) : filterRecords(data as never, keep);
}

it("removes a metric, scope or resource whose last item went, but not one that was empty before", () => {
  const request: Message = {
    resourceMetrics: [
      {
        resource: {},
        scopeMetrics: [
          {
            metrics: [
              { name: "gone", gauge: { dataPoints: [{}] } },
              { name: "empty", sum: {} },
            ],
          },
        ],
      },
      { resource: {} },
    ],
  };
  const metrics = receive("metrics", encodeRequest("metrics", request));
  const none = filterPoints(metrics, () => false);
  assert.deepEqual(meaning("metrics", none.toBuffer()), { resourceMetrics: [{ resource: {} }] });
});
