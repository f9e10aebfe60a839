import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { attributeKeys, receive, type Signal, WireError } from "../../../../pipeline/pdata/index.ts";
import { decodeRequest, encodeRequest, type Message, meaning } from "./protobuf.ts";

/** A length-delimited field of fewer than 128 bytes. */
function field(number: number, ...parts: (Buffer | number[] | string)[]): Buffer {
  const payload = Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))),
  );
  assert.ok(payload.length < 128 && number < 16);
  return Buffer.concat([Buffer.from([number * 8 + 2, payload.length]), payload]);
}

/** A request with one span that has this content; it begins at byte 6. */
const spanOf = (...parts: (Buffer | number[])[]) => field(1, field(2, field(2, ...parts)));
/** A request with one attribute, of this content. */
const attributeOf = (...parts: (Buffer | number[])[]) => spanOf(field(9, ...parts));
const spanPath = "resourceSpans[0].scopeSpans[0].spans[0]";

/** A value inside `depth` lists. */
function nested(depth: number): Buffer {
  let value = Buffer.alloc(0);
  for (let level = 0; level < depth; level++) {
    const list = Buffer.concat([Buffer.from([0x0a]), varint(value.length), value]);
    value = Buffer.concat([Buffer.from([0x2a]), varint(list.length), list]);
  }
  return value;
}

function varint(value: number): Buffer {
  return value < 128 ? Buffer.from([value]) : Buffer.from([(value & 127) | 128, value >> 7]);
}

function deepRequest(depth: number): Buffer {
  let bytes = nested(depth);
  for (const tag of [0x12, 0x4a, 0x12, 0x12, 0x0a]) {
    bytes = Buffer.concat([Buffer.from([tag]), varint(bytes.length), bytes]);
  }
  return bytes;
}

describe("refuses malformed requests and says where", () => {
  const cases: { name: string; body: Buffer; path: string; offset: number; reason: RegExp; signal?: Signal }[] = [
    { name: "a tag cut short", body: Buffer.from([0x80]), path: "", offset: 0, reason: /varint cut short/ },
    {
      name: "a tag without a body",
      body: Buffer.from([0x0a]),
      path: "resourceSpans[0]",
      offset: 1,
      reason: /cut short/,
    },
    {
      name: "a length past the end",
      body: Buffer.from([0x0a, 5, 1]),
      path: "resourceSpans[0]",
      offset: 1,
      reason: /past the end/,
    },
    {
      name: "a length past the message around it",
      body: field(1, [0x12, 1]),
      path: "resourceSpans[0].scopeSpans[0]",
      offset: 3,
      reason: /past the end/,
    },
    {
      name: "field number 0",
      body: field(1, [0x02, 0]),
      path: "resourceSpans[0]",
      offset: 2,
      reason: /field number 0/,
    },
    { name: "wire type 6", body: field(1, [0x0e]), path: "resourceSpans[0]", offset: 2, reason: /wire type 6/ },
    { name: "wire type 7 of an unknown field", body: Buffer.from([0x7f]), path: "", offset: 0, reason: /wire type 7/ },
    { name: "the end of no group", body: Buffer.from([0x0c]), path: "", offset: 0, reason: /did not begin/ },
    { name: "a group without end", body: Buffer.from([0x1b, 0x08, 1]), path: "", offset: 0, reason: /without end/ },
    { name: "the end of another group", body: Buffer.from([0x1b, 0x24]), path: "", offset: 1, reason: /another group/ },
    {
      name: "a group that ends in another message",
      body: field(1, [0x1b]),
      path: "resourceSpans[0]",
      offset: 2,
      reason: /without end/,
    },
    {
      name: "a varint of 11 bytes",
      body: spanOf([0x30, ...Array(10).fill(0x80), 0]),
      path: `${spanPath}.kind`,
      offset: 7,
      reason: /more than 10 bytes/,
    },
    {
      name: "an unknown varint of 11 bytes",
      body: Buffer.from([0x18, ...Array(10).fill(0x80), 0]),
      path: "",
      offset: 1,
      reason: /more than 10/,
    },
    {
      name: "a tag of 6 bytes",
      body: Buffer.from([0x8a, 0x80, 0x80, 0x80, 0x80, 0, 0]),
      path: "",
      offset: 0,
      reason: /more than 5 bytes/,
    },
    {
      name: "a tag of more than 32 bits",
      body: Buffer.from([0x88, 0x80, 0x80, 0x80, 0x10, 0]),
      path: "",
      offset: 0,
      reason: /32 bits/,
    },
    {
      name: "a length of 32 bits",
      body: Buffer.from([0x0a, 0x80, 0x80, 0x80, 0x80, 0x08]),
      path: "resourceSpans[0]",
      offset: 1,
      reason: /31 bits/,
    },
    {
      name: "a time cut short",
      body: spanOf([0x39, 1, 2, 3]),
      path: `${spanPath}.startTimeUnixNano`,
      offset: 7,
      reason: /cut short/,
    },
    {
      name: "a trace id of 15 bytes",
      body: spanOf(field(1, "123456789012345")),
      path: `${spanPath}.traceId`,
      offset: 7,
      reason: /15 bytes instead of 16/,
    },
    {
      name: "a span id of 9 bytes",
      body: spanOf(field(2, "123456789")),
      path: `${spanPath}.spanId`,
      offset: 7,
      reason: /9 bytes instead of 8/,
    },
    {
      name: "a link's span id of 4 bytes",
      body: spanOf(field(13, field(2, "1234"))),
      path: `${spanPath}.links[0].spanId`,
      offset: 9,
      reason: /4 bytes/,
    },
    {
      name: "invalid UTF-8 in a name",
      body: spanOf(field(5, [0xc0, 0x80])),
      path: `${spanPath}.name`,
      offset: 8,
      reason: /UTF-8/,
    },
    {
      name: "a surrogate in a key",
      body: attributeOf(field(1, [0xed, 0xa0, 0x80])),
      path: `${spanPath}.attributes[0].key`,
      offset: 10,
      reason: /UTF-8/,
    },
    {
      name: "invalid UTF-8 in a value",
      body: attributeOf(field(1, "k"), field(2, field(1, [0xff]))),
      path: `${spanPath}.attributes[0].value.stringValue`,
      offset: 15,
      reason: /UTF-8/,
    },
    {
      name: "a text cut inside a character",
      body: spanOf(field(5, "abcdefghijk", [0xf0, 0x9f, 0x99])),
      path: `${spanPath}.name`,
      offset: 8,
      reason: /UTF-8/,
    },
    {
      name: "the second attribute",
      body: spanOf(field(9), field(9, [0x12, 9])),
      path: `${spanPath}.attributes[1].value`,
      offset: 11,
      reason: /past the end/,
    },
    {
      name: "a packed list of 7 bytes",
      body: field(1, field(2, field(2, field(9, field(1, [0x32, 7, 1, 2, 3, 4, 5, 6, 7]))))),
      path: "resourceMetrics[0].scopeMetrics[0].metrics[0].histogram.dataPoints[0].bucketCounts[0]",
      offset: 11,
      reason: /whole number/,
      signal: "metrics",
    },
    {
      name: "a log body",
      body: field(1, field(2, field(2, field(5, [0x0a, 3])))),
      path: "resourceLogs[0].scopeLogs[0].logRecords[0].body.stringValue",
      offset: 9,
      reason: /past the end/,
      signal: "logs",
    },
    {
      name: "a profile's sample",
      body: field(1, field(2, field(2, field(2, [0x08])))),
      path: "resourceProfiles[0].scopeProfiles[0].profiles[0].samples[0].stackIndex",
      offset: 9,
      reason: /cut short/,
      signal: "profiles",
    },
  ];
  for (const { name, body, path, offset, reason, signal = "traces" } of cases) {
    it(name, () => {
      assert.throws(
        () => receive(signal, body),
        (error) => {
          assert.ok(error instanceof WireError);
          assert.deepEqual({ path: error.path, offset: error.offset }, { path, offset });
          assert.match(error.message, reason);
          return true;
        },
      );
    });
  }

  it("accepts 100 nested messages and refuses 101, as protobufjs", () => {
    // 5 messages around the value, then 2 for each list.
    assert.equal(receive("traces", deepRequest(47)).itemCount, 1);
    decodeRequest("traces", deepRequest(47));
    assert.throws(() => receive("traces", deepRequest(48)), WireError);
    assert.throws(() => decodeRequest("traces", deepRequest(48)));
  });
});

it("accepts the empty request, and empty messages", () => {
  for (const signal of ["traces", "metrics", "logs", "profiles"] as const) {
    assert.deepEqual(
      [receive(signal, Buffer.alloc(0)).itemCount, receive(signal, Buffer.alloc(0)).chunks.length],
      [0, 0],
    );
    assert.equal(receive(signal, field(1)).itemCount, 0);
    assert.equal(
      receive(signal, field(1, field(2, field(2)))).itemCount,
      signal === "traces" || signal === "logs" ? 1 : 0,
    );
  }
});

it("counts the samples of profiles and leaves their bytes alone", () => {
  const body = encodeRequest("profiles", {
    resourceProfiles: [
      { scopeProfiles: [{ profiles: [{ samples: [{ stackIndex: 1 }, { values: [1, 2] }] }, { samples: [{}] }] }] },
    ],
    dictionary: { stringTable: ["", "cpu"], stackTable: [{ locationIndices: [1, 2, 3] }] },
  });
  const profiles = receive("profiles", body);
  assert.equal(profiles.itemCount, 3);
  assert.equal(profiles.toBuffer(), body);
});

describe("puts odd encodings into ordinary form without changing what they say", () => {
  const key = field(1, "k");
  const value = field(2, field(1, "v"));
  const cases: { name: string; body: Buffer; signal?: Signal }[] = [
    { name: "value before key", body: attributeOf(value, key) },
    { name: "an unknown field between key and value", body: attributeOf(key, [0x20, 1], value) },
    { name: "an unknown field before key", body: attributeOf([0x20, 1], key, value) },
    { name: "two keys: the last wins", body: attributeOf(key, field(1, "k2"), value) },
    { name: "two values of one kind: the last wins", body: attributeOf(key, value, field(2, field(1, "w"))) },
    {
      name: "a list in two pieces is one list",
      body: attributeOf(key, field(2, field(5, field(1, field(1, "a")))), field(2, field(5, field(1, field(1, "b"))))),
    },
    { name: "two names: the last wins", body: spanOf(field(5, "first"), field(5, "last")) },
    { name: "two kinds: the last wins", body: spanOf([0x30, 1, 0x30, 3]) },
    { name: "a status in two pieces is merged", body: spanOf(field(15, field(2, "message")), field(15, [0x18, 2])) },
    { name: "attributes apart", body: spanOf(field(9, key, value), field(5, "name"), field(9, field(1, "l"), value)) },
    {
      name: "a resource in two pieces is merged",
      body: field(1, field(1, field(1, key, value)), field(2, field(2)), field(1, field(1, field(1, "l"), value))),
    },
    { name: "a padded length", body: Buffer.from([0x0a, 0x82, 0x00, 0x12, 0x00]) },
    { name: "a padded tag", body: Buffer.from([0x8a, 0x00, 0x02, 0x12, 0x00]) },
    { name: "a padded length inside", body: spanOf([0x2a, 0x81, 0x80, 0x00, 0x41]) },
    { name: "an unknown field before a value's member", body: attributeOf(key, field(2, [0x78, 1], field(1, "v"))) },
    {
      name: "a log body in two pieces",
      body: field(
        1,
        field(2, field(2, field(5, field(5, field(1, [0x10, 1]))), field(5, field(5, field(1, [0x10, 0]))))),
      ),
      signal: "logs",
    },
    {
      name: "two kinds of data point value: the last wins",
      body: field(1, field(2, field(2, field(5, field(1, [0x21, ...Array(8).fill(1), 0x31, ...Array(8).fill(2)]))))),
      signal: "metrics",
    },
  ];
  const { k } = attributeKeys({ k: "k" });
  for (const { name, body, signal = "traces" } of cases) {
    it(name, () => {
      const data = receive(signal, body);
      assert.equal(data.chunks[0]?.isRewritten, true);
      assert.deepEqual(withoutUnset(meaning(signal, data.toBuffer())), withoutUnset(meaning(signal, body)));
      const again = receive(signal, data.toBuffer());
      assert.equal(again.chunks[0]?.isRewritten, false);
      if (data.signal === "traces") for (const span of data.spans()) span.value(k);
    });
  }

  it("drops a member of a oneof that another one replaced, as Go and C++ do", () => {
    const body = attributeOf(
      key,
      field(2, field(5, field(1, field(1, "a"))), field(1, "text"), field(5, field(1, field(1, "b")))),
    );
    const [span] = [...receive("traces", body).spans()].map((each) => each.value(k));
    assert.deepEqual(span, ["b"]);
  });

  it("moves deprecated lists by instrumentation library when there is no other, else drops them, as the Collector", () => {
    const old = (content: Buffer) => Buffer.concat([Buffer.from([0xc2, 0x3e, content.length]), content]);
    const span = (name: string) => field(2, field(5, name));
    const names = (body: Buffer) => [...receive("traces", body).spans()].map((each) => each.name);
    assert.deepEqual(names(field(1, old(span("old")))), ["old"]);
    assert.deepEqual(names(field(1, field(2, span("new")), old(span("old")))), ["new"]);
  });

  it("leaves what is ordinary alone: unknown fields, groups, other wire types, long tags, packed or not", () => {
    for (const [signal, body] of [
      ["logs", Buffer.from([0xca, 0x80, 0, 1, 0x41, 0xd3, 0xbe, 0, 0x88, 0x81, 0, 1, 0xd4, 0xbe, 0])],
      ["traces", spanOf([0xca, 0x3e, 1, 0x41], [0x1b, 0x08, 1, 0x13, 0x14, 0x1c], [0x28, 7], field(9, key, value))],
      [
        "metrics",
        field(1, field(2, field(2, field(9, field(1, [0x31, ...Array(8).fill(1), 0x32, 8, ...Array(8).fill(2)]))))),
      ],
    ] as const) {
      const data = receive(signal, body);
      assert.equal(data.chunks[0]?.isRewritten, false);
      assert.equal(data.toBuffer(), body);
    }
  });
});

/** protobufjs keeps the replaced members of a oneof beside the last one; only the last counts. */
function withoutUnset(message: Message): Message {
  if (Array.isArray(message)) return message.map(withoutUnset);
  if (typeof message !== "object" || message === null) return message;
  const entries = Object.entries(message).filter(([name]) => !("asInt" in message && name === "asDouble"));
  return Object.fromEntries(entries.map(([name, value]) => [name, withoutUnset(value)]));
}
