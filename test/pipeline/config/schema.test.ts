import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  choice,
  duration,
  formatDuration,
  headers,
  noteOf,
  optionalBlock,
  parseDuration,
  secret,
  stringList,
  whenWritten,
  z,
} from "../../../pipeline/config/schema.ts";
import { resource, unsetResource } from "../../../pipeline/config/telemetry/resource.ts";
import { traces, unsetTraces } from "../../../pipeline/config/telemetry/traces.ts";

const block = z
  .strictObject({ size: z.int().default(3), limit: z.int().default(9) })
  .refine((value) => value.size <= value.limit, { path: ["size"], message: "must not be above limit" });

// Scenario: the table of the Collector's optional blocks, by the state of the default.
describe("an optional block", () => {
  const on = { size: 3, limit: 9 };
  const absent = Symbol("absent");
  for (const { state, value, want } of [
    { state: "none", value: absent, want: undefined },
    { state: "none", value: null, want: undefined },
    { state: "none", value: {}, want: on },
    { state: "none", value: { enabled: true, size: 4 }, want: { ...on, size: 4 } },
    { state: "none", value: { enabled: false }, want: undefined },
    { state: "off", value: absent, want: undefined },
    { state: "off", value: null, want: on },
    { state: "off", value: {}, want: on },
    { state: "off", value: { enabled: false }, want: undefined },
    { state: "on", value: absent, want: on },
    { state: "on", value: null, want: on },
    { state: "on", value: {}, want: on },
    { state: "on", value: { enabled: false, size: 99 }, want: undefined },
  ] as const) {
    it(`that is ${state} by default and given ${value === absent ? "no key" : JSON.stringify(value)}`, () => {
      const schema = z.strictObject({
        block: state === "on" ? optionalBlock(block, state) : optionalBlock(block, state),
      });
      assert.deepEqual(schema.parse(value === absent ? {} : { block: value }).block, want);
    });
  }

  for (const { name, value, want } of [
    {
      name: "enabled that is no boolean, beside other errors",
      value: { enabled: "yes", sizee: 1 },
      want: ["enabled", ""],
    },
    { name: "an unknown key, even when it is switched off", value: { enabled: false, sizee: 1 }, want: [""] },
    { name: "a wrong type, even when it is switched off", value: { enabled: false, size: "x" }, want: ["size"] },
    { name: "its own check, only when it is on", value: { size: 10 }, want: ["size"] },
    { name: "a value that is no mapping", value: 5, want: [""] },
  ]) {
    it(`is refused for ${name}`, () => {
      const result = z.strictObject({ block: optionalBlock(block, "off") }).safeParse({ block: value });
      assert.deepEqual(
        result.error?.issues.map((issue) => issue.path.slice(1).join(".")),
        want,
      );
    });
  }

  it("keeps its note behind a description", () => {
    assert.equal(noteOf(secret().describe("A key."))?.is, "secret");
    assert.equal(noteOf(z.string()), undefined);
  });
});

describe("headers", () => {
  it("of a map are sorted by name", () => {
    assert.deepEqual(Object.entries(headers().parse({ b: "1", a: "2" })), [
      ["a", "2"],
      ["b", "1"],
    ]);
  });
  it("of a list keep their order", () => {
    const list = [
      { name: "b", value: "1" },
      { name: "a", value: "2" },
    ];
    assert.deepEqual(Object.entries(headers().parse(list)), [
      ["b", "1"],
      ["a", "2"],
    ]);
  });
  it("given twice are refused by name", () => {
    const result = headers().safeParse([
      { name: "a", value: "1" },
      { name: "a", value: "2" },
    ]);
    assert.equal(result.error?.issues[0]?.message, 'header "a" is given more than once');
  });
});

describe("a list of strings", () => {
  for (const { value, want } of [
    { value: ["a", "b"], want: ["a", "b"] },
    { value: "a,b", want: ["a", "b"] },
    { value: "a, b", want: ["a", " b"] },
    { value: "", want: [] },
    { value: [], want: [] },
  ]) {
    it(`is read from ${JSON.stringify(value)}`, () => assert.deepEqual(stringList().parse(value), want));
  }
});

it("a choice takes its values in any case", () => {
  assert.equal(choice(["basic", "normal"]).parse("Normal"), "normal");
  assert.ok(!choice(["basic", "normal"]).safeParse("none").success);
  assert.ok(!choice(["basic", "normal"]).safeParse(1).success);
});

// Expected values: what Go's time.ParseDuration and Duration.String give.
describe("a duration", () => {
  for (const { text, milliseconds, formatted } of [
    { text: "0", milliseconds: 0, formatted: "0s" },
    { text: "200ms", milliseconds: 200, formatted: "200ms" },
    { text: "1.5s", milliseconds: 1500, formatted: "1.5s" },
    { text: "90s", milliseconds: 90_000, formatted: "1m30s" },
    { text: "1h2m3.5s", milliseconds: 3_723_500, formatted: "1h2m3.5s" },
    { text: "5m", milliseconds: 300_000, formatted: "5m0s" },
    { text: "-1m", milliseconds: -60_000, formatted: "-1m0s" },
    { text: "1µs", milliseconds: 0.001, formatted: "1µs" },
    { text: "1500us", milliseconds: 1.5, formatted: "1.5ms" },
    { text: "7ns", milliseconds: 0.000007, formatted: "7ns" },
    { text: ".5s", milliseconds: 500, formatted: "500ms" },
  ]) {
    it(`of ${text}`, () => {
      assert.equal(parseDuration(text), milliseconds);
      assert.equal(formatDuration(milliseconds), formatted);
    });
  }
  for (const text of ["", "5", "s", "1 s", "1d", "1s2", "--1s", "1.s.", "∞"]) {
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), undefined));
  }
  it("of a bare number is nanoseconds", () => assert.equal(duration().parse(1_000_000), 1));
});

describe("a setting that is built when it is written", () => {
  const counted = () => {
    let builds = 0;
    const build = () => {
      builds += 1;
      return block;
    };
    return { build, builds: () => builds };
  };

  it("is not built while nobody writes it", () => {
    const { build, builds } = counted();
    const schema = z.strictObject({ a: whenWritten(build).optional().describe("A."), b: z.int() });
    assert.deepEqual(schema.parse({ b: 1 }), { b: 1 });
    assert.equal(builds(), 0);
  });

  it("has an output of its own for the empty mapping", () => {
    const { build, builds } = counted();
    const schema = z.strictObject({ a: whenWritten(build, () => ({ size: 3, limit: 9 })).prefault({}) });
    assert.deepEqual(schema.parse({}), { a: { size: 3, limit: 9 } });
    assert.deepEqual(schema.parse({ a: {} }), { a: { size: 3, limit: 9 } });
    assert.equal(builds(), 0);
  });

  it("is built once and read as it would be without", () => {
    const { build, builds } = counted();
    const schema = z.strictObject({ a: whenWritten(build).optional() });
    assert.deepEqual(schema.parse({ a: { size: 4 } }), { a: { size: 4, limit: 9 } });
    const { error } = schema.safeParse({ a: { size: 99 } });
    assert.deepEqual(
      error?.issues.map(({ path, message }) => ({ path, message })),
      [{ path: ["a", "size"], message: "must not be above limit" }],
    );
    assert.equal(builds(), 1);
  });
});

for (const { name, schema, unset } of [
  { name: "traces", schema: traces, unset: unsetTraces },
  { name: "resource", schema: resource, unset: unsetResource },
]) {
  it(`service::telemetry::${name} that nobody wrote is what the schema makes of nothing`, () => {
    assert.deepEqual(unset(), schema().parse({}));
  });
}
