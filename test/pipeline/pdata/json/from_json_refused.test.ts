import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromJson, WireError } from "../../../../pipeline/pdata/index.ts";

const read = (text: string | Buffer) => fromJson("traces", Buffer.from(text));

describe("OTLP/JSON input that is refused", () => {
  const span = (json: string) => `{"resourceSpans":[{"scopeSpans":[{"spans":[{},${json}]}]}]}`;
  const at = "resourceSpans[0].scopeSpans[0].spans[1]";
  // The offset named is where the ^ stands.
  for (const { name, text, path, reason } of [
    { name: "nothing", text: "^", path: "", reason: "the text ends too early" },
    { name: "a list at the top", text: "^[]", path: "", reason: "expected an object" },
    { name: "a byte order mark", text: "^\ufeff{}", path: "", reason: "expected an object" },
    {
      name: "an id that is too short",
      text: span('{"spanId":^"0102"}'),
      path: `${at}.spanId`,
      reason: "expected 16 hex digits or none",
    },
    {
      name: "an id that is not hex",
      text: span('{"spanId":^"010203040506070g"}'),
      path: `${at}.spanId`,
      reason: "expected 16 hex digits or none",
    },
    {
      name: "a null id",
      text: span('{"traceId":^null}'),
      path: `${at}.traceId`,
      reason: "expected an id in hex",
    },
    {
      name: "a null number",
      text: span('{"flags":^null}'),
      path: `${at}.flags`,
      reason: "expected an integer",
    },
    {
      name: "an unknown enum name",
      text: span('{"kind":^"SERVER"}'),
      path: `${at}.kind`,
      reason: "an unknown enum name",
    },
    {
      name: "an integer too large",
      text: span('{"startTimeUnixNano":^"18446744073709551616"}'),
      path: `${at}.startTimeUnixNano`,
      reason: "not an integer in range",
    },
    {
      name: "a negative unsigned integer",
      text: span('{"endTimeUnixNano":^-1}'),
      path: `${at}.endTimeUnixNano`,
      reason: "not an integer in range",
    },
    {
      name: "a fraction for an integer",
      text: span('{"endTimeUnixNano":^1.5}'),
      path: `${at}.endTimeUnixNano`,
      reason: "not an integer in range",
    },
    {
      name: "more than 32 bits",
      text: span('{"droppedLinksCount":^4294967296}'),
      path: `${at}.droppedLinksCount`,
      reason: "beyond 32 bits",
    },
    {
      name: "a number that begins with 0",
      text: span('{"kind":^01}'),
      path: `${at}.kind`,
      reason: "a number begins with 0",
    },
    {
      name: "text for a list",
      text: span('{"events":^"x"}'),
      path: `${at}.events`,
      reason: "expected a list",
    },
    { name: "a number for text", text: span('{"name":^1}'), path: `${at}.name`, reason: "expected text" },
    {
      name: "a double beyond the range",
      text: span('{"attributes":[{"key":"k","value":{"doubleValue":^1e999}}]}'),
      path: `${at}.attributes[0].value.doubleValue`,
      reason: "not a number in range",
    },
    {
      name: "an unquoted NaN",
      text: span('{"attributes":[{"value":{"doubleValue":^NaN}}]}'),
      path: `${at}.attributes[0].value.doubleValue`,
      reason: "expected a number",
    },
    {
      name: "a broken attribute",
      text: span('{"attributes":[{"key":"k","value":{"intValue":^"x"}}]}'),
      path: `${at}.attributes[0].value.intValue`,
      reason: "not an integer in range",
    },
    {
      name: "bytes that are not base64",
      text: span('{"attributes":[{"value":{"bytesValue":^"A*=="}}]}'),
      path: `${at}.attributes[0].value.bytesValue`,
      reason: "not base64",
    },
    {
      name: "a broken escape",
      text: span(String.raw`{"name":^"\x"}`),
      path: `${at}.name`,
      reason: "a broken escape in a string",
    },
    {
      name: "a control character",
      text: span('{"name":"a^\nb"}'),
      path: `${at}.name`,
      reason: "a control character in a string",
    },
    {
      name: "a trailing comma",
      text: span('{"name":"a",^}'),
      path: `${at}.name`,
      reason: "expected a name in quotes",
    },
    {
      name: "a missing comma",
      text: span('{"name":"a" ^"kind":1}'),
      path: `${at}.name`,
      reason: "expected a comma or }",
    },
    { name: "a missing colon", text: span('{"name" ^"a"}'), path: at, reason: "expected a colon" },
    {
      name: "a text that ends in a string",
      text: '{^"resourceSpans',
      path: "",
      reason: "the text ends inside a string",
    },
    {
      name: "a text that ends in a number",
      text: span('{"kind":^END').replace(/END.*/, ""),
      path: `${at}.kind`,
      reason: "the text ends too early",
    },
    {
      name: "a broken escape in an unknown value",
      text: span(String.raw`{"x":^"\x"}`),
      path: at,
      reason: "a broken escape in a string",
    },
    {
      name: "an integer too small",
      text: span('{"attributes":[{"value":{"intValue":^"-9223372036854775809"}}]}'),
      path: `${at}.attributes[0].value.intValue`,
      reason: "not an integer in range",
    },
    {
      name: "an integer far too small",
      text: span('{"attributes":[{"value":{"intValue":^-18446744073709551615}}]}'),
      path: `${at}.attributes[0].value.intValue`,
      reason: "not an integer in range",
    },
    {
      name: "an int64 of 19 digits that is too large",
      text: span('{"attributes":[{"value":{"intValue":^9223372036854775808}}]}'),
      path: `${at}.attributes[0].value.intValue`,
      reason: "not an integer in range",
    },
    {
      name: "base64 with a digit too many",
      text: span('{"attributes":[{"value":{"bytesValue":^"QUJDR"}}]}'),
      path: `${at}.attributes[0].value.bytesValue`,
      reason: "not base64",
    },
    { name: "a broken unknown value", text: span('{"x":{"y":^tru}}'), path: at, reason: "an unknown word" },
    {
      name: "an unknown value nested too deep",
      text: span(`{"x":${"[".repeat(100)}^[`),
      path: at,
      reason: "an unknown value is nested more than 100 deep",
    },
  ]) {
    it(`names path and offset of ${name}`, () => {
      const offset = Buffer.from(text).indexOf("^");
      assert.throws(
        () => read(text.replace("^", "")),
        (error) => {
          assert.ok(error instanceof WireError, String(error));
          assert.deepEqual({ path: error.path, offset: error.offset }, { path, offset });
          assert.equal(error.message, `${path === "" ? "request" : path}: ${reason} (byte ${offset})`);
          return true;
        },
      );
    });
  }

  it("names the string that is not UTF-8", () => {
    const body = Buffer.from(span('{"name":"a?b"}'));
    body[56] = 0xff;
    assert.throws(() => read(body), new WireError("a string is not UTF-8", `${at}.name`, 54));
  });
});
