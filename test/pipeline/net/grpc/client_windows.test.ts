import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SimulatedClock } from "../../../support/simulated_host.ts";
import { turns } from "../../../support/turns.ts";
import { call, pair } from "./client_pair.ts";
import { endStream, frameType, grpcMessage, setting } from "./scripted_server.ts";

describe("what a server grants", { timeout: 30_000 }, () => {
  it("is used byte by byte", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings([[setting.initialWindowSize, 0]]);
    const sent = send("hello");
    const streamId = await call(peer);
    let message = Buffer.alloc(0);
    for (let left = 10; left > 0; left--) {
      peer.sendUint32(frameType.windowUpdate, streamId, 1);
      const frame = await peer.next(frameType.data);
      assert.deepEqual([frame.payload.length, frame.flags], [1, left === 1 ? endStream : 0]);
      message = Buffer.concat([message, frame.payload]);
    }
    assert.deepEqual(message, grpcMessage("hello"));
    peer.answer(streamId);
    assert.equal((await sent).status, undefined);
  });

  // Scenario: of a window of 100 a message has used all; then streams are said to begin with 40, then with 70.
  // Guarantees: the stream's window is -60, then -30: it takes an update of 31 for the next byte to go out.
  it("is taken back by settings, down to less than nothing", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings([[setting.initialWindowSize, 100]]);
    const sent = send("x".repeat(200));
    const streamId = await call(peer);
    assert.equal((await peer.next(frameType.data)).payload.length, 100);
    for (const bytes of [40, 70]) peer.settings([[setting.initialWindowSize, bytes]]);
    peer.sendUint32(frameType.windowUpdate, streamId, 31);
    assert.equal((await peer.next(frameType.data)).payload.length, 1);
    peer.settings([[setting.initialWindowSize, 1000]]);
    assert.equal((await peer.next(frameType.data)).payload.length, 104);
    peer.answer(streamId);
    assert.equal((await sent).status, undefined);
  });

  it("on the connection is divided among calls in their order", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings([[setting.initialWindowSize, 1e6]]);
    const bodies = ["a", "b"].map((text) => Buffer.alloc(60_000, text));
    const sent = bodies.map((body) => send(body));
    const streamIds = [await call(peer), await call(peer)];
    peer.sendUint32(frameType.windowUpdate, 0, 54_475); // 120 010 in all
    for (const streamId of streamIds) {
      const message = await peer.message(streamId);
      assert.equal(message.length, 60_000);
      peer.answer(streamId);
    }
    for (const reply of await Promise.all(sent)) assert.equal(reply.status, undefined);
  });

  it("is kept for frames as long as it takes, and for no longer ones", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings([
      [setting.initialWindowSize, 1e6],
      [setting.maxFrameSize, 20_000],
    ]);
    peer.sendUint32(frameType.windowUpdate, 0, 1e6);
    const sent = send("x".repeat(50_000));
    const streamId = await call(peer);
    for (const length of [20_000, 20_000, 10_005]) {
      assert.equal((await peer.next(frameType.data)).payload.length, length);
    }
    peer.answer(streamId);
    assert.equal((await sent).status, undefined);
  });

  it("is one call at a time where it takes one only", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings([[setting.maxConcurrentStreams, 1]]);
    const sent = Array.from({ length: 5 }, (_, index) => send(`${index}`));
    // More connections may come; this server has no settings for them, so they are of no use.
    for (let index = 0; index < 5; index++) {
      const streamId = await call(peer);
      assert.equal(String(await peer.message(streamId)), `${index}`);
      await turns();
      assert.equal(peer.frames.filter(({ type }) => type === frameType.headers).length, 0);
      peer.answer(streamId);
    }
    for (const reply of await Promise.all(sent)) assert.equal(reply.status, undefined);
  });

  for (const { how, settle } of [
    { how: "was cancelled", settle: (_clock: SimulatedClock, controller: AbortController) => controller.abort() },
    { how: "is overdue", settle: (clock: SimulatedClock) => clock.advance(1000) },
  ]) {
    it(`is used by the next call where the one before ${how}`, async () => {
      const { server, send, clock } = await pair();
      const peer = (await server.accept()).settings([[setting.maxConcurrentStreams, 1]]);
      const controller = new AbortController();
      const first = send("1", { signal: controller.signal, timeoutMs: 1000 });
      const streamId = await call(peer);
      const second = send("2");
      settle(clock, controller);
      assert.equal((await peer.next(frameType.reset)).streamId, streamId);
      assert.notEqual((await first).status, undefined);
      peer.answer(await call(peer));
      assert.equal((await second).status, undefined);
    });
  }

  it("can be raised later", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings([[setting.maxConcurrentStreams, 0]]);
    const sent = [send("1"), send("2")];
    await peer.next(frameType.settings); // the acknowledgement, or the client's own
    peer.settings([[setting.maxConcurrentStreams, 2]]);
    for (const streamId of [await call(peer), await call(peer)]) peer.answer(streamId);
    for (const reply of await Promise.all(sent)) assert.equal(reply.status, undefined);
  });

  // Scenario: the server answers a call before it has read the message, and grants no more for it.
  // Guarantees: the stream is over for both, so its place goes to the next call.
  it("is not waited for when the answer is there already", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings([
      [setting.initialWindowSize, 10],
      [setting.maxConcurrentStreams, 1],
    ]);
    const sent = send("x".repeat(100));
    const streamId = await call(peer);
    peer.headers(
      streamId,
      { ":status": "200", "content-type": "application/grpc", "grpc-status": "8", "grpc-message": "too%20large" },
      true,
    );
    assert.deepEqual((await sent).status, { code: 8, message: "too large" });
    assert.equal((await peer.next(frameType.reset)).streamId, streamId);
    const next = send("y");
    const nextId = await call(peer);
    peer.answer(nextId);
    assert.equal((await next).status, undefined);
  });

  // Scenario: a decoder that keeps no table wants to be told that the encoder keeps none either.
  // Guarantees: the next block begins with that (RFC 7541, 4.2), and the ones behind it do not.
  it("for the table of header fields is acknowledged in the next header block", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings([[setting.headerTableSize, 0]]);
    for (const first of [0x20, 0x83]) {
      const sent = send();
      const { payload, streamId } = await peer.next(frameType.headers);
      assert.equal(payload[0], first);
      peer.answer(streamId);
      await sent;
    }
  });
});
