const traceId = "0102030405060708090a0b0c0d0e0f10";
const spanId = "0102030405060708";

/** A small request as protobuf, written byte by byte: one resource, one scope, one span with ids and a name. */
export function goodTraces({ traceIdBytes = 16, spanIdBytes = 8, name = "good" as string | Buffer } = {}): Buffer {
  const span = Buffer.concat([
    field(1, Buffer.from(traceId, "hex").subarray(0, traceIdBytes)),
    field(2, Buffer.from(spanId, "hex").subarray(0, spanIdBytes)),
    field(5, Buffer.from(name as string)),
    // start_time_unix_nano = 1, end_time_unix_nano = 2
    Buffer.from([0x39, 1, 0, 0, 0, 0, 0, 0, 0, 0x41, 2, 0, 0, 0, 0, 0, 0, 0]),
  ]);
  return field(1, field(2, field(2, span)));
}

/** A length-delimited field; numbers below 16, lengths below 16384. */
export function field(number: number, content: Uint8Array): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), content]);
}

/** A request as JSON: one span with `fields` over the usual ones, beside `rest` at the top. */
export function json(fields: Readonly<Record<string, unknown>>, rest: Readonly<Record<string, unknown>> = {}): Buffer {
  return Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [jsonSpan(fields)] }] }], ...rest }));
}

/** The span of `json`. */
export function jsonSpan(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { traceId, spanId, name: "good", ...fields };
}
