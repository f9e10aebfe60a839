import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { after, describe, it } from "node:test";
import { z } from "../../../pipeline/config/schema.ts";
import { httpClientShape } from "../../../pipeline/net/client_settings.ts";
import { NodeHttpClient } from "../../../pipeline/net/http_client.ts";
import { proxyFor } from "../../../pipeline/net/proxy.ts";
import { redirectTarget } from "../../../pipeline/net/redirect.ts";
import { surroundings } from "./servers.ts";
import { ca, https, pair, serverPair } from "./tls_servers.ts";

const cleanup: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const close of cleanup.reverse()) await close();
});

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanup.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A backend that writes down what it was asked. */
async function backend(answer: RequestListener = (_request, response) => response.end("ok")) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    request.resume();
    answer(request, response);
  });
  let connections = 0;
  server.on("connection", () => connections++);
  const address = await listening(server);
  return { requests, url: new URL(`http://${address}/v1/traces`), connections: () => connections };
}

/** An HTTP proxy that passes on nothing but what goes to loopback, and writes down where to. */
async function proxy() {
  const asked: string[] = [];
  const credentials: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    credentials.push(request.headers["proxy-authorization"]);
    response.end("from the proxy");
  });
  server.on("connect", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    asked.push(`CONNECT ${request.url}`);
    const port = Number(request.url?.split(":").at(-1));
    const onward = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) end.on("error", () => {});
    cleanup.push(() => void onward.destroy());
  });
  return { asked, credentials, address: await listening(server) };
}

async function client(settings: object, url: URL) {
  const shape = z.strictObject(httpClientShape({ timeout: "0s", compression: "none" }));
  const opened = await NodeHttpClient.open(shape.parse(settings), url, surroundings());
  cleanup.push(() => opened.close());
  return opened;
}

const body = Buffer.from("spans");

describe("proxy_url", () => {
  it("takes requests to http URLs as a whole, with its credentials", async () => {
    const { asked, credentials, address } = await proxy();
    const url = new URL("http://backend.test/v1/traces");
    const reply = await (await client({ proxy_url: `http://me:secret@${address}` }, url)).send(url, body, {});
    assert.equal(reply.body.toString(), "from the proxy");
    assert.deepEqual(asked, ["POST http://backend.test/v1/traces"]);
    assert.deepEqual(credentials, [`Basic ${Buffer.from("me:secret").toString("base64")}`]);
  });

  it("opens tunnels to https URLs", async () => {
    const { asked, address } = await proxy();
    const { url } = await https(pair(serverPair));
    const settings = { proxy_url: `http://${address}`, tls: { ca_pem: ca.cert } };
    assert.equal((await (await client(settings, url)).send(url, body, {})).status, 200);
    assert.deepEqual(asked, [`CONNECT ${url.host}`]);
  });

  for (const { name, proxyUrl, url, environment, want } of [
    { name: "none", proxyUrl: "", url: "http://a.test", environment: {}, want: undefined },
    {
      name: "that of the setting first",
      proxyUrl: "http://p:1",
      url: "http://a.test",
      environment: { HTTP_PROXY: "http://q:1", NO_PROXY: "a.test" },
      want: { HTTP_PROXY: "http://p:1", HTTPS_PROXY: "http://p:1" },
    },
    {
      name: "that of the environment, in either case",
      proxyUrl: "",
      url: "http://a.test",
      environment: { http_proxy: "http://q:1", HTTPS_PROXY: "http://r:1", no_proxy: "b.test" },
      want: { HTTP_PROXY: "http://q:1", HTTPS_PROXY: "http://r:1", NO_PROXY: "b.test" },
    },
    ...["http://localhost:1", "http://127.0.0.9:1", "http://[::1]:1"].map((url) => ({
      name: `none of the environment for ${url}`,
      proxyUrl: "",
      url,
      environment: { HTTP_PROXY: "http://q:1" },
      want: undefined,
    })),
    {
      name: "none when only NO_PROXY is set",
      proxyUrl: "",
      url: "http://a.test",
      environment: { NO_PROXY: "*" },
      want: undefined,
    },
  ]) {
    it(`is ${name}`, () => assert.deepEqual(proxyFor(proxyUrl, new URL(url), environment), want));
  }

  it("must be a URL of an HTTP proxy", () => {
    const shape = z.strictObject(httpClientShape({ timeout: "0s", compression: "none" }));
    assert.equal(shape.safeParse({ proxy_url: "socks5://p:1" }).success, false);
    assert.equal(shape.safeParse({ proxy_url: "p" }).success, false);
  });
});

describe("connections", () => {
  for (const { name, settings, want } of [
    { name: "are kept between requests", settings: {}, want: 1 },
    { name: "are not with disable_keep_alives", settings: { disable_keep_alives: true }, want: 2 },
    { name: "are not with keepalive off", settings: { keepalive: { enabled: false } }, want: 2 },
    { name: "are with an empty keepalive", settings: { keepalive: { max_idle_conns: 5 } }, want: 1 },
  ]) {
    it(name, async () => {
      const { url, connections } = await backend();
      const sender = await client(settings, url);
      await sender.send(url, body, {});
      await sender.send(url, body, {});
      assert.equal(connections(), want);
    });
  }

  for (const { name, settings } of [
    { name: "idle_conn_timeout", settings: { idle_conn_timeout: "20ms" } },
    { name: "keepalive::idle_conn_timeout", settings: { keepalive: { idle_conn_timeout: "20ms" } } },
  ]) {
    it(`are closed when nobody has used them for ${name}`, async () => {
      const { url, requests } = await backend();
      await (await client(settings, url)).send(url, body, {});
      const socket = requests[0]?.socket as Socket;
      if (!socket.destroyed) await new Promise((resolve) => socket.once("close", resolve));
    });
  }

  it("are no more at a time than max_conns_per_host", async () => {
    const waiting: (() => void)[] = [];
    const { url, requests, connections } = await backend(
      (_request, response) => void waiting.push(() => response.end()),
    );
    const sender = await client({ max_conns_per_host: 2 }, url);
    const sent = Array.from({ length: 5 }, () => sender.send(url, body, {}));
    for (let answered = 0; answered < 5; ) {
      while (waiting.length === 0) await new Promise(setImmediate);
      assert.ok(requests.length - answered <= 2);
      waiting.shift()?.();
      answered++;
    }
    await Promise.all(sent);
    assert.equal(connections(), 2);
  });

  it("are not kept beyond max_idle_conns_per_host", async () => {
    const waiting: (() => void)[] = [];
    const { url, connections } = await backend((_request, response) => void waiting.push(() => response.end()));
    const sender = await client({ max_idle_conns_per_host: 1 }, url);
    const round = async () => {
      const sent = [sender.send(url, body, {}), sender.send(url, body, {})];
      while (waiting.length < 2) await new Promise(setImmediate);
      for (const answer of waiting.splice(0)) answer();
      await Promise.all(sent);
    };
    await round();
    assert.equal(connections(), 2);
    await round();
    assert.equal(connections(), 3);
  });
});

describe("redirects", () => {
  const elsewhere = (location: string): RequestListener => {
    return (_request, response) => void response.writeHead(307, { location }).end();
  };
  const secrets = { headers: { "x-api-key": "secret" } };

  it("are followed on the same host with every header", async () => {
    const { requests, url } = await backend((request, response) => {
      if (request.url === "/v1/traces") response.writeHead(308, { location: "/v2/traces?a=b" });
      response.end("here");
    });
    assert.equal((await (await client(secrets, url)).send(url, body, {})).body.toString(), "here");
    assert.deepEqual(
      requests.map((request) => [request.url, request.headers["x-api-key"], request.headers["content-length"]]),
      [
        ["/v1/traces", "secret", "5"],
        ["/v2/traces?a=b", "secret", "5"],
      ],
    );
  });

  it("are followed to another host without what may be a key", async () => {
    const { requests, url: target } = await backend();
    const { url } = await backend(elsewhere(`http://localhost:${target.port}/`));
    const headers = { "content-type": "application/x-protobuf" };
    assert.equal((await (await client(secrets, url)).send(url, body, { headers })).status, 200);
    assert.equal(requests[0]?.headers["x-api-key"], undefined);
    assert.equal(requests[0]?.headers["content-type"], headers["content-type"]);
  });

  it("are followed to TLS, and never from it", async () => {
    const { url: secure } = await https(pair(serverPair));
    const { requests, url } = await backend(elsewhere(secure.href));
    const tls = { ca_pem: ca.cert };
    assert.equal((await (await client({ tls }, url)).send(url, body, {})).body.toString(), "spans");
    assert.equal(requests.length, 1);
    const from = new URL("https://a.test");
    const reply = { status: 307, header: () => "http://a.test/", body };
    assert.equal(redirectTarget(from, reply), undefined);
  });

  it("end after ten, and where there is nowhere to go", async () => {
    const { requests, url } = await backend((_request, response) =>
      response.writeHead(307, { location: "/again" }).end(),
    );
    await assert.rejects(async () => (await client({}, url)).send(url, body, {}), /stopped after 10 redirects/);
    assert.equal(requests.length, 11);
    for (const location of ["mailto:a@b", "http://[", undefined]) {
      const lost = await backend(
        (_request, response) => void response.writeHead(307, { ...(location !== undefined && { location }) }).end(),
      );
      assert.equal((await (await client({}, lost.url)).send(lost.url, body, {})).status, 307);
    }
  });
});

describe("cookies", () => {
  const setting = (...cookies: string[]) =>
    backend((_request, response) => {
      response.setHeader("set-cookie", cookies);
      response.end();
    });
  const sentBy = async (settings: object, ...cookies: string[]) => {
    const { url, requests } = await setting(...cookies);
    const sender = await client(settings, url);
    await sender.send(url, body, {});
    await sender.send(url, body, {});
    return requests.map((request) => request.headers.cookie);
  };

  it("go back to the server that set them, when they are on", async () => {
    assert.deepEqual(await sentBy({ cookies: {} }, "a=1; Path=/", "b=2"), [undefined, "b=2; a=1"]);
  });

  it("are thrown away when they are off", async () => {
    assert.deepEqual(await sentBy({}, "a=1"), [undefined, undefined]);
    assert.deepEqual(await sentBy({ cookies: { enabled: false } }, "a=1"), [undefined, undefined]);
  });

  it("do not go where they are not meant for", async () => {
    const elsewhere = ["a=1; Path=/other", "b=2; Domain=example.com", "c=3; Secure", "d=4; Max-Age=0", "e", "=f"];
    assert.deepEqual(await sentBy({ cookies: {} }, ...elsewhere, "g=7; Max-Age=60"), [undefined, "g=7"]);
  });
});
