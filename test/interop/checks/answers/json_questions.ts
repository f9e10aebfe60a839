import type { Question } from "./ask.ts";
import { json, jsonSpan } from "./bodies.ts";

function asked(name: string, body: Uint8Array | string, path = "/v1/traces"): Question {
  const headers = { "content-type": "application/json" };
  return { name: `JSON: ${name}`, protocol: "http", path, headers, body: Buffer.from(body) };
}

function span(name: string, fields: Readonly<Record<string, unknown>>): Question {
  return asked(name, json(fields));
}

function value(name: string, anyValue: unknown): Question {
  return span(`value: ${name}`, { attributes: [{ key: "k", value: anyValue }] });
}

/** JSON text that `JSON.stringify` would not write. */
function raw(name: string, spanText: string): Question {
  return asked(name, `{"resourceSpans":[{"scopeSpans":[{"spans":[${spanText}]}]}]}`);
}

const capitals = "0A0B0C0D0E0F000102030405060708FF";

/** The dialects of OTLP/JSON: what readers must take, may take, and refuse. */
export const jsonQuestions: readonly Question[] = [
  asked(
    "snake_case names",
    JSON.stringify({
      resource_spans: [
        { scope_spans: [{ spans: [{ trace_id: capitals, span_id: "0102030405060708", start_time_unix_nano: 5 }] }] },
      ],
    }),
  ),
  span("unknown fields", { future: { deep: [1, { a: null }] }, another: "x" }),
  asked("unknown fields at the top", json({}, { future: [1, 2] })),
  span("trace id in capitals", { traceId: capitals }),
  span("empty ids", { traceId: "", spanId: "", parentSpanId: "" }),
  span("trace id too short", { traceId: "0102" }),
  span("trace id too long", { traceId: `${capitals}00` }),
  span("trace id of odd length", { traceId: capitals.slice(1) }),
  span("trace id not hexadecimal", { traceId: "zz".repeat(16) }),
  span("trace id in base64", { traceId: "AQIDBAUGBwgJCgsMDQ4PEA==" }),
  span("trace id as a number", { traceId: 1 }),
  span("span id too short", { spanId: "01020304050607" }),
  span("parent id too long", { parentSpanId: "010203040506070809" }),
  span("times as numbers", { startTimeUnixNano: 1767225600, endTimeUnixNano: 1767225601 }),
  span("times as texts", { startTimeUnixNano: "1767225600000000001", endTimeUnixNano: "18446744073709551615" }),
  span("time too large", { startTimeUnixNano: "18446744073709551616" }),
  span("negative time", { startTimeUnixNano: "-1" }),
  span("time with a fraction", { startTimeUnixNano: 1.5 }),
  span("time as an empty text", { startTimeUnixNano: "" }),
  span("time as a word", { startTimeUnixNano: "now" }),
  raw("time in exponent form", '{"startTimeUnixNano":1e9}'),
  raw("time as a text in exponent form", '{"startTimeUnixNano":"1e9"}'),
  span("kind as a number", { kind: 3 }),
  span("kind as a name", { kind: "SPAN_KIND_CLIENT" }),
  span("kind as an unknown name", { kind: "SPAN_KIND_NONE" }),
  span("kind as an unknown number", { kind: 77 }),
  span("kind as a number in a text", { kind: "3" }),
  span("status code as a name", { status: { code: "STATUS_CODE_ERROR" } }),
  span("counts as texts", { droppedAttributesCount: "7", flags: "257" }),
  span("count too large", { droppedAttributesCount: 4294967296 }),
  span("negative count", { droppedAttributesCount: -1 }),
  span("name as a number", { name: 7 }),
  span("null for a list, an object and a text", { attributes: null, status: null, name: null, events: null }),
  span("null for a number", { startTimeUnixNano: null }),
  span("null for an id", { traceId: null }),
  span("null for an enum", { kind: null }),
  span("an object for a list", { attributes: {} }),
  span("a list for an object", { status: [] }),
  span("null in a list", { events: [null] }),
  asked("null span", JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [null] }] }] })),
  value("integer as a number", { intValue: 42 }),
  value("integer as a text", { intValue: "-9223372036854775808" }),
  value("integer too large", { intValue: "9223372036854775808" }),
  value("integer with a fraction", { intValue: 1.5 }),
  value("integer beyond 2^53 as a text", { intValue: "9007199254740993" }),
  value("double as a text", { doubleValue: "2.5" }),
  value("NaN", { doubleValue: "NaN" }),
  value("infinity", { doubleValue: "Infinity" }),
  value("minus infinity", { doubleValue: "-Infinity" }),
  value("double as a word", { doubleValue: "much" }),
  value("double as an integer", { doubleValue: 42 }),
  value("bytes", { bytesValue: "AAEC/w==" }),
  value("bytes without padding", { bytesValue: "AAEC/w" }),
  value("bytes in base64url", { bytesValue: "AAEC_w==" }),
  value("bytes that are no base64", { bytesValue: "%%" }),
  value("boolean as a text", { boolValue: "true" }),
  value("boolean as a number", { boolValue: 1 }),
  value("null text", { stringValue: null }),
  value("null integer", { intValue: null }),
  value("nothing", {}),
  value("null", null),
  value("two at once", { stringValue: "a", intValue: "1" }),
  value("list", { arrayValue: { values: [{ intValue: 1 }, {}] } }),
  value("empty list", { arrayValue: {} }),
  value("null list", { arrayValue: null }),
  value("map in snake_case", { kvlist_value: { values: [{ key: "a", value: { string_value: "b" } }] } }),
  raw("a name twice", '{"name":"first","name":"second"}'),
  raw("unicode escapes", '{"name":"\\u007a\\ud83d\\ude80"}'),
  raw("half a surrogate pair", '{"name":"\\ud83d"}'),
  raw("a control character in a text", '{"name":"a\u0001b"}'),
  raw("a trailing comma", '{"name":"a",}'),
  raw("a comment", '{"name":"a"/* why */}'),
  raw("number with a leading zero", '{"startTimeUnixNano":01}'),
  raw("number with a plus", '{"startTimeUnixNano":+1}'),
  asked("bytes after the object", `${json({}).toString()} and more`),
  asked("a byte order mark", `\ufeff${json({}).toString()}`),
  asked("white space around it", ` \n\t${json({}).toString()}\r\n `),
  asked(
    "invalid UTF-8",
    Buffer.concat([Buffer.from('{"resourceSpans":[],"x":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
  ),
  asked("invalid UTF-8 in a name", invalidName()),
  asked(
    "log body and severity as a name",
    logs({ severityNumber: "SEVERITY_NUMBER_ERROR", body: { stringValue: "b" } }),
    "/v1/logs",
  ),
  asked("log flags, event name and times", logs({ flags: 1, eventName: "e", observedTimeUnixNano: "7" }), "/v1/logs"),
  asked("log severity as an unknown name", logs({ severityNumber: "LOUD" }), "/v1/logs"),
];

function logs(record: object): string {
  return JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
}

function invalidName(): Buffer {
  const text = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [jsonSpan({ name: "?" })] }] }] });
  const [before = "", after = ""] = text.split("?");
  return Buffer.concat([Buffer.from(before), Buffer.from([0xc3, 0x28]), Buffer.from(after)]);
}
