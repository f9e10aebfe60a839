import assert from "node:assert/strict";
import { connect } from "node:http2";
import { describe, it } from "node:test";
import { credentials, Metadata } from "@grpc/grpc-js";
import { parseHostPort } from "../../../pipeline/net/listener.ts";
import type { RpcAnswer } from "../../../pipeline/net/transport.ts";
import { eventually } from "../../support/turns.ts";
import { call, path, serve } from "./grpc_calls.ts";
import { forEachGrpcEngine, RawClient, testdata, testdataText } from "./servers.ts";

forEachGrpcEngine(() => {
  describe("stopping", () => {
    it("answers what is in flight, takes nothing new", async () => {
      const pending: ((answer: RpcAnswer) => void)[] = [];
      const { server, address } = await serve({}, { reply: (_request, answer) => void pending.push(answer) });
      const outcome = call(address, Buffer.from("x"));
      await eventually(() => pending.length === 1);
      const stopped = server.stop(60_000);
      assert.equal((await call(address, Buffer.from("y"))).code, 14);
      pending[0]?.({ body: Buffer.from("late") });
      assert.equal((await outcome).body?.toString(), "late");
      await stopped;
      await server.stop(60_000);
    });

    it("does not wait for clients that keep unused connections", async () => {
      const { server, address } = await serve();
      const session = connect(`http://${address}`);
      await new Promise((resolve) => session.once("remoteSettings", resolve));
      const closed = new Promise((resolve) => session.once("close", resolve));
      await server.stop(600_000);
      await closed;
    });

    it("cuts what is not answered within the grace, and silent connections", async () => {
      const { server, address, handler } = await serve({}, { reply: () => {} });
      const silent = new RawClient(address);
      const outcome = call(address, Buffer.from("x"));
      await eventually(() => handler.requests.length === 1);
      await server.stop(1);
      assert.notEqual((await outcome).code, 0);
      await silent.closed;
    });
  });

  describe("TLS", () => {
    const tls = { cert_file: testdata("server.pem"), key_file: testdata("server_key.pem") };
    const ca = Buffer.from(testdataText("ca.pem"));
    const port = (address: string) => parseHostPort(address).port;

    it("serves with the configured certificate", async () => {
      const { address } = await serve({ tls });
      const creds = credentials.createSsl(ca);
      assert.equal(
        (await call(`localhost:${port(address)}`, Buffer.from("x"), {}, path, new Metadata(), creds)).code,
        0,
      );
    });

    it("asks for a client certificate when client_ca_file is set", async () => {
      const { address } = await serve({ tls: { ...tls, client_ca_file: testdata("ca.pem") } });
      const target = `localhost:${port(address)}`;
      const anonymous = await call(target, Buffer.from("x"), {}, path, new Metadata(), credentials.createSsl(ca));
      assert.equal(anonymous.code, 14);
      const [key, cert] = ["client_key.pem", "client.pem"].map((name) => Buffer.from(testdataText(name)));
      const creds = credentials.createSsl(ca, key, cert);
      assert.equal((await call(target, Buffer.from("x"), {}, path, new Metadata(), creds)).code, 0);
    });
  });
});
