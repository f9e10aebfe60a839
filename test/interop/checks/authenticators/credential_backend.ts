import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { testdata } from "../../../pipeline/net/servers.ts";

/** The header by which the backend tells exporters apart. */
export const nameHeader = "x-name";

/**
 * A destination over HTTP and over gRPC with TLS that writes down the headers it gets, by protocol and exporter, and gives
 * tokens at `/token`.
 */
export class CredentialBackend {
  readonly headers = new Map<string, IncomingHttpHeaders>();
  readonly tokenRequests: string[] = [];
  readonly #http = createServer((request, response) => void this.#answer(request, response));
  readonly #grpc = createSecureServer({
    cert: readFileSync(testdata("server.pem")),
    key: readFileSync(testdata("server_key.pem")),
  });

  async start(): Promise<void> {
    this.#grpc.on("stream", (stream, headers) => {
      this.headers.set(`gRPC, ${String(headers[nameHeader])}`, headers as IncomingHttpHeaders);
      stream.resume().once("end", () => {
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(Buffer.alloc(5));
      });
    });
    for (const server of [this.#http, this.#grpc]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
  }

  get httpPort(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get grpcPort(): number {
    return (this.#grpc.address() as AddressInfo).port;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    if (request.url !== "/token") {
      this.headers.set(`HTTP, ${String(request.headers[nameHeader])}`, request.headers);
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
      return;
    }
    const parameters = [...new URLSearchParams(body)].map((pair) => pair.join("=")).sort();
    this.tokenRequests.push([request.headers.authorization, request.headers["content-type"], ...parameters].join(" "));
    const token = { access_token: `t${body.length}`, token_type: "bearer", expires_in: 3_600 };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(token));
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    this.#http.close();
    this.#grpc.close();
  }
}
