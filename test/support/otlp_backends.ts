import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { after } from "node:test";
import { type Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { otlpServices } from "../../pipeline/net/grpc_services.ts";
import { signals } from "../../pipeline/pdata/index.ts";
import { testdataText } from "../pipeline/net/servers.ts";

/** Destinations for exporters, on Node's and gRPC's own servers. What is opened is closed when the tests are over. */
export const cleanup: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const close of cleanup.reverse()) await close();
});

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type HttpBackendAnswer = (response: ServerResponse, received: Received) => void;
export const acceptHttp: HttpBackendAnswer = (response) =>
  void response.writeHead(200, { "content-type": "application/x-protobuf" }).end();

/** An OTLP/HTTP destination that writes down what it gets. */
export async function httpBackend(answer: HttpBackendAnswer = acceptHttp, secure = false) {
  const received: Received[] = [];
  const listener: Parameters<typeof createServer>[1] = (request, response) => {
    void buffer(request).then((body) => {
      const one = { path: request.url ?? "", headers: request.headers, body };
      received.push(one);
      answer(response, one);
    });
  };
  const tls = { key: testdataText("server_key.pem"), cert: testdataText("server.pem") };
  const server = secure ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanup.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { received, server, port, endpoint: `http://127.0.0.1:${port}` };
}

type GrpcBackendAnswer = (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => void;
export const acceptGrpc: GrpcBackendAnswer = (_call, callback) => callback(null, Buffer.alloc(0));

/** An OTLP/gRPC destination that writes down what it gets. */
export async function grpcBackend(answer: GrpcBackendAnswer = acceptGrpc, creds = ServerCredentials.createInsecure()) {
  const calls: { path: string; body: Buffer; metadata: Metadata }[] = [];
  const server = new Server();
  for (const service of otlpServices(signals)) {
    server.addService(service, {
      Export(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) {
        calls.push({ path: call.getPath(), body: call.request, metadata: call.metadata });
        answer(call, callback);
      },
    });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", creds, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  cleanup.push(() => server.forceShutdown());
  return { calls, endpoint: `127.0.0.1:${port}`, port };
}
