import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { type ClientHttp2Session, connect, constants, createServer, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { z } from "../../../pipeline/config/schema.ts";
import { grpcClientShape } from "../../../pipeline/net/client_settings.ts";
import { exportPath } from "../../../pipeline/net/otlp_paths.ts";
import { grpcServerShape } from "../../../pipeline/net/settings.ts";
import type { RpcAnswer } from "../../../pipeline/net/transport.ts";
import {
  forEachGrpcEngine,
  makeGrpcClient,
  makeGrpcServer,
  RawClient,
  RecordingHandler,
  surroundings,
} from "./servers.ts";

const cleanup: (() => unknown)[] = [];
after(async () => {
  for (const close of cleanup.reverse()) await close();
});

const path = exportPath("traces");

/** A server whose calls wait for their answers when `isSlow`. */
async function serve(settings: object = {}, isSlow = false) {
  const waiting: ((answer: RpcAnswer) => void)[] = [];
  const handler = new RecordingHandler<RpcAnswer>(
    (_request, answer) => (isSlow ? void waiting.push(answer) : answer({ body: Buffer.alloc(0) })),
    ({ message }) => ({ status: { code: 13, message } }),
  );
  const parsed = z.strictObject(grpcServerShape("127.0.0.1:0")).parse(settings);
  const around = surroundings();
  const server = makeGrpcServer(parsed, ["traces"], handler, around);
  await server.start();
  cleanup.push(() => server.stop(0));
  return { address: server.addresses[0] as string, handler, waiting, logs: around.logs };
}

/** A connection, with what it is told when it is sent away, and its end. */
async function session(address: string) {
  const client = connect(`http://${address}`);
  client.on("error", () => {});
  cleanup.push(() => client.destroy());
  const goaway = new Promise<[code: number, data: string]>((resolve) => {
    client.once("goaway", (code, _last, data) => resolve([code, String(data)]));
  });
  const closed = new Promise<void>((resolve) => client.once("close", resolve));
  await Promise.race([once(client, "remoteSettings"), closed]);
  return { client, goaway, closed };
}

function rpc(client: ClientHttp2Session) {
  const stream = client.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => {});
  stream.resume();
  stream.end(Buffer.alloc(5));
  return stream;
}

forEachGrpcEngine(() => {
  describe("a gRPC server", () => {
    it("says how many calls one connection may have", async () => {
      const few = await session((await serve({ max_concurrent_streams: 7 })).address);
      assert.equal(few.client.remoteSettings.maxConcurrentStreams, 7);
      const many = await session((await serve()).address);
      assert.equal(many.client.remoteSettings.maxConcurrentStreams, 0xffffffff);
    });

    it("sends away connections that are old, and lets their calls end", async () => {
      const keepalive = { server_parameters: { max_connection_age: "1s" } };
      const { address, waiting } = await serve({ keepalive }, true);
      const { client, goaway } = await session(address);
      const call = rpc(client);
      const trailers = once(call, "trailers");
      assert.deepEqual(await goaway, [constants.NGHTTP2_NO_ERROR, "max_age"]);
      while (waiting.length === 0) await new Promise(setImmediate);
      waiting[0]?.({ body: Buffer.alloc(0) });
      assert.equal((await trailers)[0]["grpc-status"], "0");
    });

    it("cuts calls of such a connection when their grace is over", async () => {
      const server_parameters = { max_connection_age: "500ms", max_connection_age_grace: "20ms" };
      const { address } = await serve({ keepalive: { server_parameters } }, true);
      const { client, closed } = await session(address);
      const call = rpc(client);
      await once(call, "close");
      await closed;
    });

    it("closes connections without calls", async () => {
      const { address } = await serve({ keepalive: { server_parameters: { max_connection_idle: "20ms" } } });
      await (await session(address)).closed;
    });

    it("closes connections whose client does not answer pings", async () => {
      const { address } = await serve({ keepalive: { server_parameters: { time: "20ms", timeout: "20ms" } } });
      const silent = new RawClient(address).write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"\0\0\0\x04\0\0\0\0\0"}`);
      await silent.closed;
    });

    it("sends away clients that ping too often, and says so", async () => {
      const { address, logs } = await serve();
      const { client, goaway, closed } = await session(address);
      for (let count = 0; count < 4; count++) client.ping(() => {});
      assert.deepEqual(await goaway, [constants.NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings"]);
      await closed;
      assert.match(logs.at(-1)?.message ?? "", /pings more often than/);
    });

    it("lets clients ping as often as enforcement_policy allows", async () => {
      const enforcement_policy = { min_time: "1ns", permit_without_stream: true };
      const { client } = await session((await serve({ keepalive: { enforcement_policy } })).address);
      for (let count = 0; count < 10; count++) {
        await new Promise<void>((resolve, reject) =>
          client.ping((error) => (error === null ? resolve() : reject(error))),
        );
      }
    });
  });

  function client(settings: object) {
    const shape = z.strictObject(grpcClientShape({ compression: "none" }));
    const made = makeGrpcClient(shape.parse({ tls: { insecure: true }, ...settings }), surroundings());
    cleanup.push(() => made.close());
    return made;
  }

  /** A server that shows the headers of calls, and which connections ping. */
  async function backend() {
    const seen: IncomingHttpHeaders[] = [];
    const server = createServer();
    const pinged = new Promise<void>((resolve) => {
      server.on("session", (each) => void each.on("ping", () => resolve()));
    });
    server.on("stream", (stream, headers) => {
      seen.push(headers as IncomingHttpHeaders);
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.alloc(5));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanup.push(() => server.close());
    return { seen, pinged, endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  describe("a gRPC client", () => {
    it("names the authority and the user agent that are set", async () => {
      const { seen, endpoint } = await backend();
      await client({ endpoint, authority: "tenant.test", user_agent: "mine/1" }).send(path, Buffer.alloc(0), {});
      await client({ endpoint }).send(path, Buffer.alloc(0), {});
      assert.deepEqual(
        seen.map((headers) => headers[":authority"]),
        ["tenant.test", endpoint],
      );
      assert.match(seen[0]?.["user-agent"] ?? "", /^mine\/1( grpc-node-js\/|$)/);
    });

    it("pings without calls when told to", async () => {
      const { endpoint, pinged } = await backend();
      const keepalive = { time: "20ms", timeout: "1s", permit_without_stream: true };
      await client({ endpoint, keepalive }).send(path, Buffer.alloc(0), {});
      await pinged;
    });

    it("fails at once where nobody listens, or waits for it to be ready", async () => {
      const socket = join(mkdtempSync(join(tmpdir(), "otelpipe-ready-")), "later.sock");
      const endpoint = `unix://${socket}`;
      assert.equal((await client({ endpoint }).send(path, Buffer.alloc(0), {})).status?.code, 14);
      const answered = client({ endpoint, wait_for_ready: true }).send(path, Buffer.alloc(0), { timeoutMs: 30_000 });
      await serve({ endpoint: socket, transport: "unix" });
      assert.equal((await answered).status, undefined);
    });

    for (const balancer_name of ["round_robin", "pick_first", ""]) {
      it(`reaches its server with the balancer ${JSON.stringify(balancer_name)}`, async () => {
        const { seen, endpoint } = await backend();
        await client({ endpoint, balancer_name }).send(path, Buffer.alloc(0), {});
        assert.equal(seen.length, 1);
      });
    }
  });
});
