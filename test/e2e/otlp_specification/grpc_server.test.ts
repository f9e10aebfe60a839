import assert from "node:assert/strict";
import { after } from "node:test";
import { compressionAlgorithms } from "@grpc/grpc-js";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import { decodeStatus } from "../../../pipeline/net/status.ts";
import { encode, type Signal, signals } from "../../../pipeline/pdata/index.ts";
import otlp from "../../../receivers/otlp/index.ts";
import { startReceiver, stopReceivers } from "../../receivers/otlp/harness.ts";
import { call } from "../../support/grpc_call.ts";
import { batches } from "../../support/otlp_batches.ts";
import type { grpcServer } from "./requirements.ts";
import { fromTheFuture } from "./server_support.ts";
import { suite } from "./suite.ts";

after(stopReceivers);

const traces = batches.traces.toBuffer();
const mebibyte = 1024 * 1024;
const gzip = { "grpc.default_compression_algorithm": compressionAlgorithms.gzip };

/** One span with a name of `size` bytes. */
function spanOf(size: number): Buffer {
  return encode("traces", { resourceSpans: [{ scopeSpans: [{ spans: [{ name: "x".repeat(size) }] }] }] }).toBuffer();
}

suite<keyof typeof grpcServer>("OTLP 1.11: the receiver over gRPC", {
  async "takes calls without compression and with gzip"() {
    const { grpc, offers } = await startReceiver();
    for (const options of [{}, gzip]) assert.equal((await call(grpc, "traces", traces, options)).error, null);
    assert.deepEqual(
      offers.map(({ data }) => data.toBuffer().equals(traces)),
      [true, true],
    );
  },

  async "limits a message to 4 MiB, also once it is inflated: RESOURCE_EXHAUSTED"() {
    const { grpc, offers } = await startReceiver();
    for (const options of [{}, gzip]) {
      const { error } = await call(grpc, "traces", spanOf(4 * mebibyte + 1), options);
      assert.equal(error?.code, 8);
      assert.deepEqual(error.metadata.get("grpc-status-details-bin"), [], "nobody is told to come back");
    }
    assert.equal((await call(grpc, "traces", spanOf(4 * mebibyte - 100))).error, null);
    assert.equal(offers.length, 1);
  },

  async "answers each signal with its own response message"() {
    const { grpc, offers } = await startReceiver();
    for (const signal of signals) {
      const { error, reply } = await call(grpc, signal, batches[signal].toBuffer());
      assert.deepEqual([error, reply], [null, Buffer.alloc(0)], "the empty message is a response of any signal");
    }
    assert.deepEqual(
      offers.map(({ signal }) => signal),
      signals,
    );
  },

  async "answers an empty request with success"() {
    const { grpc } = await startReceiver();
    for (const signal of signals) assert.equal((await call(grpc, signal, Buffer.alloc(0))).error, null);
  },

  async "leaves partial_success unset on success"() {
    const { grpc } = await startReceiver();
    const { reply } = await call(grpc, "traces", traces);
    assert.equal(reply?.length, 0);
  },

  async "takes a request whole or refuses it whole, never half"() {
    const half = Buffer.concat([traces, traces.subarray(0, traces.length - 1)]);
    const { grpc, offers } = await startReceiver();
    assert.equal((await call(grpc, "traces", half)).error?.code, 3);
    assert.equal(offers.length, 0);
  },

  async "tells a client to come back with UNAVAILABLE and RetryInfo"() {
    const full = new ConsumeError("sending queue is full", { retryable: true, delayMs: 1500 });
    const { grpc } = await startReceiver({ answer: (_offer, answer) => answer(full) });
    const { error } = await call(grpc, "traces", traces);
    assert.equal(error?.code, 14);
    const [details] = error.metadata.get("grpc-status-details-bin");
    assert.deepEqual(decodeStatus(details as Buffer), { code: 14, message: full.message, retryDelayMs: 1500 });
  },

  async "tells a client never to come back with bad data: INVALID_ARGUMENT"() {
    const { grpc } = await startReceiver();
    const { error } = await call(grpc, "traces", Buffer.from("no protobuf"));
    assert.equal(error?.code, 3);
  },

  async "answers calls side by side"() {
    const pending: (() => void)[] = [];
    const { grpc } = await startReceiver({
      answer: (_offer, answer) => {
        pending.push(answer);
        if (pending.length === 20) for (const one of pending.reverse()) one();
      },
    });
    const calls = Array.from({ length: 20 }, () => call(grpc, "traces", traces));
    for (const { error } of await Promise.all(calls)) assert.equal(error, null);
  },

  "listens on port 4317 unless told otherwise"() {
    const { protocols } = otlp.config.parse({ protocols: { grpc: null } });
    assert.equal(protocols.grpc?.endpoint, "localhost:4317");
  },

  async "takes messages with fields it does not know, and keeps them"() {
    const { grpc, offers } = await startReceiver();
    assert.equal((await call(grpc, "traces", fromTheFuture)).error, null);
    const [{ signal, data } = { signal: "" as Signal, data: batches.traces }] = offers;
    assert.deepEqual([signal, data.itemCount], ["traces", 1]);
    assert.ok(data.toBuffer().equals(fromTheFuture));
  },
});
