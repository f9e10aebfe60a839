import type { ServerOptions } from "node:http";
import { createServer as createHttp2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { createServer, type Server } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Exchange } from "./exchange.ts";
import { Http1Exchange } from "./http1_exchange.ts";
import { Http2Exchange } from "./http2_exchange.ts";
import { keepCertificatesFresh, tlsServerOptions } from "./tls.ts";
import type { TlsServerSettings } from "./tls_settings.ts";
import type { ServerSurroundings } from "./transport.ts";

/** Requests that one HTTP/2 connection may have open: what Go's server allows. */
const concurrentStreams = 250;

/** Windows of 64 KiB, the protocol's default, stall large requests once per round trip. */
const windowBytes = 1024 * 1024;

/**
 * An HTTPS server whose clients choose HTTP/2 or HTTP/1.1 by ALPN; HTTP/1.1 when they do not ask. `http` are the limits of
 * HTTP/1.1 connections, whose idle time counts for HTTP/2 as well.
 *
 * @throws {Error} when a file of the `tls` block cannot be read.
 */
export function createHttpsServer(
  tls: TlsServerSettings,
  http: ServerOptions,
  surroundings: ServerSurroundings,
  take: (exchange: Exchange) => void,
): Server {
  const options = { ...http, ...tlsServerOptions(tls, ["h2", "http/1.1"]) };
  const server = createServer(options, (request, response) => take(new Http1Exchange(request, response)));
  const http2 = http2Side(http, surroundings, take);
  const [overHttp1] = server.listeners("secureConnection") as ((socket: TLSSocket) => void)[];
  server.removeAllListeners("secureConnection");
  server.on("secureConnection", (socket: TLSSocket) => {
    if (socket.alpnProtocol === "h2") http2.emit("connection", socket);
    else overHttp1?.call(server, socket);
  });
  const closeIdle = server.closeIdleConnections.bind(server);
  server.closeIdleConnections = () => {
    closeIdle();
    for (const session of http2.sessions) session.close();
  };
  keepCertificatesFresh(server, tls, surroundings);
  return server;
}

function http2Side(http: ServerOptions, { clock }: ServerSurroundings, take: (exchange: Exchange) => void) {
  const { keepAliveTimeout = 0, requestTimeout = 0, maxHeaderSize = 16 * 1024 } = http;
  const sessions = new Set<import("node:http2").ServerHttp2Session>();
  const server = createHttp2Server({
    settings: {
      maxConcurrentStreams: concurrentStreams,
      initialWindowSize: windowBytes,
      maxHeaderListSize: maxHeaderSize,
    },
  });
  server.on("session", (session) => {
    session.setLocalWindowSize(16 * windowBytes);
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    if (keepAliveTimeout > 0) session.setTimeout(keepAliveTimeout, () => session.close());
  });
  server.on("sessionError", () => {}); // a peer that breaks the protocol has lost its connection already
  server.on(
    "stream",
    (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: string[]) => {
      // A body that never ends holds its stream only so long, as over HTTP/1.1.
      const timer = clock.setTimer(() => stream.readableEnded || stream.close(), requestTimeout);
      stream.once("close", () => clock.clearTimer(timer));
      take(new Http2Exchange(stream, headers, rawHeaders));
    },
  );
  return Object.assign(server, { sessions });
}
