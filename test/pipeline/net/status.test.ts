import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import {
  decodeStatus,
  encodeStatus,
  errorFromHttp,
  errorFromRpc,
  httpStatusOf,
  parseRetryAfter,
  retryAfterOf,
  rpcCodeOfHttp,
  statusOf,
  statusToJson,
} from "../../../pipeline/net/status.ts";
import { rpcTypes } from "../../support/rpc_types.ts";

describe("the status of an error from the pipeline", () => {
  for (const { name, error, want } of [
    {
      name: "retryable: UNAVAILABLE with the delay",
      error: new ConsumeError("sending queue is full", { retryable: true, delayMs: 1500 }),
      want: { code: 14, message: "sending queue is full", retryDelayMs: 1500 },
    },
    {
      name: "permanent: INTERNAL, said to be permanent",
      error: new ConsumeError("bad span", { retryable: false }),
      want: { code: 13, message: "Permanent error: bad span" },
    },
    {
      name: "from a downstream peer: its own code",
      error: new ConsumeError("quota", { retryable: true, grpcStatus: 8, delayMs: 2000 }),
      want: { code: 8, message: "quota", retryDelayMs: 2000 },
    },
  ]) {
    it(name, () => assert.deepEqual(statusOf(error), want));
  }
});

it("maps gRPC codes to HTTP statuses as the Collector does", () => {
  const statuses = Array.from({ length: 17 }, (_, code) => httpStatusOf(code));
  assert.deepEqual(statuses, [500, 503, 500, 400, 503, 500, 500, 403, 429, 500, 503, 503, 404, 500, 503, 503, 401]);
});

it("maps HTTP statuses to gRPC codes as the Collector does", () => {
  const codes = [400, 401, 403, 404, 429, 502, 503, 504, 500, 418].map(rpcCodeOfHttp);
  assert.deepEqual(codes, [3, 16, 7, 12, 8, 14, 14, 14, 2, 2]);
});

describe("google.rpc.Status", () => {
  const status = { code: 14, message: "come back", retryDelayMs: 2500 };

  it("is what a protobuf library reads", () => {
    const { Status, RetryInfo } = rpcTypes();
    const decoded = Status.toObject(Status.decode(encodeStatus(status)));
    assert.equal(decoded["code"], 14);
    assert.equal(decoded["message"], "come back");
    const [any] = decoded["details"];
    assert.equal(any.type_url ?? any.typeUrl, "type.googleapis.com/google.rpc.RetryInfo");
    const { retryDelay } = RetryInfo.toObject(RetryInfo.decode(any.value), { longs: Number });
    assert.deepEqual(retryDelay, { seconds: 2, nanos: 500_000_000 });
  });

  it("is read back as it was", () => assert.deepEqual(decodeStatus(encodeStatus(status)), status));

  it("is protobuf's JSON", () => {
    assert.equal(statusToJson({ code: 3, message: 'a "b"' }), '{"code":3,"message":"a \\"b\\""}');
    assert.deepEqual(JSON.parse(statusToJson(status)).details, [
      { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "2.5s" },
    ]);
  });

  it("is not seen in bytes that are none", () => {
    assert.equal(decodeStatus(Buffer.from("<html>")), undefined);
    assert.equal(decodeStatus(Buffer.from([0x0a, 0x7f])), undefined);
  });
});

describe("what an exporter makes of a gRPC status", () => {
  for (const { code, delay, retryable } of [
    ...[1, 4, 10, 11, 14, 15].map((retried) => ({ code: retried, delay: undefined, retryable: true })),
    ...[2, 3, 5, 6, 7, 9, 12, 13, 16].map((permanent) => ({ code: permanent, delay: undefined, retryable: false })),
    { code: 8, delay: undefined, retryable: false },
    { code: 8, delay: 7000, retryable: true },
  ]) {
    it(`code ${code}${delay === undefined ? "" : " with RetryInfo"}: ${retryable ? "retried" : "permanent"}`, () => {
      const error = errorFromRpc({ code, message: "m", ...(delay !== undefined && { retryDelayMs: delay }) });
      assert.equal(error.retryable, retryable);
      assert.equal(error.delayMs, delay);
      assert.equal(error.grpcStatus, code);
    });
  }

  it("names the code as gRPC does", () => {
    assert.equal(errorFromRpc({ code: 14, message: "down" }).message, "rpc error: code = Unavailable desc = down");
  });
});

describe("what an exporter makes of an HTTP answer", () => {
  const answer = (status: number, retryAfter?: string, body: Buffer = Buffer.alloc(0)) =>
    errorFromHttp("http://x/v1/traces", { status, body, retryAfter }, Date.UTC(2026, 0, 1));

  it("429, 502, 503 and 504 are retried, others are not", () => {
    const retried = [301, 400, 401, 404, 413, 429, 500, 501, 502, 503, 504].filter((each) => answer(each).retryable);
    assert.deepEqual(retried, [429, 502, 503, 504]);
  });

  it("Retry-After counts on 429 and 503 only", () => {
    assert.deepEqual(
      [429, 502, 503, 504].map((each) => answer(each, "3").delayMs),
      [3000, undefined, 3000, undefined],
    );
  });

  it("quotes the server's Status", () => {
    const { message } = answer(400, undefined, encodeStatus({ code: 3, message: "bad" }));
    assert.equal(
      message,
      "error exporting items, request to http://x/v1/traces responded with HTTP Status Code 400, Message=bad, Details=[]",
    );
  });
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 0, 1, 0, 0, 0);
  for (const { value, want } of [
    { value: undefined, want: undefined },
    { value: "0", want: 0 },
    { value: "120", want: 120_000 },
    { value: "1000000000", want: 3_600_000 },
    { value: "-5", want: undefined },
    { value: "soon", want: undefined },
    { value: "1.5", want: undefined },
    { value: "Thu, 01 Jan 2026 00:00:30 GMT", want: 30_000 },
    { value: "Thu, 01 Jan 2015 00:00:30 GMT", want: undefined },
  ]) {
    it(`${value} is read as ${want}`, () => assert.equal(parseRetryAfter(value, now), want));
  }

  it("is sent in whole seconds, on 429 and 503 only, and only with a delay", () => {
    const status = { code: 14, message: "", retryDelayMs: 2900 };
    assert.deepEqual(
      [429, 503, 500].map((http) => retryAfterOf(status, http)),
      ["2", "2", undefined],
    );
    assert.equal(retryAfterOf({ code: 14, message: "" }, 503), undefined);
  });
});
