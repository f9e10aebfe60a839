import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseId, parsePipelineId } from "../../../pipeline/config/ids.ts";

describe("an id", () => {
  for (const { text, want } of [
    { text: "otlp", want: { text: "otlp", type: "otlp" } },
    { text: " otlp ", want: { text: "otlp", type: "otlp" } },
    { text: "otlp / a b", want: 'invalid character(s) in name "a b"' },
    { text: " otlp / in ", want: { text: "otlp/in", type: "otlp", name: "in" } },
    { text: "otlp/a/b", want: { text: "otlp/a/b", type: "otlp", name: "a/b" } },
    { text: "otlp/日本-1.x", want: { text: "otlp/日本-1.x", type: "otlp", name: "日本-1.x" } },
    { text: "", want: "id must not be empty" },
    { text: "  ", want: "id must not be empty" },
    { text: "/x", want: 'in "/x" id: the part before / should not be empty' },
    { text: "x/", want: 'in "x/" id: the part after / should not be empty' },
    { text: "1x", want: 'invalid character(s) in type "1x"' },
    { text: "o-t", want: 'invalid character(s) in type "o-t"' },
    { text: "a".repeat(63), want: { text: "a".repeat(63), type: "a".repeat(63) } },
    { text: "a".repeat(64), want: `invalid character(s) in type "${"a".repeat(64)}"` },
    { text: "x/a+b", want: 'invalid character(s) in name "a+b"' },
    { text: "x/a\u0007", want: 'invalid character(s) in name "a\\u0007"' },
    { text: `x/${"é".repeat(1024)}`, want: { text: `x/${"é".repeat(1024)}`, type: "x", name: "é".repeat(1024) } },
    {
      text: `x/${"é".repeat(1025)}`,
      want: `name "${"é".repeat(1025)}" is longer than 1024 characters (1025 characters)`,
    },
  ]) {
    it(JSON.stringify(text.length > 40 ? `${text.slice(0, 8)}… (${text.length})` : text), () => {
      assert.deepEqual(parseId(text), want);
    });
  }
});

describe("a pipeline id", () => {
  for (const { text, want } of [
    { text: "traces", want: { text: "traces", type: "traces", signal: "traces" } },
    { text: "profiles/x", want: { text: "profiles/x", type: "profiles", name: "x", signal: "profiles" } },
    { text: "trace", want: 'unknown pipeline signal: "trace"' },
    { text: "Traces", want: 'unknown pipeline signal: "Traces"' },
  ]) {
    it(text, () => assert.deepEqual(parsePipelineId(text), want));
  }
});
