import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { turns } from "../../../support/turns.ts";
import { call, pair } from "./client_pair.ts";
import { endHeaders, endStream, frameOf, frameType, grpcMessage, type Peer } from "./scripted_server.ts";

describe("answers that are none of gRPC", { timeout: 30_000 }, () => {
  for (const { name, answer, code, message } of [
    {
      name: "a proxy's page with 502",
      answer: (peer: Peer, streamId: number) =>
        peer
          .headers(streamId, { ":status": "502", "content-type": "text/html" }, false)
          .send(frameType.data, endStream, streamId, "<html>Bad Gateway</html>"),
      code: 14,
      message: /status code received from server: 502/,
    },
    {
      name: "a proxy's 401 without a page",
      answer: (peer: Peer, streamId: number) => peer.headers(streamId, { ":status": "401" }, true),
      code: 16,
      message: /401/,
    },
    {
      name: "a page with 200",
      answer: (peer: Peer, streamId: number) =>
        peer
          .headers(streamId, { ":status": "200", "content-type": "text/html" }, false)
          .send(frameType.data, endStream, streamId, "<html>Sign in</html>"),
      code: 2,
      message: /content-type "text\/html"/,
    },
    {
      name: "trailers without a status",
      answer: (peer: Peer, streamId: number) =>
        peer.head(streamId).send(frameType.data, 0, streamId, grpcMessage("")).headers(streamId, { x: "y" }, true),
      code: 13,
      message: /without a grpc-status/,
    },
    {
      name: "an end without trailers",
      answer: (peer: Peer, streamId: number) =>
        peer.head(streamId).send(frameType.data, endStream, streamId, grpcMessage("")),
      code: 13,
      message: /without a grpc-status/,
    },
    {
      name: "a head without :status",
      answer: (peer: Peer, streamId: number) => peer.headers(streamId, { "grpc-status": "0" }, true),
      code: 13,
      message: /malformed/,
    },
    {
      name: "a message that is cut short",
      answer: (peer: Peer, streamId: number) =>
        peer
          .head(streamId)
          .send(frameType.data, 0, streamId, grpcMessage("whole").subarray(0, 7))
          .headers(streamId, { "grpc-status": "0" }, true),
      code: 13,
      message: /cut short/,
    },
    {
      name: "two messages",
      answer: (peer: Peer, streamId: number) =>
        peer
          .head(streamId)
          .send(frameType.data, 0, streamId, Buffer.concat([grpcMessage("1"), grpcMessage("2")]))
          .headers(streamId, { "grpc-status": "0" }, true),
      code: 13,
      message: /more than one message/,
    },
    {
      name: "a message that says it is larger than any answer may be",
      answer: (peer: Peer, streamId: number) =>
        peer.head(streamId).send(frameType.data, 0, streamId, Buffer.from("00ffffffff", "hex")),
      code: 8,
      message: /larger than max \(4294967295 vs\. 4194304\)/,
    },
    {
      name: "a small message that becomes larger than any answer may be",
      answer: (peer: Peer, streamId: number) =>
        peer
          .headers(streamId, { ":status": "200", "content-type": "application/grpc", "grpc-encoding": "gzip" }, false)
          .send(frameType.data, 0, streamId, grpcMessage(gzipSync(Buffer.alloc(5 * 1024 * 1024)), 1))
          .headers(streamId, { "grpc-status": "0" }, true),
      code: 13,
      message: /cannot read the answer/,
    },
    {
      name: "a compressed message without its coding",
      answer: (peer: Peer, streamId: number) =>
        peer
          .head(streamId)
          .send(frameType.data, 0, streamId, grpcMessage("?", 1))
          .headers(streamId, { "grpc-status": "0" }, true),
      code: 13,
      message: /cannot read the answer/,
    },
  ]) {
    it(`fail the call and leave the connection: ${name}`, async () => {
      const { server, send } = await pair();
      const peer = (await server.accept()).settings();
      const sent = send();
      answer(peer, await call(peer));
      const { status } = await sent;
      assert.equal(status?.code, code);
      assert.match(status?.message ?? "", message);
      const next = send();
      peer.answer(await call(peer), "fine");
      assert.equal(String((await next).body), "fine");
    });
  }

  it("pass when they come before the answer: interim heads, padding, frames of unknown types, fields in pieces", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings();
    const sent = send();
    const streamId = await call(peer);
    const padded = Buffer.concat([Buffer.from([3]), grpcMessage("padded"), Buffer.alloc(3)]);
    const head = Buffer.from("\0\u0007:status\u0003200\0\u000ccontent-type\u0010application/grpc", "latin1");
    peer
      .headers(streamId, { ":status": "103" }, false)
      .send(0xee, 0xff, streamId, "whatever")
      .send(frameType.headers, 0, streamId, head.subarray(0, 5))
      .send(frameType.continuation, endHeaders, streamId, head.subarray(5))
      .send(frameType.data, 8, streamId, padded)
      .send(frameType.data, 0, streamId)
      .headers(streamId, { "grpc-status": "0" }, true);
    assert.deepEqual(await sent, { status: undefined, body: Buffer.from("padded") });
  });

  it("are read whatever pieces they come in", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings();
    peer.socket.setNoDelay(true);
    const sent = send();
    const streamId = await call(peer);
    const bytes = Buffer.concat([
      frameOf(frameType.headers, endHeaders, streamId, Buffer.from("\x88\x5f\x10application/grpc", "latin1")),
      frameOf(frameType.data, 0, streamId, grpcMessage("piece by piece")),
      frameOf(frameType.headers, endHeaders | endStream, streamId, Buffer.from("\0\x0bgrpc-status\x010", "latin1")),
    ]);
    for (const byte of bytes) {
      await new Promise((resolve) => peer.socket.write(Buffer.from([byte]), resolve));
      await turns(1);
    }
    assert.equal(String((await sent).body), "piece by piece");
  });
});
