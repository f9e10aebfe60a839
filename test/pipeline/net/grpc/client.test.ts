import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eventually, turns } from "../../../support/turns.ts";
import { call, pair } from "./client_pair.ts";
import { endHeaders, frameOf, frameType, grpcMessage, type Peer, setting } from "./scripted_server.ts";

const noError = 0;
const refusedStream = 7;
const cancel = 8;

function goaway(peer: Peer, lastStreamId: number, code = noError): Peer {
  return peer.sendUint32(frameType.goaway, 0, lastStreamId, code);
}

const highestStreamId = 2 ** 31 - 1;

describe("calls to a server that goes away", { timeout: 30_000 }, () => {
  // Scenario: three calls are under way when the server says that it has looked at the first only.
  // Guarantees: the first is answered where it is, the others on a new connection, and none is sent twice to one server.
  it("are sent again where it has not looked at them", async () => {
    const { server, send } = await pair();
    const old = (await server.accept()).settings();
    const sent = [send("1"), send("2"), send("3")];
    for (const streamId of [1, 3, 5]) assert.equal(await call(old), streamId);
    goaway(old, 1);
    const fresh = (await server.accept()).settings();
    for (const [streamId, text] of [
      [1, "2"],
      [3, "3"],
    ] as const) {
      assert.equal(await call(fresh), streamId);
      assert.equal(String(await fresh.message(streamId)), text);
      fresh.answer(streamId, `new ${text}`);
    }
    old.answer(1, "old 1");
    const replies = await Promise.all(sent);
    assert.deepEqual(
      replies.map(({ body }) => String(body)),
      ["old 1", "new 2", "new 3"],
    );
    await old.closed;
    assert.equal(server.connections, 2);
  });

  it("are answered while it takes its leave in two steps, and new ones go elsewhere", async () => {
    const { server, send } = await pair();
    const old = (await server.accept()).settings();
    const first = send("1");
    await call(old);
    goaway(old, highestStreamId).send(frameType.ping, 0, 0, Buffer.alloc(8));
    await old.next(frameType.ping);
    const second = send("2");
    const fresh = (await server.accept()).settings();
    fresh.answer(await call(fresh));
    assert.equal((await second).status, undefined);
    goaway(old, 1).answer(1);
    assert.equal((await first).status, undefined);
    await old.closed;
  });

  it("are told so when server after server goes away without a look at them", async () => {
    const { server, send } = await pair();
    const sent = send();
    for (let connection = 0; connection < 4; connection++) {
      const peer = (await server.accept()).settings();
      await call(peer);
      goaway(peer, 0);
    }
    assert.equal((await sent).status?.code, 14);
    assert.equal(server.connections, 4);
  });

  it("are answered by the next connection when it closes one that has none", async () => {
    const { server, send } = await pair();
    const old = (await server.accept()).settings();
    const first = send();
    old.answer(await call(old));
    await first;
    goaway(old, 1);
    await old.closed;
    const second = send();
    const fresh = (await server.accept()).settings();
    fresh.answer(await call(fresh));
    assert.equal((await second).status, undefined);
  });

  it("are not sent again when the connection is lost: the server may have looked at them", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings();
    const sent = send();
    await call(peer);
    peer.socket.destroy();
    assert.deepEqual((await sent).status, { code: 14, message: "the connection was lost" });
  });
});

describe("a call whose stream is reset", { timeout: 30_000 }, () => {
  it("is sent again when it was refused", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings();
    const sent = send();
    peer.sendUint32(frameType.reset, await call(peer), refusedStream);
    const again = await call(peer);
    assert.equal(again, 3);
    peer.answer(again, "yes");
    assert.equal(String((await sent).body), "yes");
  });

  for (const { code, status } of [
    { code: noError, status: 13 },
    { code: 2, status: 13 },
    { code: cancel, status: 1 },
    { code: 11, status: 8 },
  ]) {
    it(`fails with status ${status} for code ${code}`, async () => {
      const { server, send } = await pair();
      const peer = (await server.accept()).settings();
      const sent = send();
      peer.sendUint32(frameType.reset, await call(peer), code);
      assert.equal((await sent).status?.code, status);
    });
  }

  it("has its answer when that was complete before", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings([[setting.initialWindowSize, 10]]);
    const sent = send("x".repeat(100));
    const streamId = await call(peer);
    peer.answer(streamId, "early").sendUint32(frameType.reset, streamId, noError);
    assert.equal(String((await sent).body), "early");
  });
});

describe("a connection that cannot go on", { timeout: 30_000 }, () => {
  for (const { name, frame } of [
    { name: "DATA of a stream that never was", frame: frameOf(frameType.data, 0, 99, "x") },
    { name: "HEADERS of a stream that never was", frame: frameOf(frameType.headers, endHeaders, 99, "\x88") },
    { name: "a stream of the server's own", frame: frameOf(5, endHeaders, 1, Buffer.from("0000000288", "hex")) },
    { name: "fields that cannot be decoded", frame: frameOf(frameType.headers, endHeaders, 1, "\x7f") },
    { name: "a window that overflows", frame: frameOf(frameType.windowUpdate, 0, 0, Buffer.from("7fffffff", "hex")) },
    { name: "a frame longer than was allowed", frame: Buffer.from("ffffff000000000001", "hex") },
  ]) {
    it(`fails its calls, is left, and another one takes its place: ${name}`, async () => {
      const { server, send } = await pair();
      const peer = (await server.accept()).settings();
      const sent = send();
      await call(peer);
      peer.socket.write(frame);
      assert.equal((await sent).status?.code, 14);
      await peer.next(frameType.goaway);
      await peer.closed;
      const next = send();
      const fresh = (await server.accept()).settings();
      fresh.answer(await call(fresh));
      assert.equal((await next).status, undefined);
    });
  }

  it("is given up when the server does not introduce itself in time", async () => {
    const { server, send, clock } = await pair();
    const peer = await server.accept();
    const sent = send();
    await peer.next(frameType.settings);
    clock.advance(20_000);
    const { status } = await sent;
    assert.equal(status?.code, 14);
    assert.match(status?.message ?? "", /it took too long/);
    await peer.closed;
  });

  it("is given up when the server does not answer pings", async () => {
    const { server, send, clock } = await pair({ keepalive: { time: "10s", timeout: "1s" } });
    const peer = (await server.accept()).settings();
    const sent = send();
    await call(peer);
    for (let beat = 0; beat < 3; beat++) {
      clock.advance(10_000);
      const { payload } = await peer.next(frameType.ping);
      peer.send(frameType.ping, 1, 0, payload).send(frameType.windowUpdate, 0, 0, Buffer.from("00000001", "hex"));
      await turns();
      clock.advance(1000);
    }
    clock.advance(10_000);
    await peer.next(frameType.ping);
    clock.advance(1000);
    assert.equal((await sent).status?.code, 14);
    await peer.closed;
  });
});

describe("a call that is not wanted any more", { timeout: 30_000 }, () => {
  it("is overdue at its deadline, which the server is told", async () => {
    const { server, send, clock } = await pair();
    const peer = (await server.accept()).settings();
    const sent = send("late", { timeoutMs: 1500 });
    const { payload, streamId } = await peer.next(frameType.headers);
    assert.ok(payload.includes("\u000cgrpc-timeout\u00051500m"));
    clock.advance(1499);
    await turns();
    assert.equal(peer.frames.filter(({ type }) => type === frameType.reset).length, 0);
    clock.advance(1);
    assert.deepEqual((await sent).status, { code: 4, message: "context deadline exceeded" });
    const reset = await peer.next(frameType.reset);
    assert.deepEqual([reset.streamId, reset.payload.readUInt32BE()], [streamId, cancel]);
  });

  it("is overdue while it waits for a connection", async () => {
    const { server, send, clock } = await pair({ wait_for_ready: true });
    await server.accept();
    const sent = send("late", { timeoutMs: 10 });
    await turns();
    clock.advance(10);
    assert.equal((await sent).status?.code, 4);
  });

  it("is cancelled by its caller, and what still comes for it disturbs nobody", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings();
    const controller = new AbortController();
    const sent = send("no", { signal: controller.signal });
    const streamId = await call(peer);
    peer.head(streamId);
    controller.abort();
    assert.equal((await sent).status?.code, 1);
    await peer.next(frameType.reset);
    peer.send(frameType.data, 0, streamId, grpcMessage("late")).headers(streamId, { "grpc-status": "0" }, true);
    const next = send("yes");
    peer.answer(await call(peer), "still here");
    assert.equal(String((await next).body), "still here");
  });

  it("is never sent when its caller has cancelled it before", async () => {
    const { server, send } = await pair();
    const peer = (await server.accept()).settings();
    assert.equal((await send("no", { signal: AbortSignal.abort() })).status?.code, 1);
    const sent = send("yes");
    const streamId = await call(peer);
    assert.equal(String(await peer.message(streamId)), "yes");
    peer.answer(streamId);
    await sent;
  });

  it("fails when the client is closed, wherever it is", async () => {
    const { server, send, client } = await pair();
    const waiting = send("1");
    client.close();
    assert.equal((await waiting).status?.code, 14);
    assert.equal((await send("2")).status?.code, 14);
    assert.ok(server.connections <= 1);
  });
});

describe("a server that is not there", { timeout: 30_000 }, () => {
  it("is tried again after a while, longer each time, and found when it is", async () => {
    const { server, send, clock } = await pair();
    (await server.accept()).socket.destroy();
    for (const waitMs of [1000, 1600, 2560]) {
      const { status } = await send();
      assert.equal(status?.code, 14);
      const before = server.connections;
      clock.advance(waitMs - 1);
      await turns();
      assert.equal(server.connections, before);
      clock.advance(1);
      (await server.accept()).socket.destroy();
      await eventually(() => clock.pendingTimers > 0);
      await turns();
    }
    clock.advance(4096);
    const peer = (await server.accept()).settings();
    await turns();
    const sent = send();
    peer.answer(await call(peer));
    assert.equal((await sent).status, undefined);
  });
});
