import type { Value } from "../../../../pipeline/pdata/index.ts";
import type { Signal } from "../../../../pipeline/pdata/signal.ts";
import { long, type Message } from "./protobuf.ts";
import type { Random } from "./random.ts";

/** Random but valid telemetry as protobufjs objects. */

export const keyNames = [
  "",
  "a",
  "bc",
  "def",
  "llm",
  "http.method",
  "http.target",
  "gen_ai.usage.input_tokens",
  "k".repeat(130),
];

/** An `AnyValue` with this value. */
export function anyValue(value: Value): Message {
  if (value === null) return {};
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (Buffer.isBuffer(value)) return { bytesValue: value };
  switch (typeof value) {
    case "string":
      return { stringValue: value };
    case "boolean":
      return { boolValue: value };
    case "bigint":
      return { intValue: long(value) };
    case "number":
      return Number.isInteger(value) ? { intValue: long(BigInt(value)) } : { doubleValue: value };
    default: {
      const values = Object.entries(value).map(([key, member]) => ({ key, value: anyValue(member) }));
      return { kvlistValue: { values } };
    }
  }
}

/** Any value, as the API has it. */
export function randomValue(random: Random, depth = 0): Value {
  switch (random.below(depth > 2 ? 7 : 10)) {
    case 0:
      return random.chance(0.5);
    case 1:
      return random.below(1000) - 500;
    case 2: {
      const value = random.bigint();
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    case 3:
      return random.next() * 1000 + 0.5;
    case 4:
      return random.bytes(random.below(20));
    case 5:
      return null;
    case 7:
      return random.list(3, () => randomValue(random, depth + 1));
    case 8:
      return { x: randomValue(random, depth + 1), "": randomValue(random, depth + 1), yy: "z" };
    default:
      return random.text();
  }
}

export function randomAttributes(random: Random): Message[] {
  return random.list(6, () => {
    const attribute: Message = { key: random.pick(keyNames) };
    if (!random.chance(0.05)) attribute.value = anyValue(randomValue(random));
    return attribute;
  });
}

function time(random: Random): unknown {
  return long(1_700_000_000_000_000_000n + BigInt(random.below(2 ** 31)) * 977n, true);
}

function maybe(random: Random, message: Message, members: Record<string, () => unknown>): Message {
  for (const [name, make] of Object.entries(members)) if (random.chance(0.75)) message[name] = make();
  return message;
}

function span(random: Random): Message {
  return maybe(
    random,
    {},
    {
      traceId: () => random.bytes(16),
      spanId: () => random.bytes(8),
      parentSpanId: () => random.bytes(random.pick([0, 8])),
      traceState: () => random.text(),
      name: () => random.text(),
      kind: () => random.below(6),
      startTimeUnixNano: () => time(random),
      endTimeUnixNano: () => time(random),
      attributes: () => randomAttributes(random),
      droppedAttributesCount: () => random.below(300),
      events: () =>
        random.list(3, () =>
          maybe(
            random,
            {},
            {
              timeUnixNano: () => time(random),
              name: () => random.text(),
              attributes: () => randomAttributes(random),
            },
          ),
        ),
      links: () =>
        random.list(2, () => ({
          traceId: random.bytes(16),
          spanId: random.bytes(8),
          attributes: randomAttributes(random),
        })),
      status: () => maybe(random, {}, { message: () => random.text(), code: () => random.below(3) }),
      flags: () => random.below(2 ** 31),
    },
  );
}

function record(random: Random): Message {
  return maybe(
    random,
    {},
    {
      timeUnixNano: () => time(random),
      observedTimeUnixNano: () => time(random),
      severityNumber: () => random.below(25),
      severityText: () => random.text(),
      body: () => anyValue(randomValue(random)),
      attributes: () => randomAttributes(random),
      flags: () => random.below(2 ** 31),
      traceId: () => random.bytes(16),
      spanId: () => random.bytes(8),
      eventName: () => random.text(),
    },
  );
}

function metric(random: Random): Message {
  const base = maybe(random, {}, { name: () => random.text(), unit: () => random.text(), description: () => "d" });
  const times = () => ({
    startTimeUnixNano: time(random),
    timeUnixNano: time(random),
    attributes: randomAttributes(random),
  });
  const numbers = () =>
    random.list(4, () => ({
      ...times(),
      ...(random.chance(0.5) ? { asDouble: random.next() } : { asInt: long(random.bigint()) }),
    }));
  switch (random.below(6)) {
    case 0:
      return { ...base, gauge: { dataPoints: numbers() } };
    case 1:
      return { ...base, sum: { dataPoints: numbers(), aggregationTemporality: 2, isMonotonic: true } };
    case 2:
      return {
        ...base,
        histogram: {
          dataPoints: random.list(3, () => ({
            ...times(),
            count: long(3n, true),
            bucketCounts: [long(1n, true), long(2n, true)],
            explicitBounds: [1.5],
          })),
        },
      };
    case 3:
      return {
        ...base,
        exponentialHistogram: {
          dataPoints: random.list(3, () => ({
            ...times(),
            scale: -3,
            positive: { offset: 2, bucketCounts: [long(300n, true)] },
          })),
        },
      };
    case 4:
      return {
        ...base,
        summary: { dataPoints: random.list(3, () => ({ ...times(), quantileValues: [{ quantile: 0.5, value: 7 }] })) },
      };
    default:
      return base;
  }
}

const items = {
  traces: { list: "resourceSpans", scoped: "scopeSpans", items: "spans", make: span },
  metrics: { list: "resourceMetrics", scoped: "scopeMetrics", items: "metrics", make: metric },
  logs: { list: "resourceLogs", scoped: "scopeLogs", items: "logRecords", make: record },
} as const;

/** A request of up to 3 resources of up to 3 scopes of up to `most` items. */
export function randomRequest(signal: keyof typeof items, random: Random, most = 4): Message {
  const { list, scoped, items: itemsName, make } = items[signal];
  return {
    [list]: random.list(3, () =>
      maybe(
        random,
        {},
        {
          resource: () => ({ attributes: randomAttributes(random) }),
          [scoped]: () =>
            random.list(3, () =>
              maybe(
                random,
                {},
                {
                  scope: () => ({ name: random.text(), version: random.text(), attributes: randomAttributes(random) }),
                  [itemsName]: () => random.list(most, () => make(random)),
                  schemaUrl: () => random.text(),
                },
              ),
            ),
          schemaUrl: () => random.text(),
        },
      ),
    ),
  };
}

/** Every item of a request with the resource and scope it belongs to. */
export function itemsOf(
  signal: Signal & keyof typeof items,
  request: Message,
): { item: Message; scope: Message; resource: Message }[] {
  const { list, scoped, items: itemsName } = items[signal];
  return (request[list] ?? []).flatMap((byResource: Message) =>
    (byResource[scoped] ?? []).flatMap((byScope: Message) =>
      (byScope[itemsName] ?? []).map((item: Message) => ({
        item,
        scope: byScope.scope,
        resource: byResource.resource,
      })),
    ),
  );
}

/** The data points of a metric, whatever its kind. */
export function pointsOf(metricMessage: Message): { kind: string; points: Message[] } {
  for (const kind of ["gauge", "sum", "histogram", "exponentialHistogram", "summary"]) {
    if (metricMessage[kind] != null) return { kind, points: metricMessage[kind].dataPoints ?? [] };
  }
  return { kind: "", points: [] };
}
