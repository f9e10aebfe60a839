import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { acted, bool, dbl, int, problems, text } from "./support.ts";

const sha256 = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest("hex");

function littleEndian(write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(8);
  write(bytes);
  return bytes;
}

describe("attribute actions", () => {
  for (const { name, actions, from, want } of [
    {
      name: "insert adds only what is missing",
      actions: [
        { key: "a", value: 1, action: "insert" },
        { key: "b", value: "new", action: "INSERT" },
      ],
      from: { b: text("old") },
      want: { b: text("old"), a: int(1) },
    },
    {
      name: "update changes only what is there",
      actions: [
        { key: "a", value: true, action: "update" },
        { key: "b", value: 1.5, action: "Update" },
      ],
      from: { b: text("old") },
      want: { b: dbl(1.5) },
    },
    {
      name: "upsert does either",
      actions: [
        { key: "a", value: ["x", 2], action: "upsert" },
        { key: "b", value: { k: "v" }, action: "upsert" },
      ],
      from: { b: text("old") },
      want: {
        b: { kvlistValue: { values: [{ key: "k", value: text("v"), keyStrindex: 0 }] } },
        a: { arrayValue: { values: [text("x"), int(2)] } },
      },
    },
    {
      name: "from_attribute copies the value with its type, and does nothing without it",
      actions: [
        { key: "copy", from_attribute: "double", action: "insert" },
        { key: "other", from_attribute: "missing", action: "upsert" },
      ],
      from: { double: dbl(2) },
      want: { double: dbl(2), copy: dbl(2) },
    },
    {
      name: "a later action sees what an earlier one did",
      actions: [
        { key: "a", value: "first", action: "insert" },
        { key: "b", from_attribute: "a", action: "insert" },
        { key: "a", action: "delete" },
        { key: "a", value: "again", action: "insert" },
        { key: "c", from_attribute: "gone", action: "insert" },
        { key: "gone", action: "delete" },
        { key: "d", from_attribute: "gone", action: "insert" },
      ],
      from: { gone: int(7) },
      want: { a: text("again"), b: text("first"), c: int(7) },
    },
    {
      name: "delete takes a key and all keys that match",
      actions: [{ key: "a", pattern: "^secret\\.|_token$", action: "delete" }],
      from: { a: int(1), "secret.x": int(1), api_token: int(1), "my.secret.x": int(1) },
      want: { "my.secret.x": int(1) },
    },
    {
      name: "a pattern finds what an earlier action added, not what it deleted",
      actions: [
        { key: "tmp.new", value: "x", action: "insert" },
        { key: "tmp.old", action: "delete" },
        { pattern: "^tmp\\.", action: "hash" },
      ],
      from: { "tmp.old": int(1), "tmp.kept": text("y") },
      want: { "tmp.kept": text(sha256("y")), "tmp.new": text(sha256("x")) },
    },
    {
      name: "hash digests the bytes of scalars",
      actions: [{ pattern: ".", action: "hash" }],
      from: {
        s: text("hello"),
        e: text(""),
        t: bool(true),
        f: bool(false),
        i: int(-2),
        d: dbl(2),
        l: { arrayValue: { values: [] } },
      },
      want: {
        s: text("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
        e: text("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        t: text(sha256(Buffer.of(1))),
        f: text(sha256(Buffer.of(0))),
        i: text(sha256(littleEndian((bytes) => bytes.writeBigInt64LE(-2n)))),
        d: text(sha256(littleEndian((bytes) => bytes.writeDoubleLE(2)))),
        l: text(""),
      },
    },
    {
      name: "extract makes attributes of named groups and writes over what is there",
      actions: [{ key: "url", pattern: "^(?P<scheme>.*)://(?P<host>[^/]+)(?P<rest>/.*)?$", action: "extract" }],
      from: { url: text("http://example.com"), host: int(1) },
      want: { url: text("http://example.com"), host: text("example.com"), scheme: text("http"), rest: text("") },
    },
    {
      name: "extract leaves alone what does not match or is no text",
      actions: [
        { key: "a", pattern: "(?P<x>z)", action: "extract" },
        { key: "b", pattern: "(?P<x>1)", action: "extract" },
      ],
      from: { a: text("abc"), b: int(1) },
      want: { a: text("abc"), b: int(1) },
    },
    {
      name: "convert to int",
      actions: ["a", "b", "c", "d", "e", "f", "g"].map((key) => ({ key, action: "convert", converted_type: "int" })),
      from: {
        a: dbl(-2.9),
        b: text("-42"),
        c: text("4.2"),
        d: bool(true),
        e: int(5),
        f: dbl(Number.NaN),
        g: text("9223372036854775808"),
      },
      want: {
        a: int(-2),
        b: int(-42),
        c: text("4.2"),
        d: int(1),
        e: int(5),
        f: dbl(Number.NaN),
        g: text("9223372036854775808"),
      },
    },
    {
      name: "convert to double",
      actions: ["a", "b", "c", "d", "e"].map((key) => ({ key, action: "convert", converted_type: "double" })),
      from: { a: int(3), b: text("1e3"), c: text("x"), d: bool(false), e: dbl(0.5) },
      want: { a: dbl(3), b: dbl(1000), c: text("x"), d: dbl(0), e: dbl(0.5) },
    },
    {
      name: "convert to string",
      actions: ["a", "b", "c", "d", "e", "f"].map((key) => ({ key, action: "convert", converted_type: "string" })),
      from: {
        a: int(9223372036854775807n),
        b: dbl(1e21),
        c: bool(true),
        d: { bytesValue: Buffer.from("hi") },
        e: {
          kvlistValue: {
            values: [
              { key: "b", value: int(1) },
              { key: "a", value: text("<&>") },
            ],
          },
        },
        f: { arrayValue: { values: [dbl(2), {}] } },
      },
      want: {
        a: text("9223372036854775807"),
        b: text("1e+21"),
        c: text("true"),
        d: text("aGk="),
        e: text('{"a":"<&>","b":1}'),
        f: text("[2,null]"),
      },
    },
  ]) {
    it(name, () => assert.deepEqual(acted(actions, [from]), [want]));
  }

  const client = {
    address: "[2001:db8::1]:4317",
    transport: "grpc" as const,
    metadata: new Map([["x-tenant", ["a", "b"]]]),
  };
  for (const { from_context, want } of [
    { from_context: "metadata.X-Tenant", want: text("a;b") },
    { from_context: "x-tenant", want: text("a;b") },
    { from_context: "client.address", want: text("2001:db8::1") },
    { from_context: "metadata.missing", want: undefined },
    { from_context: "auth.subject", want: undefined },
  ]) {
    it(`takes ${from_context} from the request`, () => {
      const [attributes] = acted([{ key: "k", from_context, action: "upsert" }], [{}], client);
      assert.deepEqual(attributes?.["k"], want);
    });
  }

  it("starts afresh for every item", () => {
    const actions = [{ key: "b", from_attribute: "a", action: "insert" }];
    assert.deepEqual(acted(actions, [{ a: int(1) }, {}, { a: int(2), b: int(3) }]), [
      { a: int(1), b: int(1) },
      {},
      { a: int(2), b: int(3) },
    ]);
  });

  it("forgets keys that only data brought, when there are too many", () => {
    const spans = Array.from({ length: 60 }, (_, span) =>
      Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k.${span}.${index}`, int(index)])),
    );
    const actions = [
      { pattern: "^k\\..*[1-9]$", action: "delete" },
      { key: "kept", value: "yes", action: "insert" },
    ];
    const want = spans.map((map) => ({
      ...Object.fromEntries(Object.entries(map).filter(([key]) => key.endsWith("0"))),
      kept: text("yes"),
    }));
    assert.deepEqual(acted(actions, spans), want);
  });
});

describe("the config of attribute actions", () => {
  for (const { actions, message } of [
    {
      actions: [{ key: "a", action: "rename" }],
      message: 'error creating AttrProc due to unsupported action "rename" at the 0-th actions',
    },
    {
      actions: [{ action: "insert", value: 1 }],
      message: 'error creating AttrProc due to missing required field "key" at the 0-th actions',
    },
    {
      actions: [
        { key: "ok", action: "delete" },
        { key: "a", action: "insert" },
      ],
      message:
        'error creating AttrProc. Either field "value", "from_attribute" or "from_context" setting must be specified for 1-th action',
    },
    {
      actions: [{ key: "a", action: "upsert", value: 1, from_attribute: "b" }],
      message: "error creating AttrProc due to multiple value sources being set at the 0-th actions",
    },
    {
      actions: [{ action: "hash" }],
      message:
        'error creating AttrProc due to missing required field (at least one of "key" and "pattern" have to be used) at the 0-th actions',
    },
    {
      actions: [{ key: "a", action: "extract", pattern: "(?P<x>.)(.)" }],
      message:
        'error creating AttrProc. Field "pattern" contains at least one unnamed matcher group at the 0-th actions',
    },
    {
      actions: [{ key: "a", action: "extract", pattern: "." }],
      message: 'error creating AttrProc. Field "pattern" contains no named matcher groups at the 0-th actions',
    },
    {
      actions: [{ key: "a", action: "convert", converted_type: "bool" }],
      message:
        'error creating AttrProc due to invalid value "bool" in field "converted_type" for action "convert" at the 0-th action',
    },
    {
      actions: [{ key: "a", action: "delete", value: 1 }],
      message:
        'error creating AttrProc. Action "delete" does not use "value" or "from_attribute" field. These must not be specified for 0-th action',
    },
  ]) {
    it(`refuses ${JSON.stringify(actions)}`, () => assert.deepEqual(problems(actions), [message]));
  }

  it("says what is wrong with a pattern, in RE2's view", () => {
    const [message] = problems([{ action: "delete", pattern: "(?=look)ahead" }]);
    assert.match(message ?? "", /invalid pattern: "\(\?=look\)ahead".*\(/);
  });
});
