import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { oddRequests } from "./corpus_requests.ts";
import * as goSdk from "./peers/go_sdk.ts";
import type { Peer } from "./peers/peer.ts";
import * as pythonSdk from "./peers/python_sdk.ts";

/** One OTLP/HTTP request, ready to be sent. */
export interface Request {
  /** `/v1/traces` and the like. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/**
 * Requests to put through two programs: what the SDKs really send, and what they never do (all kinds of metrics, links,
 * every value type, empty values). The SDKs' bytes are recorded here once, so that both programs get the same.
 */
export async function corpus(peers: { readonly python_sdk: Peer; readonly go_sdk: Peer }): Promise<Request[]> {
  const recorded: Request[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const isGzip = request.headers["content-encoding"] === "gzip";
      recorded.push({
        path: request.url ?? "",
        contentType: request.headers["content-type"] ?? "",
        body: isGzip ? gunzipSync(body) : body,
      });
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await pythonSdk.send(peers.python_sdk, { endpoint, protocol: "http" });
    await goSdk.send(peers.go_sdk, { endpoint, protocol: "http" });
  } finally {
    server.closeAllConnections();
    server.close();
  }
  return [...recorded, ...oddCorpus()];
}

/** The requests written by hand, as JSON. */
export function oddCorpus(): Request[] {
  return oddRequests.map(({ path, json }) => ({
    path,
    contentType: "application/json",
    body: Buffer.from(JSON.stringify(json)),
  }));
}

/** Sends the requests one after another. @throws when one is not taken. */
export async function post(httpPort: number, requests: readonly Request[]): Promise<void> {
  for (const { path, contentType, body } of requests) {
    const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, {
      method: "POST",
      headers: { "content-type": contentType },
      body: Uint8Array.from(body),
      signal: AbortSignal.timeout(60_000),
    });
    const answer = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${answer}`);
  }
}
