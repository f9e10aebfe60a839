import assert from "node:assert/strict";
import { existsSync, linkSync, mkdtempSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { z } from "../../../pipeline/config/schema.ts";
import { grpcClientShape } from "../../../pipeline/net/client_settings.ts";
import { exportPath } from "../../../pipeline/net/otlp_paths.ts";
import { grpcServerShape, httpServerShape } from "../../../pipeline/net/settings.ts";
import type { HttpAnswer, RpcAnswer } from "../../../pipeline/net/transport.ts";
import { makeHttpServer } from "./http_engines.ts";
import { forEachGrpcEngine, makeGrpcClient, makeGrpcServer, RecordingHandler, surroundings } from "./servers.ts";

const cleanup: (() => unknown)[] = [];
after(async () => {
  for (const close of cleanup.reverse()) await close();
});

const folder = mkdtempSync(join(tmpdir(), "otelpipe-unix-"));
let sockets = 0;
const freePath = () => join(folder, `${sockets++}.sock`);

function grpcServer(endpoint: string) {
  const handler = new RecordingHandler<RpcAnswer>(
    (received, answer) => answer({ body: received.body }),
    ({ message }) => ({ status: { code: 13, message } }),
  );
  const settings = z.strictObject(grpcServerShape("")).parse({ endpoint, transport: "unix" });
  const server = makeGrpcServer(settings, ["traces"], handler, surroundings());
  cleanup.push(() => server.stop(0));
  return { server, handler };
}

function httpServer(endpoint: string) {
  const handler = new RecordingHandler<HttpAnswer>(
    (received, answer) => answer({ status: 200, body: received.body }),
    () => ({ status: 400 }),
  );
  const shape = httpServerShape("", { header: "0s", write: "0s", idle: "0s" });
  const settings = z.strictObject(shape).parse({ endpoint, transport: "unix" });
  const server = makeHttpServer(settings, handler, surroundings());
  cleanup.push(() => server.stop(0));
  return { server, handler };
}

async function sendOverGrpc(path: string) {
  const settings = z.strictObject(grpcClientShape({ compression: "gzip" }));
  const client = makeGrpcClient(
    settings.parse({ endpoint: `unix://${path}`, tls: { insecure: true } }),
    surroundings(),
  );
  cleanup.push(() => client.close());
  return await client.send(exportPath("traces"), Buffer.from("spans"), {});
}

forEachGrpcEngine(() => {
  describe("a Unix socket", () => {
    it("carries gRPC, from a client to a server", async () => {
      const path = freePath();
      const { server, handler } = grpcServer(path);
      await server.start();
      assert.deepEqual(server.addresses, [path]);
      assert.deepEqual(await sendOverGrpc(path), { status: undefined, body: Buffer.from("spans") });
      assert.deepEqual(handler.requests[0]?.client, { address: "", transport: "grpc" });
    });

    it("carries HTTP to a server", async () => {
      const path = freePath();
      const { server, handler } = httpServer(path);
      await server.start();
      const status = await new Promise((resolve, reject) => {
        const sent = request({ socketPath: path, method: "POST", path: "/v1/traces" }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.on("error", reject);
        sent.end("spans");
      });
      assert.equal(status, 200);
      assert.equal(handler.requests[0]?.body.toString(), "spans");
      assert.equal(handler.requests[0]?.client.address, "");
    });

    it("is taken away when its server stops", async () => {
      const path = freePath();
      const { server } = grpcServer(path);
      await server.start();
      assert.ok(existsSync(path));
      await server.stop(0);
      assert.ok(!existsSync(path));
    });

    // Scenario: the process before this one was killed and left its socket behind.
    it("that nobody listens on any more is taken over", async () => {
      const [path, first] = [freePath(), freePath()];
      const before = createServer();
      await new Promise<void>((resolve) => before.listen(first, resolve));
      linkSync(first, path);
      await new Promise((resolve) => before.close(resolve));
      assert.ok(existsSync(path));
      await grpcServer(path).server.start();
      assert.equal((await sendOverGrpc(path)).status, undefined);
    });

    it("that another process listens on is left alone", async () => {
      const path = freePath();
      await httpServer(path).server.start();
      await assert.rejects(grpcServer(path).server.start(), /^Error: cannot listen on .*: address already in use$/);
      assert.ok(existsSync(path));
    });

    it("does not replace a file, and needs a path in a folder that is there", async () => {
      const path = freePath();
      writeFileSync(path, "precious");
      await assert.rejects(httpServer(path).server.start(), /address already in use/);
      await assert.rejects(httpServer(join(folder, "no", "such")).server.start(), /cannot listen on .*such: /);
      await assert.rejects(httpServer("").server.start(), /a socket needs a path/);
    });
  });
});
