import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeMessage } from "../../../../pipeline/pdata/objects/decode.ts";
import { encodeMessage } from "../../../../pipeline/pdata/objects/encode.ts";
import {
  anyValue,
  buckets,
  histogramDataPoint,
  keyValue,
  logRecord,
  metric,
  span,
  status,
} from "../../../../pipeline/pdata/objects/messages.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("decoding to objects", () => {
  // The bytes are written by hand from the protobuf encoding rules.
  for (const { name, type, bytes, want } of [
    { name: "fills in scalars that are not there", type: status, bytes: "", want: { message: "", code: 0 } },
    { name: "takes the last of two scalars", type: status, bytes: "1801 1802", want: { message: "", code: 2 } },
    {
      name: "merges two values of one key",
      type: keyValue,
      bytes: "0a0161 1202 2a00 1206 2a04 0a02 1801",
      want: { key: "a", keyStrindex: 0, value: { arrayValue: { values: [{ intValue: 1n }] } } },
    },
    { name: "keeps the last member of an oneof", type: anyValue, bytes: "1805 0a0178", want: { stringValue: "x" } },
    {
      name: "starts an oneof message anew once another member stood between",
      type: anyValue,
      bytes: "2a04 0a02 1801 1001 2a00",
      want: { arrayValue: { values: [] } },
    },
    { name: "keeps a zero oneof member", type: anyValue, bytes: "1000", want: { boolValue: false } },
    {
      name: "reads packed and unpacked elements of one field",
      type: buckets,
      bytes: "1202 0102 1003 1201 04",
      want: { offset: 0, bucketCounts: [1n, 2n, 3n, 4n] },
    },
    { name: "reads zigzag", type: buckets, bytes: "0803", want: { offset: -2, bucketCounts: [] } },
    { name: "reads a padded varint", type: status, bytes: "18 82808000", want: { message: "", code: 2 } },
    { name: "reads a negative int64", type: anyValue, bytes: "18 ffffffffffffffffff01", want: { intValue: -1n } },
    { name: "reads a negative enum", type: status, bytes: "18 ffffffffffffffffff01", want: { message: "", code: -1 } },
    {
      name: "skips unknown fields of every wire type and nested groups",
      type: status,
      bytes: "f80101 f101 0000000000000000 fa0102 6162 fd01 00000000 fb01 0801 5b5c fc01 1801",
      want: { message: "", code: 1 },
    },
    {
      name: "skips a known field of another wire type",
      type: status,
      bytes: "1a0161 1801",
      want: { message: "", code: 1 },
    },
  ]) {
    it(name, () => assert.deepEqual(decodeMessage(type, hex(bytes)), want));
  }
});

describe("encoding objects", () => {
  for (const { name, type, object, want } of [
    { name: "leaves zero scalars out", type: status, object: { message: "", code: 0 }, want: "" },
    { name: "writes text of zero characters", type: status, object: { message: "\0" }, want: "120100" },
    {
      name: "writes zero where it is a value",
      type: histogramDataPoint,
      object: { sum: 0 },
      want: "29 0000000000000000",
    },
    { name: "writes a zero oneof member", type: anyValue, object: { intValue: 0 }, want: "1800" },
    { name: "writes an empty message", type: keyValue, object: { value: {} }, want: "1200" },
    {
      name: "leaves out members that are undefined",
      type: keyValue,
      object: { key: undefined, value: undefined },
      want: "",
    },
    {
      name: "writes minus zero",
      type: histogramDataPoint,
      object: { explicitBounds: [-0] },
      want: "3a08 0000000000000080",
    },
    {
      name: "takes 64-bit integers as bigint",
      type: anyValue,
      object: { intValue: -(2n ** 63n) },
      want: "18 80808080808080808001",
    },
    {
      name: "takes 64-bit integers as text",
      type: logRecord,
      object: { timeUnixNano: "18446744073709551615" },
      want: "09 ffffffffffffffff",
    },
    { name: "takes 64-bit integers as numbers", type: anyValue, object: { intValue: 300 }, want: "18 ac02" },
    { name: "takes ids as hex", type: span, object: { spanId: "00112233445566FF" }, want: "1208 00112233445566ff" },
    { name: "takes bytes as base64", type: anyValue, object: { bytesValue: "/+8=" }, want: "3a02 ffef" },
    {
      name: "packs repeated scalars",
      type: buckets,
      object: { offset: -2, bucketCounts: [1, 300n] },
      want: "0803 1203 01ac02",
    },
    {
      name: "writes lengths of more than one byte",
      type: status,
      object: { message: "x".repeat(200) },
      want: `12c801${"78".repeat(200)}`,
    },
  ]) {
    it(name, () => assert.equal(encodeMessage(type, object).toString("hex"), want.replaceAll(" ", "")));
  }

  it("takes lists of any length", () => {
    const attributes = Array.from({ length: 100_000 }, () => ({ key: "a" }));
    const bytes = encodeMessage(span, { events: [{ attributes }] });
    assert.equal(bytes.subarray(-5).toString("hex"), "1a030a0161");
  });

  for (const { name, type, object, message } of [
    {
      name: "a member that does not exist",
      type: metric,
      object: { gauge: { dataPoint: [] } },
      message: "Metric.gauge: opentelemetry.proto.metrics.v1.Gauge has no field dataPoint",
    },
    {
      name: "an id of the wrong size",
      type: span,
      object: { traceId: "abcd" },
      message: "Span.traceId: want 16 bytes or none, got abcd",
    },
    {
      name: "an integer out of range",
      type: span,
      object: { droppedLinksCount: 2 ** 32 },
      message: "Span.droppedLinksCount: want an integer 0 to 4294967295, got 4294967296",
    },
    {
      name: "a fraction for an integer",
      type: anyValue,
      object: { intValue: 1.5 },
      message: "AnyValue.intValue: want an integer -9223372036854775808 to 9223372036854775807, got 1.5",
    },
    {
      name: "a value in place of a list",
      type: span,
      object: { attributes: { a: 1 } },
      message: "Span.attributes: want an array, got object",
    },
    {
      name: "a number for a string, with its index",
      type: span,
      object: { events: [{}, { name: 7 }] },
      message: "Span.events[1].name: want a string, got 7",
    },
  ]) {
    it(`refuses ${name}`, () => assert.throws(() => encodeMessage(type, object), new TypeError(message)));
  }
});
