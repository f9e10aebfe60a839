import assert from "node:assert/strict";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { parseHostPort } from "../../../pipeline/net/listener.ts";
import { eventually } from "../../support/turns.ts";
import { surroundings } from "./servers.ts";
import { body, ca, cleanup, handshake, httpClient, https, pair, serverPair } from "./tls_servers.ts";

describe("HTTP/2 by ALPN", () => {
  interface Http2Reply {
    readonly status: number;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly body: string;
  }

  async function session(settings: object = {}, around = surroundings()) {
    const served = await https(pair(serverPair), settings, around);
    const client = connectHttp2(`https://localhost:${parseHostPort(served.address).port}`, { ca: ca.cert });
    client.on("error", () => {});
    cleanup.push(() => client.destroy());
    return { ...served, client, budget: around.budget };
  }

  function ask(client: ClientHttp2Session, headers: object, sent?: Buffer): Promise<Http2Reply> {
    return new Promise((resolve, reject) => {
      const stream = client.request({ ":method": "POST", ":path": "/v1/traces", ...headers });
      let received: Http2Reply["headers"] = {};
      const parts: Buffer[] = [];
      stream.on("response", (answer) => (received = { ...answer }));
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("error", reject);
      stream.on("close", () =>
        resolve({ status: Number(received[":status"]), headers: received, body: Buffer.concat(parts).toString() }),
      );
      stream.end(sent);
    });
  }

  it("is spoken with clients that ask for it, and HTTP/1.1 with others", async () => {
    const { address } = await https(pair(serverPair));
    const agreed = async (protocols: string[]) => {
      const socket = await handshake(address, { ALPNProtocols: protocols });
      socket.destroy();
      return socket.alpnProtocol;
    };
    assert.equal(await agreed(["h2", "http/1.1"]), "h2");
    assert.equal(await agreed(["http/1.1"]), "http/1.1");
    const { url } = await https(pair(serverPair));
    assert.equal((await (await httpClient({ ca_pem: ca.cert })).send(url, body, {})).status, 200);
  });

  it("carries bodies, many at a time on one connection", async () => {
    const { client, handler, budget } = await session();
    const bodies = Array.from({ length: 20 }, (_, index) => Buffer.from(`${index} `.repeat(20_000)));
    const replies = await Promise.all(
      bodies.map((each) => ask(client, { "content-encoding": "gzip" }, gzipSync(each))),
    );
    assert.deepEqual(
      replies.map(({ status, body: echoed }) => [status, echoed]),
      bodies.map((each) => [200, each.toString()]),
    );
    assert.equal(new Set(handler.requests.map((request) => request.client.address)).size, 1);
    assert.equal(budget.usedBytes, 0);
  });

  it("shows method, path and metadata as HTTP/1.1 does", async () => {
    const { client, handler, address } = await session({ include_metadata: true });
    await ask(client, { ":path": "/v1/traces?a=b", "x-two": ["a", "b"] }, body);
    const [request] = handler.requests;
    assert.deepEqual([request?.method, request?.path, request?.client.transport], ["POST", "/v1/traces", "http"]);
    assert.deepEqual(request?.client.metadata?.get("x-two"), ["a", "b"]);
    assert.deepEqual(request?.client.metadata?.get("host"), [`localhost:${parseHostPort(address).port}`]);
  });

  it("carries response headers and CORS", async () => {
    const { client } = await session({
      response_headers: { "X-Extra": "1" },
      cors: { allowed_origins: ["https://a.example"] },
    });
    const asked = { origin: "https://a.example", "access-control-request-method": "POST" };
    const preflight = await ask(client, { ":method": "OPTIONS", ...asked });
    assert.deepEqual([preflight.status, preflight.headers["access-control-allow-methods"]], [204, "POST"]);
    const { headers } = await ask(client, { origin: "https://a.example" }, body);
    assert.deepEqual([headers["x-extra"], headers["access-control-allow-origin"]], ["1", "https://a.example"]);
  });

  it("refuses what is too large while it comes, and goes on with other requests", async () => {
    const { client, budget } = await session({ max_request_body_size: 100_000 });
    assert.deepEqual((await ask(client, {}, Buffer.alloc(5_000_000))).status, 413);
    assert.deepEqual((await ask(client, { "content-encoding": "gzip" }, gzipSync(Buffer.alloc(200_000)))).status, 413);
    assert.equal((await ask(client, {}, body)).status, 200);
    assert.equal(budget.usedBytes, 0);
  });

  it("gives the memory of a body back when its sender goes away", async () => {
    const { client, budget, handler } = await session();
    const stream = client.request({ ":method": "POST", ":path": "/v1/traces" });
    stream.on("error", () => {});
    stream.write(Buffer.alloc(1000));
    await eventually(() => budget.usedBytes === 1000);
    client.destroy();
    await eventually(() => budget.usedBytes === 0);
    assert.equal(handler.requests.length, 0);
  });

  it("answers what is in flight when the server stops, and takes nothing new", async () => {
    const { client, handler, server } = await session();
    let finish: () => void = () => {};
    handler.handle = (request, answer) => (finish = () => answer({ status: 200, body: request.body }));
    const { handle } = handler;
    let begun = false;
    handler.handle = (request, answer) => {
      begun = true;
      handle(request, answer);
    };
    const underWay = ask(client, {}, body);
    await eventually(() => begun);
    const stopped = server.stop(10_000);
    finish();
    assert.equal((await underWay).status, 200);
    await stopped;
    await eventually(() => client.destroyed);
  });
});
