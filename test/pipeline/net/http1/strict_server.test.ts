import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after, describe, it } from "node:test";
import { createServer as createTlsServer, connect as tlsConnect } from "node:tls";
import { z } from "../../../../pipeline/config/schema.ts";
import type { AuthVerdict } from "../../../../pipeline/net/auth.ts";
import type { Exchange } from "../../../../pipeline/net/exchange.ts";
import { NodeHttpServer } from "../../../../pipeline/net/http_server.ts";
import { StrictServer } from "../../../../pipeline/net/http1/strict_server.ts";
import { httpServerShape } from "../../../../pipeline/net/settings.ts";
import type { HttpAnswer, RequestHead, TransportRequest } from "../../../../pipeline/net/transport.ts";
import { systemClock } from "../../../../pipeline/process/clock.ts";
import { eventually, turns } from "../../../support/turns.ts";
import { RawClient, RecordingHandler, surroundings, testdataText } from "../servers.ts";
import { departures, strictRequest } from "./requests.ts";

const cleanup: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const close of cleanup.reverse()) await close();
});

const schema = z.strictObject(httpServerShape("localhost:0", { header: "0s", write: "0s", idle: "0s" }));

type Reply = (request: TransportRequest, answer: (answer: HttpAnswer) => void) => void;

const echo: Reply = (request, answer) => answer({ status: 200, body: `<${request.body}>` });

async function serve(
  options: { settings?: object; reply?: Reply; isNode?: boolean; extensions?: Record<string, unknown> } = {},
) {
  const around = surroundings(1e9, options.extensions);
  const handler = new RecordingHandler<HttpAnswer>(options.reply ?? echo, ({ kind }) => ({ status: 400, body: kind }));
  const settings = schema.parse(options.settings ?? {});
  const server = new NodeHttpServer(settings, handler, around, options.isNode === true ? undefined : StrictServer);
  await server.start();
  cleanup.push(() => server.stop(0));
  return { server, handler, address: server.addresses[0] as string, budget: around.budget };
}

/** A server that echoes bodies, as long as its requests are of the strict form, and writes down what it hands over. */
async function handingOver(makeServer: (accept: (socket: Socket) => void) => Server) {
  const left: { text: string }[] = [];
  const exchanges: Exchange[] = [];
  const limits = { headMs: 60_000, requestMs: 60_000, idleMs: 0, silentMs: 0 };
  const strict = new StrictServer(systemClock, limits, (exchange) => {
    exchanges.push(exchange);
    exchange.takeBody({
      arrived: () => true,
      gone: () => {},
      complete: (body) => exchange.answer(200, {}, body, { isLast: false, clock: systemClock }),
    });
  });
  const server = makeServer((socket) =>
    strict.serve(socket, (given) => {
      const record = { text: "" };
      left.push(record);
      given.on("data", (part: Buffer) => void (record.text += part.toString("latin1")));
      given.on("error", () => {});
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanup.push(() => void server.close());
  return { left, exchanges, port: (server.address() as AddressInfo).port };
}

const latin1 = (text: string) => Buffer.from(text, "latin1");
const withoutDate = (text: string) => text.replace(/Date: [^\r]*/g, "Date");

describe("a request of another form", () => {
  for (const before of [0, 1, 3]) {
    it(`is handed over byte for byte with all behind it, after ${before} that were served`, async () => {
      const { left, exchanges, port } = await handingOver((accept) => createServer({ allowHalfOpen: true }, accept));
      for (const [index, { bytes }] of departures.entries()) {
        const client = new RawClient(`127.0.0.1:${port}`);
        client.write(latin1(strictRequest("abc").repeat(before) + bytes + strictRequest("behind")));
        const want = bytes + strictRequest("behind");
        await eventually(() => left[index]?.text.length === want.length);
        assert.equal(left[index]?.text, want);
        client.write(latin1("more"));
        await eventually(() => left[index]?.text === `${want}more`);
        client.socket.destroy();
      }
      assert.equal(exchanges.length, before * departures.length);
    });
  }

  it("is handed over byte for byte from TLS, and so is what comes later", async () => {
    const certificate = { cert: testdataText("server.pem"), key: testdataText("server_key.pem") };
    const { left, port } = await handingOver((accept) => createTlsServer(certificate, accept));
    const client = tlsConnect({ port, host: "127.0.0.1", ca: testdataText("ca.pem"), servername: "localhost" });
    client.on("error", () => {});
    const big = "x".repeat(3_000_000);
    client.write(`${strictRequest("abc")}GET / HTTP/1.1\r\n`);
    client.write(big);
    await eventually(() => left[0]?.text.length === 16 + big.length);
    assert.equal(left[0]?.text, `GET / HTTP/1.1\r\n${big}`);
    client.destroy();
  });

  it("is answered as `node:http` answers it", async () => {
    const [own, node] = [await serve(), await serve({ isNode: true })];
    const ask = async (address: string, text: string) => {
      const client = new RawClient(address).write(latin1(text));
      client.socket.end();
      return withoutDate(await client.closed);
    };
    for (const { name, bytes } of departures) {
      const want = await ask(node.address, bytes);
      assert.equal(await ask(own.address, bytes), want, name);
      const behind = await ask(own.address, strictRequest("first") + bytes);
      assert.match(behind, /^HTTP\/1\.1 200 OK\r\n[\s\S]*<first>/, name);
      assert.equal(behind.slice(behind.indexOf("<first>") + "<first>".length), want, name);
    }
    const bodies = own.handler.requests.map(({ body }) => body.toString()).filter((body) => body !== "first");
    const sent = node.handler.requests.flatMap(({ body }) => [body.toString(), body.toString()]);
    assert.deepEqual(bodies, sent);
  });

  it("is not read before those in front of it are answered", async () => {
    const pending: (() => void)[] = [];
    const { address, handler } = await serve({
      reply: (request, answer) => void pending.push(() => echo(request, answer)),
    });
    const client = new RawClient(address).write(strictRequest("a"));
    client.write("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\nb");
    await eventually(() => pending.length === 1);
    await turns(20);
    assert.equal(handler.requests.length, 1);
    pending[0]?.();
    await eventually(() => pending.length === 2);
    pending[1]?.();
    assert.match(await client.closed, /<a>HTTP[\s\S]*<b>$/);
  });
});

describe("requests of the strict form", () => {
  it("are answered with the lines of `node:http`", async () => {
    const settings = { idle_timeout: "60s", response_headers: { "X-Gateway": "a" } };
    const answers = await Promise.all(
      [false, true].map(async (isNode) => {
        const client = new RawClient((await serve({ settings, isNode })).address).write(strictRequest("abc"));
        const answer = withoutDate(await client.until("<abc>"));
        client.socket.destroy();
        return answer;
      }),
    );
    assert.match(answers[0] ?? "", /\r\nx-gateway: a\r\n/);
    assert.equal(answers[0], answers[1]);
  });

  it("arrive whole wherever they are cut", async () => {
    const { address, handler } = await serve();
    const text = strictRequest("first", "X-A: b") + strictRequest("") + strictRequest("a third body");
    for (let cut = 1; cut < text.length; cut++) {
      const client = new RawClient(address);
      client.socket.setNoDelay(true);
      client.write(text.slice(0, cut));
      await turns(2);
      client.write(text.slice(cut));
      await client.until("<a third body>");
      client.socket.destroy();
      assert.deepEqual(
        handler.requests.splice(0).map(({ body }) => body.toString()),
        ["first", "", "a third body"],
        `cut at ${cut}`,
      );
    }
  });

  it("arrive whole byte by byte", async () => {
    const { address, handler } = await serve();
    const client = new RawClient(address);
    client.socket.setNoDelay(true);
    for (const letter of strictRequest("slow") + strictRequest("er")) {
      client.write(letter);
      await turns(1);
    }
    await client.until("<er>");
    client.socket.destroy();
    assert.deepEqual(
      handler.requests.map(({ body }) => body.toString()),
      ["slow", "er"],
    );
  });

  it("keep their bodies whatever is read later into the same memory", async () => {
    const { address, handler } = await serve();
    const bodies = Array.from({ length: 40 }, (_, index) =>
      String.fromCharCode(97 + (index % 26)).repeat(100_000 + index),
    );
    const client = new RawClient(address);
    for (const body of bodies) client.write(strictRequest(body));
    await eventually(() => handler.requests.length === bodies.length);
    client.socket.destroy();
    for (const [index, body] of bodies.entries()) assert.equal(handler.requests[index]?.body.toString(), body);
  });

  it("that come together are answered in order, with a bound on those that are not", async () => {
    const pending: (() => void)[] = [];
    const reply: Reply = (request, answer) => void pending.push(() => echo(request, answer));
    const { address } = await serve({ reply });
    const client = new RawClient(address);
    const texts = Array.from({ length: 100 }, (_, index) => String(index));
    client.write(texts.map((text) => strictRequest(text)).join(""));
    await eventually(() => pending.length === 32);
    await turns(20);
    assert.equal(pending.length, 32);
    for (let next = 31; next >= 0; next--) pending[next]?.(); // the last first
    await eventually(() => pending.length === 64);
    for (let next = 32; next < 100; next++) {
      await eventually(() => pending.length > next);
      pending[next]?.();
    }
    const all = await client.until("<99>");
    client.socket.destroy();
    assert.deepEqual(
      all.match(/<\d+>/g),
      texts.map((text) => `<${text}>`),
    );
  });

  it("are not read from a peer that reads no answers", async () => {
    const { address, handler } = await serve({
      reply: (_request, answer) => answer({ status: 200, body: "x".repeat(50_000) }),
    });
    const client = new RawClient(address);
    client.socket.pause();
    const flood = strictRequest("a").repeat(2_000);
    client.write(flood).write(flood);
    let seen = -1;
    while (seen < handler.requests.length) {
      seen = handler.requests.length;
      await turns(50);
    }
    assert.ok(seen < 4_000, `${seen} were read`);
    client.socket.destroy();
  });

  it("that are refused by their heads leave the connection alone when all of them is there", async () => {
    const { address, handler } = await serve();
    handler.judge = (asked: RequestHead) =>
      asked.header("x-no") === undefined ? undefined : { status: 404, body: "no" };
    const client = new RawClient(address).write(strictRequest("refused", "X-No: 1") + strictRequest("taken"));
    assert.match(await client.until("<taken>"), /^HTTP\/1\.1 404 [\s\S]*noHTTP\/1\.1 200 /);
    client.socket.destroy();
  });

  it("whose caller has said all are not answered", async () => {
    const { address, handler } = await serve({ reply: () => {} });
    const client = new RawClient(address).write(strictRequest("a"));
    await eventually(() => handler.requests.length === 1);
    const { signal } = handler.requests[0] as TransportRequest;
    client.socket.end();
    await client.closed;
    await eventually(() => signal.aborted);
  });
});

describe("an authenticator that answers later", () => {
  it("has bodies wait, and those it refuses are not kept", async () => {
    const verdicts: ((accepted: boolean) => void)[] = [];
    const authenticator = {
      authenticate: () =>
        new Promise<AuthVerdict>((resolve) =>
          verdicts.push((accepted) => resolve(accepted ? { accepted } : { accepted, reason: "who are you?" })),
        ),
    };
    const settings = { auth: { authenticator: "late" } };
    const { address, handler, budget } = await serve({ settings, extensions: { late: authenticator } });
    const client = new RawClient(address).write(strictRequest("a".repeat(300_000)));
    client.write(strictRequest("second"));
    await eventually(() => verdicts.length === 1);
    await turns(20);
    assert.deepEqual([handler.requests.length, budget.usedBytes, verdicts.length], [0, 0, 1]);
    verdicts[0]?.(true);
    await eventually(() => verdicts.length === 2);
    verdicts[1]?.(true);
    await client.until("<second>");
    assert.equal(handler.requests[0]?.body.length, 300_000);
    client.write(`${strictRequest("", "X-A: b").replace("Content-Length: 0", "Content-Length: 1000000")}start`);
    await eventually(() => verdicts.length === 3);
    verdicts[2]?.(false);
    assert.match(await client.closed, /HTTP\/1\.1 400 [\s\S]*unauthenticated$/);
    assert.equal(budget.usedBytes, 0);
  });
});

describe("time", () => {
  for (const { name, settings, bytes, want } of [
    {
      name: "for a head that does not end",
      settings: { read_header_timeout: "20ms" },
      bytes: "POST /v1",
      want: /^HTTP\/1\.1 408 /,
    },
    { name: "for a first request", settings: { read_header_timeout: "20ms" }, bytes: "", want: /^HTTP\/1\.1 408 / },
    {
      name: "for a second head that does not end",
      settings: { read_header_timeout: "20ms" },
      bytes: `${strictRequest("a")}POST`,
      want: /<a>HTTP\/1\.1 408 /,
    },
    {
      name: "for a body that does not end",
      settings: { read_timeout: "20ms" },
      bytes: strictRequest("half").replace("h: 4", "h: 9"),
      want: /^HTTP\/1\.1 408 /,
    },
    { name: "for another request", settings: { idle_timeout: "20ms" }, bytes: strictRequest("a"), want: /<a>$/ },
  ]) {
    it(`${name} ends`, async () => {
      const client = new RawClient((await serve({ settings })).address).write(bytes);
      assert.match(await client.closed, want);
    });
  }

  it("for an answer ends with write_timeout", async () => {
    const { address } = await serve({ settings: { write_timeout: "20ms" }, reply: () => {} });
    assert.equal(await new RawClient(address).write(strictRequest("a")).closed, "");
  });
});

describe("stopping", () => {
  it("ends idle connections at once, and those with a request behind its answer", async () => {
    const pending: (() => void)[] = [];
    const reply: Reply = (request, answer) =>
      request.body.length === 1 ? echo(request, answer) : void pending.push(() => echo(request, answer));
    const { server, address } = await serve({ reply });
    const idle = new RawClient(address).write(strictRequest("a"));
    await idle.until("<a>");
    const busy = new RawClient(address).write(strictRequest("busy"));
    await eventually(() => pending.length === 1);
    const stopped = server.stop(60_000);
    await idle.closed;
    pending[0]?.();
    assert.match(await busy.closed, /connection: close\r\n[\s\S]*<busy>$/);
    await stopped;
  });
});
