import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { z } from "../../../pipeline/config/schema.ts";
import type { AuthVerdict, ClientAuthenticator, ServerAuthenticator } from "../../../pipeline/net/auth.ts";
import { grpcClientShape, httpClientShape } from "../../../pipeline/net/client_settings.ts";
import { NodeHttpClient } from "../../../pipeline/net/http_client.ts";
import { exportPath } from "../../../pipeline/net/otlp_paths.ts";
import { grpcServerShape, httpServerShape } from "../../../pipeline/net/settings.ts";
import type { HttpAnswer, RpcAnswer } from "../../../pipeline/net/transport.ts";
import { makeHttpServer } from "./http_engines.ts";
import { forEachGrpcEngine, makeGrpcClient, makeGrpcServer, RecordingHandler, surroundings } from "./servers.ts";

const cleanup: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const close of cleanup.reverse()) await close();
});

const path = exportPath("traces");
const httpSettings = z.strictObject(httpServerShape("localhost:0", { header: "0s", write: "0s", idle: "0s" }));
const grpcSettings = z.strictObject(grpcServerShape("localhost:0"));

/** Lets in who shows the token `open sesame`, in the header `token`; takes a turn of the event loop for it when told to. */
class Gatekeeper implements ServerAuthenticator {
  readonly seen: (readonly string[])[] = [];
  readonly #patience: "at once" | "later";
  readonly #code: number | undefined;

  constructor(patience: "at once" | "later" = "at once", code?: number) {
    this.#patience = patience;
    this.#code = code;
  }

  authenticate(source: { values(name: string): readonly string[] }): AuthVerdict | Promise<AuthVerdict> {
    const tokens = source.values("Token");
    this.seen.push(tokens);
    if (tokens[0] === "throw") throw new Error("the gatekeeper stumbled");
    const verdict: AuthVerdict = tokens.includes("open sesame")
      ? { accepted: true, auth: new Map([["name", "ali"]]) }
      : { accepted: false, reason: "who goes there", ...(this.#code !== undefined && { grpcStatus: this.#code }) };
    if (this.#patience === "at once") return verdict;
    return new Promise((resolve) => setImmediate(() => resolve(verdict)));
  }
}

async function httpBehind(gatekeeper: unknown, auth: object = {}) {
  const around = surroundings(1e9, { gatekeeper });
  const handler = new RecordingHandler<HttpAnswer>(
    (_request, answer) => answer({ status: 200 }),
    ({ kind, message }) => ({ status: kind === "unauthenticated" ? 401 : 400, body: message }),
  );
  const settings = httpSettings.parse({ auth: { authenticator: "gatekeeper", ...auth } });
  const server = makeHttpServer(settings, handler, around);
  await server.start();
  cleanup.push(() => server.stop(0));
  return { handler, url: new URL(`http://${server.addresses[0]}/v1/traces`), budget: around.budget };
}

async function httpClient(authenticator?: ClientAuthenticator, settings: object = {}) {
  const client = await NodeHttpClient.open(
    z.strictObject(httpClientShape({ timeout: "0s", compression: "none" })).parse(settings),
    new URL("http://localhost"),
    { ...surroundings(), authenticator },
  );
  cleanup.push(() => client.close());
  return client;
}

async function grpcBehind(gatekeeper: unknown) {
  const handler = new RecordingHandler<RpcAnswer>(
    (request, answer) => answer({ body: request.body }),
    ({ message, grpcStatus }) => ({ status: { code: grpcStatus ?? 16, message } }),
  );
  const settings = grpcSettings.parse({ auth: { authenticator: "gatekeeper" } });
  const server = makeGrpcServer(settings, ["traces"], handler, surroundings(1e9, { gatekeeper }));
  await server.start();
  cleanup.push(() => server.stop(0));
  return { handler, address: server.addresses[0] as string };
}

function grpcClient(endpoint: string, authenticator?: ClientAuthenticator, settings: object = {}) {
  const shape = z.strictObject(grpcClientShape({ compression: "none" }));
  const client = makeGrpcClient(shape.parse({ endpoint, tls: { insecure: true }, ...settings }), {
    ...surroundings(),
    authenticator,
  });
  cleanup.push(() => client.close());
  return client;
}

const body = Buffer.from("spans");

forEachGrpcEngine(() => {
  for (const patience of ["at once", "later"] as const) {
    describe(`a server whose authenticator answers ${patience}`, () => {
      it("takes who is accepted, and shows who it is: HTTP", async () => {
        const { handler, url } = await httpBehind(new Gatekeeper(patience));
        const reply = await (await httpClient()).send(url, body, { headers: { token: "open sesame" } });
        assert.equal(reply.status, 200);
        assert.deepEqual(handler.requests[0]?.body, body);
        assert.equal(handler.requests[0]?.client.auth?.get("name"), "ali");
      });

      it("takes who is accepted, and shows who it is: gRPC", async () => {
        const { handler, address } = await grpcBehind(new Gatekeeper(patience));
        const client = grpcClient(address, undefined, { headers: { token: "open sesame" } });
        const { status, body: echoed } = await client.send(path, body, {});
        assert.deepEqual([status, echoed], [undefined, body]);
        assert.equal(handler.requests[0]?.client.auth?.get("name"), "ali");
      });

      it("refuses others with the reason, before their body reaches anybody: HTTP", async () => {
        const { handler, url, budget } = await httpBehind(new Gatekeeper(patience));
        const reply = await (await httpClient()).send(url, Buffer.alloc(100_000), { headers: { token: "please" } });
        assert.deepEqual([reply.status, reply.body.toString()], [401, "who goes there"]);
        assert.deepEqual([handler.requests.length, handler.problems.length], [0, 1]);
        assert.equal(budget.usedBytes, 0);
      });

      it("refuses others with the reason, before their body reaches anybody: gRPC", async () => {
        const { handler, address } = await grpcBehind(new Gatekeeper(patience));
        const { status } = await grpcClient(address).send(path, Buffer.alloc(100_000), {});
        assert.deepEqual(status, { code: 16, message: "who goes there" });
        assert.deepEqual([handler.requests.length, handler.problems.length], [0, 1]);
      });
    });
  }

  describe("a server's authenticator", () => {
    it("that throws lets nobody in", async () => {
      const { handler, url } = await httpBehind(new Gatekeeper());
      const reply = await (await httpClient()).send(url, body, { headers: { token: "throw" } });
      assert.deepEqual([reply.status, reply.body.toString()], [401, "the gatekeeper stumbled"]);
      assert.equal(handler.requests.length, 0);
    });

    it("may choose its gRPC status", async () => {
      const { address } = await grpcBehind(new Gatekeeper("at once", 7));
      assert.equal((await grpcClient(address).send(path, body, {})).status?.code, 7);
    });

    it("sees query parameters in place of headers, those that request_params names", async () => {
      const gatekeeper = new Gatekeeper();
      const { url } = await httpBehind(gatekeeper, { request_params: ["token"] });
      const withQuery = new URL(`${url}?token=open%20sesame&other=1`);
      assert.equal((await (await httpClient()).send(withQuery, body, { headers: { token: "no" } })).status, 200);
      assert.equal((await (await httpClient()).send(url, body, { headers: { token: "open sesame" } })).status, 200);
      assert.deepEqual(gatekeeper.seen, [["open sesame"], ["open sesame"]]);
    });

    it("sees all values of a header", async () => {
      const gatekeeper = new Gatekeeper();
      const { address } = await grpcBehind(gatekeeper);
      const client = new Client(address, credentials.createInsecure());
      const metadata = new Metadata();
      for (const value of ["first", "open sesame"]) metadata.add("token", value);
      const same = (bytes: Buffer) => bytes;
      await new Promise<void>((resolve, reject) => {
        client.makeUnaryRequest(path, same, same, body, metadata, {}, (error) => (error ? reject(error) : resolve()));
      });
      client.close();
      assert.deepEqual(gatekeeper.seen[0], ["first", "open sesame"]);
    });

    it("must be one: anything else fails the start", async () => {
      await assert.rejects(httpBehind({ authorize: () => ({}) }), /extension "gatekeeper"/);
      await assert.rejects(grpcBehind({}), /extension "gatekeeper"/);
    });
  });

  /** Shows one token after the other, the next one when the last was refused. */
  class Keyring implements ClientAuthenticator {
    readonly requests: object[] = [];
    readonly #tokens: string[];

    constructor(...tokens: string[]) {
      this.#tokens = tokens;
    }

    async authorize(request: Parameters<ClientAuthenticator["authorize"]>[0]) {
      this.requests.push(request);
      const { "x-secret": _removed, ...kept } = request.headers;
      if (this.#tokens.length === 0) throw new Error("no token to be had");
      return { ...kept, token: this.#tokens[0] as string };
    }

    refused(headers: Readonly<Record<string, string>>) {
      if (headers["token"] === this.#tokens[0]) this.#tokens.shift();
      return true;
    }
  }

  describe("a client with an authenticator", () => {
    const client = { address: "10.0.0.1:1", transport: "grpc" } as const;

    it("sends the headers that it gives, over HTTP", async () => {
      const { handler, url } = await httpBehind(new Gatekeeper());
      const keyring = new Keyring("open sesame");
      const reply = await (await httpClient(keyring, { headers: { "X-Secret": "1", "X-Other": "2" } })).send(
        url,
        body,
        {
          client,
        },
      );
      assert.equal(reply.status, 200);
      assert.deepEqual(
        [handler.requests[0]?.header("x-secret"), handler.requests[0]?.header("x-other")],
        [undefined, "2"],
      );
      assert.deepEqual(keyring.requests, [
        {
          transport: "http",
          target: url.href,
          headers: {
            "user-agent": "otelpipe/0.0.0-test (test)",
            "x-secret": "1",
            "x-other": "2",
            "content-length": "5",
          },
          body,
          client,
        },
      ]);
    });

    it("sends the metadata that it gives, over gRPC", async () => {
      const { handler, address } = await grpcBehind(new Gatekeeper());
      const keyring = new Keyring("open sesame");
      const { status } = await grpcClient(address, keyring, { headers: { "X-Secret": "1" } }).send(path, body, {
        client,
      });
      assert.equal(status, undefined);
      assert.equal(handler.requests[0]?.header("x-secret"), undefined);
      assert.deepEqual(keyring.requests, [
        { transport: "grpc", target: path, headers: { "x-secret": "1" }, body, client },
      ]);
    });

    it("comes back once with fresh credentials when they were refused, over HTTP", async () => {
      const { url } = await httpBehind(new Gatekeeper());
      assert.equal((await (await httpClient(new Keyring("old", "open sesame"))).send(url, body, {})).status, 200);
      const hopeless = new Keyring("old", "older", "open sesame");
      assert.equal((await (await httpClient(hopeless)).send(url, body, {})).status, 401);
      assert.equal(hopeless.requests.length, 2);
    });

    it("comes back once with fresh credentials when they were refused, over gRPC", async () => {
      const { address } = await grpcBehind(new Gatekeeper());
      assert.equal(
        (await grpcClient(address, new Keyring("old", "open sesame")).send(path, body, {})).status,
        undefined,
      );
      const { status } = await grpcClient(address, new Keyring("old", "older", "x")).send(path, body, {});
      assert.equal(status?.code, 16);
    });

    it("fails in a way that can be retried when there are no credentials to be had", async () => {
      const { url } = await httpBehind(new Gatekeeper());
      await assert.rejects((await httpClient(new Keyring())).send(url, body, {}), /no token to be had/);
      const { address } = await grpcBehind(new Gatekeeper());
      const { status } = await grpcClient(address, new Keyring()).send(path, body, {});
      assert.deepEqual(status, { code: 14, message: "no token to be had" });
    });

    it("does not send credentials that need TLS in clear text", () => {
      const careful = Object.assign(new Keyring("t"), { needsTls: true });
      assert.throws(() => grpcClient("localhost:1", careful), /need TLS/);
      grpcClient("localhost:1", careful, { tls: { insecure_skip_verify: true } });
    });
  });
});
