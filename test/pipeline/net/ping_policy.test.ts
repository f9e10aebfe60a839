import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect, constants, createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, describe, it } from "node:test";
import { limitPings, type PingPolicy } from "../../../pipeline/net/ping_policy.ts";
import { SimulatedClock } from "../../support/simulated_host.ts";

const cleanup: (() => unknown)[] = [];
after(async () => {
  for (const close of cleanup.reverse()) await close();
});

/** A connection to a server that limits pings; its calls are answered when told to. */
async function connection(policy: Partial<PingPolicy> = {}) {
  const clock = new SimulatedClock();
  const server = createServer();
  const ended: string[] = [];
  const answers: (() => void)[] = [];
  server.on("session", (session: ServerHttp2Session) => {
    const whole = { min_time: 0, permit_without_stream: false, ...policy };
    limitPings(session, whole, clock, () => void ended.push("ended"));
  });
  server.on("stream", (stream) => {
    answers.push(() => {
      stream.respond({ ":status": 200 });
      stream.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.on("error", () => {});
  cleanup.push(() => server.close());
  cleanup.push(() => client.destroy());
  await once(client, "remoteSettings");
  const goaway = once(client, "goaway") as Promise<[code: number, last: number, data: Buffer]>;
  const call = async () => {
    const stream = client.request({ ":method": "POST", ":path": "/" });
    stream.on("error", () => {});
    stream.resume();
    while (answers.length === 0) await new Promise(setImmediate);
    return async () => {
      answers.shift()?.();
      await once(stream, "close");
    };
  };
  return { client, clock, ended, goaway, call };
}

/** One ping, answered; false when the connection has ended instead. */
function ping(client: ClientHttp2Session): Promise<boolean> {
  return new Promise((resolve) => {
    client.once("close", () => resolve(false));
    if (client.destroyed) resolve(false);
    else client.ping((error) => resolve(error === null));
  });
}

const minute = 60_000;

describe("a client that pings", () => {
  it("too often is told to be calm, and its connection ends", async () => {
    const { client, ended, goaway } = await connection();
    for (let count = 0; count < 3; count++) assert.equal(await ping(client), true);
    client.ping(() => {});
    const [code, , data] = await goaway;
    assert.deepEqual([code, data.toString()], [constants.NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings"]);
    if (!client.destroyed) await once(client, "close");
    assert.deepEqual(ended, ["ended"]);
  });

  for (const { name, policy, everyMs, isCalled, isFine } of [
    { name: "every two hours, without calls", policy: {}, everyMs: 120 * minute, isCalled: false, isFine: true },
    { name: "every hour, without calls", policy: {}, everyMs: 60 * minute, isCalled: false, isFine: false },
    { name: "every five minutes, in a call", policy: {}, everyMs: 5 * minute, isCalled: true, isFine: true },
    { name: "every four minutes, in a call", policy: {}, everyMs: 4 * minute, isCalled: true, isFine: false },
    {
      name: "every ten seconds where that is allowed, in a call",
      policy: { min_time: 10_000 },
      everyMs: 10_000,
      isCalled: true,
      isFine: true,
    },
    {
      name: "every ten seconds where that is allowed, without calls",
      policy: { min_time: 10_000 },
      everyMs: 10_000,
      isCalled: false,
      isFine: false,
    },
    {
      name: "every ten seconds where that is allowed without calls",
      policy: { min_time: 10_000, permit_without_stream: true },
      everyMs: 10_000,
      isCalled: false,
      isFine: true,
    },
  ]) {
    it(`${name}, ${isFine ? "stays" : "is sent away"}`, async () => {
      const { client, clock, call } = await connection(policy);
      if (isCalled) await call();
      const outcomes: boolean[] = [];
      for (let count = 0; count < 6 && !outcomes.includes(false); count++) {
        outcomes.push(await ping(client));
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
        clock.advance(everyMs);
      }
      assert.equal(client.destroyed, !isFine);
    });
  }

  it("between answers is forgiven", async () => {
    const { client, call } = await connection();
    for (let count = 0; count < 4; count++) {
      const answer = await call();
      assert.equal(await ping(client), true);
      assert.equal(await ping(client), true);
      await answer();
    }
    assert.equal(client.destroyed, false);
  });
});
