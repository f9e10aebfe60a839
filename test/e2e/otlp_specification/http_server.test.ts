import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { after } from "node:test";
import { gzipSync } from "node:zlib";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import { decodeStatus } from "../../../pipeline/net/status.ts";
import { decode, type Signal, signals, type Traces, toJson } from "../../../pipeline/pdata/index.ts";
import otlp from "../../../receivers/otlp/index.ts";
import {
  type PostOptions,
  type ReceiverOptions,
  type Reply,
  startReceiver,
  stopReceivers,
} from "../../receivers/otlp/harness.ts";
import { batches } from "../../support/otlp_batches.ts";
import type { httpServer } from "./requirements.ts";
import { suite } from "./suite.ts";

after(stopReceivers);

const protobuf = "application/x-protobuf";
const json = "application/json";
const asJson = { type: json };
const gzipped = { headers: { "content-encoding": "gzip" } };
const mebibyte = 1024 * 1024;

const paths: Record<Signal, string> = {
  traces: "/v1/traces",
  metrics: "/v1/metrics",
  logs: "/v1/logs",
  profiles: "/v1development/profiles",
};

/** The receiver by default, as the Collector, and with the specification's word. */
async function both() {
  const collector = await startReceiver();
  const specification = await startReceiver({ http: { conformance: "specification" } });
  return { collector, specification };
}

/** Sends JSON and gives back the first span that arrived, or the status that refused it. */
async function spanFrom(text: string, options: ReceiverOptions = {}) {
  const { post, offers } = await startReceiver(options);
  const { status } = await post(`{"resourceSpans":[{"scopeSpans":[{"spans":[${text}]}]}]}`, asJson);
  if (status !== 200) return status;
  return decode(offers[0]?.data as Traces).resourceSpans[0]?.scopeSpans[0]?.spans[0];
}

const strict: ReceiverOptions = { http: { conformance: "specification" } };

/** Whether a reply carries a `google.rpc.Status` in the encoding its content type says. */
function hasStatus({ type, body, text }: Reply): boolean {
  if (type === json) return typeof (JSON.parse(text) as { message?: unknown }).message === "string";
  return type === protobuf && (decodeStatus(body)?.message ?? "") !== "";
}

const refused: readonly { readonly status: number; readonly body: Buffer | string; readonly options?: PostOptions }[] =
  [
    { status: 400, body: "no protobuf" },
    { status: 400, body: "{", options: asJson },
    { status: 404, body: "", options: { path: "/v2/traces" } },
    { status: 405, body: "", options: { method: "PUT" } },
    { status: 415, body: "", options: { type: "text/plain" } },
    { status: 400, body: "", options: { headers: { "content-encoding": "br" } } },
  ];

suite<keyof typeof httpServer>("OTLP 1.11: the receiver over HTTP", {
  async "takes bodies without compression and with gzip"() {
    const { post, offers } = await startReceiver();
    const body = batches.traces.toBuffer();
    assert.equal((await post(body)).status, 200);
    assert.equal((await post(gzipSync(body), gzipped)).status, 200);
    for (const { data } of offers) assert.ok(data.toBuffer().equals(body));
    assert.equal(offers.length, 2);
  },

  async "takes POST requests, protobuf and JSON on one port"() {
    const { post, offers } = await startReceiver();
    assert.equal((await post(batches.traces.toBuffer())).status, 200);
    assert.equal((await post(toJson(batches.traces), asJson)).status, 200);
    const [first, second] = offers.map(({ data }) => toJson(data).toString());
    assert.equal(first, second);
    assert.equal((await post("", { method: "GET" })).status, 405);
  },

  async "takes each signal on its standard path"() {
    const { post, offers } = await startReceiver();
    for (const signal of signals) {
      assert.equal((await post(batches[signal].toBuffer(), { path: paths[signal] })).status, 200);
      assert.equal(offers.at(-1)?.signal, signal);
    }
  },

  async "answers in the content type of the request, refusals too"() {
    const { collector, specification } = await both();
    for (const type of [protobuf, json]) {
      const good = type === json ? toJson(batches.traces) : batches.traces.toBuffer();
      for (const { post } of [collector, specification]) {
        assert.equal((await post(good, { type })).type, type);
        assert.equal((await post("{", { type })).type, type);
      }
      assert.equal((await collector.post(good, { type, path: "/v2" })).type, "text/plain; charset=utf-8");
      assert.equal((await specification.post(good, { type, path: "/v2" })).type, type);
      assert.equal((await specification.post(good, { type, method: "PUT" })).type, type);
    }
  },

  async "limits a body to 20 MiB, also once it is inflated"() {
    const { post, offers } = await startReceiver();
    const large = Buffer.alloc(20 * mebibyte + 1);
    assert.equal((await post(large)).status, 400);
    assert.equal((await post(gzipSync(large), gzipped)).status, 400);
    assert.equal(offers.length, 0);
  },

  async "says 413 for a body over the limit"() {
    const large = Buffer.alloc(20 * mebibyte + 1);
    const { collector, specification } = await both();
    for (const [body, options] of [
      [large, {}],
      [gzipSync(large), gzipped],
    ] as const) {
      assert.equal((await collector.post(body, options)).status, 400);
      const reply = await specification.post(body, options);
      assert.deepEqual([reply.status, decodeStatus(reply.body)?.code], [413, 8]);
    }
  },

  async "answers success with 200 and the response message of the signal"() {
    for (const { post } of Object.values(await both())) {
      for (const signal of signals) {
        const reply = await post(toJson(batches[signal]), { path: paths[signal], type: json });
        assert.equal(reply.status, 200);
        const { partialSuccess = {}, ...rest } = JSON.parse(reply.text) as Record<string, object>;
        assert.deepEqual([partialSuccess, rest], [{}, {}]);
      }
    }
  },

  async "leaves partialSuccess unset on success"() {
    const { collector, specification } = await both();
    const [body, text] = [batches.traces.toBuffer(), toJson(batches.traces)];
    assert.equal((await collector.post(body)).body.toString("hex"), "0a00");
    assert.equal((await collector.post(text, asJson)).text, '{"partialSuccess":{}}');
    assert.equal((await specification.post(body)).body.length, 0);
    assert.equal((await specification.post(text, asJson)).text, "{}");
  },

  async "answers an empty request with success"() {
    for (const { post, offers } of Object.values(await both())) {
      assert.equal((await post("")).status, 200);
      assert.equal((await post("{}", asJson)).status, 200);
      assert.equal(offers.length, 0);
    }
  },

  async "takes a request whole or refuses it whole, never half"() {
    const { post, offers } = await startReceiver();
    const whole = batches.traces.toBuffer();
    assert.equal((await post(Buffer.concat([whole, whole.subarray(0, whole.length - 1)]))).status, 400);
    assert.equal(offers.length, 0);
  },

  async "puts a Status into the body of every refusal"() {
    const { collector, specification } = await both();
    for (const { status, body, options } of refused) {
      const reply = await specification.post(body, options);
      assert.equal(reply.status, status);
      assert.ok(hasStatus(reply), `${status}: ${reply.text}`);
      const usual = await collector.post(body, options);
      assert.equal(usual.status, status);
      assert.equal(usual.type?.startsWith("text/plain") ? false : hasStatus(usual), status === 400);
    }
    const bad = await specification.post("", { type: "text/plain", headers: { "content-encoding": "br" } });
    assert.deepEqual([bad.status, hasStatus(bad)], [400, true]);
    const broken = new ConsumeError("broken", { retryable: false });
    const failing = await startReceiver({ answer: (_offer, answer) => answer(broken) });
    const failure = await failing.post(batches.traces.toBuffer());
    assert.deepEqual([failure.status, hasStatus(failure)], [500, true]);
  },

  async "answers 400 to what cannot be decoded"() {
    for (const { post } of Object.values(await both())) {
      for (const [body, type] of [
        ["no protobuf", protobuf],
        ["no JSON", json],
        ['{"resourceSpans":5}', json],
      ] as const) {
        assert.equal((await post(body, { type })).status, 400);
      }
    }
  },

  async "answers 503 with Retry-After when overloaded"() {
    const full = new ConsumeError("sending queue is full", { retryable: true, delayMs: 3000 });
    const { post } = await startReceiver({ answer: (_offer, answer) => answer(full) });
    const reply = await post(batches.traces.toBuffer());
    assert.deepEqual([reply.status, reply.headers["retry-after"]], [503, "3"]);
  },

  async "reads trace and span ids as hex of either case"() {
    const hex = "5B8EFFF798038103D269B633813FC60C";
    for (const text of [hex, hex.toLowerCase()]) {
      for (const options of [{}, strict]) {
        const span = await spanFrom(`{"traceId":"${text}","spanId":"eee19B7ec3c1b174"}`, options);
        assert.ok(typeof span === "object");
        assert.equal(Buffer.from(span.traceId).toString("hex"), hex.toLowerCase());
        assert.equal(Buffer.from(span.spanId).toString("hex"), "eee19b7ec3c1b174");
      }
    }
    assert.equal(await spanFrom('{"traceId":"W47/95gDgQPSabYzgT/GDA=="}'), 400, "base64 is not taken");
  },

  async "reads 64-bit integers as numbers and as text"() {
    for (const time of ["1544712660300000000", '"1544712660300000000"']) {
      const span = await spanFrom(`{"startTimeUnixNano":${time}}`, strict);
      assert.equal(typeof span === "object" && span.startTimeUnixNano, 1544712660300000000n);
    }
  },

  async "reads enums as integers, and refuses their names"() {
    const kindOf = async (value: string, options?: ReceiverOptions) => {
      const span = await spanFrom(`{"kind":${value}}`, options);
      return typeof span === "object" ? span.kind : span;
    };
    assert.deepEqual([await kindOf("2"), await kindOf("2", strict)], [2, 2]);
    assert.deepEqual([await kindOf('"SPAN_KIND_SERVER"'), await kindOf('"SPAN_KIND_SERVER"', strict)], [2, 400]);
  },

  async "knows names in lowerCamelCase only"() {
    const countOf = async (name: string, options?: ReceiverOptions) => {
      const span = await spanFrom(`{"name":"a","${name}":7,"kind":3}`, options);
      return typeof span === "object" ? [span.droppedAttributesCount, span.kind] : span;
    };
    assert.deepEqual(await countOf("droppedAttributesCount", strict), [7, 3]);
    assert.deepEqual(await countOf("dropped_attributes_count"), [7, 3]);
    assert.deepEqual(await countOf("dropped_attributes_count", strict), [0, 3]);
    assert.deepEqual(await countOf("dropped\\u005fattributes_count", strict), [0, 3]);
  },

  async "ignores JSON names that it does not know"() {
    for (const options of [{}, strict]) {
      const span = await spanFrom('{"new":{"traceId":[1,{}]},"name":"chat","kind":2,"newer":"x"}', options);
      assert.deepEqual(typeof span === "object" && [span.name, span.kind], ["chat", 2]);
    }
  },

  async "keeps connections open and answers requests side by side"() {
    const pending: (() => void)[] = [];
    const { http } = await startReceiver({
      answer: (_offer, answer) => {
        pending.push(answer);
        if (pending.length % 5 === 0) for (const one of pending.splice(0).reverse()) one();
      },
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 5 });
    const sockets = new Set<unknown>();
    const post = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const sent = request(`http://${http}/v1/traces`, {
          method: "POST",
          agent,
          headers: { "content-type": protobuf },
        });
        sent.on("socket", (socket) => void sockets.add(socket));
        sent.on("response", (response) => response.resume().on("end", () => resolve(response.statusCode)));
        sent.on("error", reject).end(batches.traces.toBuffer());
      });
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(await Promise.all(Array.from({ length: 5 }, post)), [200, 200, 200, 200, 200]);
    }
    agent.destroy();
    assert.equal(sockets.size, 5);
  },

  "listens on port 4318 unless told otherwise"() {
    const { protocols } = otlp.config.parse({ protocols: { http: null } });
    assert.equal(protocols.http?.endpoint, "localhost:4318");
  },
});
