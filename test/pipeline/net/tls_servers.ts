import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { z } from "../../../pipeline/config/schema.ts";
import { grpcClientShape, httpClientShape } from "../../../pipeline/net/client_settings.ts";
import { NodeHttpClient } from "../../../pipeline/net/http_client.ts";
import { parseHostPort } from "../../../pipeline/net/listener.ts";
import { exportPath } from "../../../pipeline/net/otlp_paths.ts";
import { grpcServerShape, httpServerShape } from "../../../pipeline/net/settings.ts";
import type { HttpAnswer, RpcAnswer } from "../../../pipeline/net/transport.ts";
import { authority, type Certificate } from "../../support/certificates.ts";
import { SimulatedClock } from "../../support/simulated_host.ts";
import { makeHttpServer } from "./http_engines.ts";
import { makeGrpcClient, makeGrpcServer, RecordingHandler, surroundings } from "./servers.ts";

/** Servers and clients with TLS on loopback, and certificates for them. What is opened is closed when the tests are over. */

export const cleanup: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const close of cleanup.reverse()) await close();
});

const folder = mkdtempSync(join(tmpdir(), "otelpipe-tls-"));
cleanup.push(() => rmSync(folder, { recursive: true }));
let files = 0;

export function file(text: string): string {
  const path = join(folder, `${++files}.pem`);
  writeFileSync(path, text);
  return path;
}

export const ca = authority("test CA");
export const otherCa = authority("another CA");
export const serverPair = ca.issue("server");
export const clientPair = ca.issue("client");
export const path = exportPath("traces");
export const body = Buffer.from("spans");

export function pair({ cert, key }: Certificate) {
  return { cert_file: file(cert), key_file: file(key) };
}

/** Real surroundings whose monotonic clock moves only when told to. */
export function simulatedTime() {
  const around = surroundings();
  const time = new SimulatedClock();
  return { ...around, time, clock: { ...around.clock, monotonicMs: () => time.monotonicMs() } };
}

export async function https(tls: object, settings: object = {}, around = surroundings()) {
  const handler = new RecordingHandler<HttpAnswer>(
    (request, answer) => answer({ status: 200, body: request.body }),
    ({ kind }) => ({ status: kind === "too_large" ? 413 : 400, body: kind }),
  );
  const schema = z.strictObject(httpServerShape("localhost:0", { header: "0s", write: "0s", idle: "0s" }));
  const server = makeHttpServer(schema.parse({ tls, ...settings }), handler, around);
  await server.start();
  cleanup.push(() => server.stop(0));
  const address = server.addresses[0] as string;
  return { server, handler, address, url: new URL(`https://${address}/v1/traces`) };
}

export async function grpcs(tls: object, around = surroundings()) {
  const handler = new RecordingHandler<RpcAnswer>(
    (request, answer) => answer({ body: request.body }),
    ({ message }) => ({ status: { code: 3, message } }),
  );
  const settings = z.strictObject(grpcServerShape("localhost:0")).parse({ tls });
  const server = makeGrpcServer(settings, ["traces"], handler, around);
  await server.start();
  cleanup.push(() => server.stop(0));
  return { server, handler, address: server.addresses[0] as string };
}

export async function httpClient(tls: object, settings: object = {}, around = surroundings()) {
  const shape = z.strictObject(httpClientShape({ timeout: "0s", compression: "none" }));
  const client = await NodeHttpClient.open(shape.parse({ tls, ...settings }), new URL("https://x"), around);
  cleanup.push(() => client.close());
  return client;
}

export function grpcClient(endpoint: string, tls: object, around = surroundings()) {
  const shape = z.strictObject(grpcClientShape({ compression: "none" }));
  const client = makeGrpcClient(shape.parse({ endpoint, tls }), around);
  cleanup.push(() => client.close());
  return client;
}

/** A TLS connection to a server, once the handshake is over. */
export function handshake(address: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { host, port } = parseHostPort(address);
    const socket = connect({ host, port, ca: ca.cert, servername: "localhost", ...options });
    socket.on("error", reject);
    socket.once("secureConnect", () => resolve(socket));
  });
}
