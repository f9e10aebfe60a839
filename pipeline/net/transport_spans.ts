import type { ClientInfo } from "../delivery.ts";
import type { SpanAttributes, Tracer, TraceSpan } from "../tracing.ts";
import { rpcCode, rpcCodeName } from "./status.ts";
import type { RequestHead } from "./transport.ts";

/** Spans of requests that come in and go out, as the Collector's instrumentation of HTTP and gRPC has them. */
const http = { name: "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp" };
const grpc = { name: "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc" };

/** Starts the span of an HTTP request that came in; `secure` is whether over TLS. */
export function startHttpServerSpan(tracer: Tracer, head: RequestHead, secure: boolean): TraceSpan {
  const scheme = secure ? "https" : "http";
  const agent = head.header("user-agent");
  const length = Number(head.header("content-length") ?? Number.NaN);
  const peer = addressOf(head.client.address);
  return tracer.start(`${head.method} ${head.path}`, {
    kind: "server",
    scope: http,
    header: (name) => head.header(name),
    attributes: {
      ...portless("server", addressOf(head.header("host") ?? "")),
      "http.request.method": head.method,
      "url.scheme": scheme,
      "url.path": head.path,
      ...portless("network.peer", peer),
      ...(peer.host !== "" && { "client.address": peer.host }),
      ...(agent !== undefined && { "user_agent.original": agent }),
      ...(Number.isFinite(length) && { "http.request.body.size": length }),
    },
  });
}

/** Ends the span of an HTTP exchange; from 500 on its server has failed. */
export function endHttpServerSpan(span: TraceSpan, status: number, bodyBytes: number): void {
  span.set({ "http.response.status_code": status, "http.response.body.size": bodyBytes });
  span.end(status >= 500 ? "" : undefined);
}

/** Starts the span of a POST that goes out for `client`; undefined where no spans are recorded. */
export function startHttpClientSpan(client: ClientInfo | undefined, url: URL): TraceSpan | undefined {
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  return client?.trace?.child("HTTP POST", {
    kind: "client",
    scope: http,
    attributes: {
      "http.request.method": "POST",
      "url.full": url.href,
      "server.address": url.hostname,
      "server.port": port,
    },
  });
}

/** Ends the span of a POST: with its status, from 400 on as failed. */
export function endHttpClientSpan(span: TraceSpan, status: number): void {
  span.set({ "http.response.status_code": status });
  span.end(status >= 400 ? "" : undefined);
}

/** Starts the span of a call that came in at `address` of this machine. */
export function startRpcServerSpan(tracer: Tracer, head: RequestHead, address: string): TraceSpan {
  const attributes = { ...rpcAttributes(head.path), ...portless("server", addressOf(address)) };
  const header = (name: string) => head.header(name);
  return tracer.start(head.path.slice(1), { kind: "server", scope: grpc, header, attributes });
}

/** Starts the span of a call that goes out for `client` to `target`; undefined where no spans are recorded. */
export function startRpcClientSpan(
  client: ClientInfo | undefined,
  path: string,
  target: string,
): TraceSpan | undefined {
  const attributes = { ...rpcAttributes(path), ...portless("server", addressOf(target)) };
  return client?.trace?.child(path.slice(1), { kind: "client", scope: grpc, attributes });
}

/** Ends the span of a call, with a status other than OK as failed. */
export function endRpcSpan(
  span: TraceSpan,
  status: { readonly code: number; readonly message: string } | undefined,
): void {
  span.set({ "rpc.response.status_code": rpcCodeName(status?.code ?? rpcCode.ok) });
  span.end(status?.message);
}

function rpcAttributes(path: string): SpanAttributes {
  return { "rpc.method": path.slice(1), "rpc.system.name": "grpc" };
}

function portless(prefix: string, { host, port }: { readonly host: string; readonly port: number }): SpanAttributes {
  return { ...(host !== "" && { [`${prefix}.address`]: host }), ...(port > 0 && { [`${prefix}.port`]: port }) };
}

/** `host:port` in parts; what has no port is all host. */
function addressOf(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  return port === undefined ? { host: text, port: 0 } : { host: bracketed ?? plain ?? "", port: Number(port) };
}
