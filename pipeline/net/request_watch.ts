import type { ClientInfo } from "../delivery.ts";
import type { Clock, Host } from "../host.ts";
import type { SpanAttributes, TraceSpan } from "../tracing.ts";
import { rpcCode, rpcCodeName } from "./status.ts";
import type { ClientSurroundings, RequestHead } from "./transport.ts";

/**
 * Spans and measurements of requests that come in and go out, as the Collector's instrumentation of HTTP and gRPC has them:
 * spans where own spans are recorded, measurements at level detailed. A request of which neither is wanted is not watched.
 */
const http = { name: "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp" };
const grpc = { name: "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc" };

const seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const bytes = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];

type Watcher = Pick<Host, "clock" | "tracer" | "requests">;
type RpcEnd = { readonly code: number; readonly message: string } | undefined;

/** A request that is watched, until `end` is told what became of it. */
export interface Watched<E extends readonly unknown[]> {
  readonly span: TraceSpan | undefined;
  end(...outcome: E): void;
}

/** Watches a request that came in over `version` of HTTP; `secure` is whether over TLS. `end` takes its status and the bytes of the answer. */
export function watchHttpServer(
  watcher: Watcher,
  head: RequestHead,
  secure: boolean,
  version: "1.1" | "2",
): Watched<[status: number, bodyBytes: number]> | undefined {
  const { tracer, requests, clock } = watcher;
  if (tracer === undefined && requests === undefined) return undefined;
  const server = placeOf("server", addressOf(head.header("host") ?? ""));
  const scheme = secure ? "https" : "http";
  const length = Number(head.header("content-length") ?? Number.NaN);
  const span = tracer?.start(`${head.method} ${head.path}`, {
    kind: "server",
    scope: http,
    header: (name) => head.header(name),
    attributes: {
      ...server,
      "http.request.method": head.method,
      "network.protocol.version": version,
      "url.scheme": scheme,
      ...peerAttributes(head),
      ...(Number.isFinite(length) && { "http.request.body.size": length }),
    },
  });
  const elapsed = stopwatch(clock);
  return {
    span,
    end(status, bodyBytes) {
      span?.set({ "http.response.status_code": status, "http.response.body.size": bodyBytes });
      span?.end(status >= 500 ? "" : undefined);
      const labels = {
        ...texts(server),
        ...httpLabels(head.method, status, scheme, version),
        ...(status !== 404 && { "http.route": head.path }),
      };
      const measure = (name: string, description: string, value: number, unit = "By") =>
        requests
          ?.histogram(`http.server.${name}`, { description, unit, bounds: unit === "s" ? seconds : bytes })
          ?.record(value, labels);
      measure("request.duration", "Duration of HTTP server requests.", elapsed(), "s");
      if (Number.isFinite(length)) measure("request.body.size", "Size of HTTP server request bodies.", length);
      measure("response.body.size", "Size of HTTP server response bodies.", bodyBytes);
    },
  };
}

/** Watches a POST of `bodyBytes` that goes out for `client`. `end` takes its status; undefined when there was no answer. */
export function watchHttpClient(
  { requests, clock }: ClientSurroundings,
  client: ClientInfo | undefined,
  url: URL,
  bodyBytes: number,
): Watched<[status: number | undefined, error?: string]> | undefined {
  if (client?.trace === undefined && requests === undefined) return undefined;
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const server = { "server.address": url.hostname, "server.port": port };
  const attributes = { "http.request.method": "POST", "url.full": url.href, ...server };
  const span = client?.trace?.child("HTTP POST", { kind: "client", scope: http, attributes });
  const elapsed = stopwatch(clock);
  return {
    span,
    end(status, error) {
      if (status !== undefined) span?.set({ "http.response.status_code": status, "network.protocol.version": "1.1" });
      if (status !== undefined && status >= 400) span?.set({ "error.type": String(status) });
      span?.end(error ?? (status !== undefined && status >= 400 ? "" : undefined));
      const labels = { ...texts(server), ...httpLabels("POST", status, url.protocol.slice(0, -1), "1.1") };
      const measure = (name: string, description: string, value: number, unit = "By") =>
        requests
          ?.histogram(`http.client.${name}`, { description, unit, bounds: unit === "s" ? seconds : bytes })
          ?.record(value, labels);
      measure("request.duration", "Duration of HTTP client requests.", elapsed(), "s");
      measure("request.body.size", "Size of HTTP client request bodies.", bodyBytes);
    },
  };
}

/** Watches a call that came in at `address` of this machine. `end` takes a status other than OK. */
export function watchRpcServer(watcher: Watcher, head: RequestHead, address: string): Watched<[RpcEnd]> | undefined {
  const { tracer, requests, clock } = watcher;
  if (tracer === undefined && requests === undefined) return undefined;
  const method = rpcAttributes(head.path);
  const attributes = { ...method, ...placeOf("server", addressOf(address)) };
  const header = (name: string) => head.header(name);
  const span = tracer?.start(head.path.slice(1), { kind: "server", scope: grpc, header, attributes });
  const description = "Measures the duration of an incoming Remote Procedure Call (RPC).";
  return watchedRpc(span, stopwatch(clock), (labels, value) =>
    requests
      ?.histogram("rpc.server.call.duration", { description, unit: "s", bounds: seconds })
      ?.record(value, { ...texts(method), ...labels }),
  );
}

/** Watches a call that goes out for `client` to `target`. `end` takes a status other than OK. */
export function watchRpcClient(
  { requests, clock }: ClientSurroundings,
  client: ClientInfo | undefined,
  path: string,
  target: string,
): Watched<[RpcEnd]> | undefined {
  if (client?.trace === undefined && requests === undefined) return undefined;
  const attributes = { ...rpcAttributes(path), ...placeOf("server", addressOf(target)) };
  const span = client?.trace?.child(path.slice(1), { kind: "client", scope: grpc, attributes });
  const description = "Measures the duration of an outgoing Remote Procedure Call (RPC).";
  return watchedRpc(span, stopwatch(clock), (labels, value) =>
    requests
      ?.histogram("rpc.client.call.duration", { description, unit: "s", bounds: seconds })
      ?.record(value, { ...texts(attributes), ...labels }),
  );
}

function watchedRpc(
  span: TraceSpan | undefined,
  elapsed: () => number,
  measure: (labels: Record<string, string>, value: number) => void,
): Watched<[RpcEnd]> {
  return {
    span,
    end(status) {
      const labels = { "rpc.response.status_code": canonicalName(status?.code ?? rpcCode.ok) };
      span?.set(labels);
      span?.end(status?.message);
      measure(labels, elapsed());
    },
  };
}

/** A gRPC code as the conventions have it: `INVALID_ARGUMENT`. */
function canonicalName(code: number): string {
  if (code === rpcCode.cancelled) return "CANCELLED"; // Go leaves out an l
  return rpcCodeName(code)
    .replace(/(?<=[a-z])(?=[A-Z])/g, "_")
    .toUpperCase();
}

/** Seconds since it was made. */
function stopwatch(clock: Clock): () => number {
  const startMs = clock.monotonicMs();
  return () => (clock.monotonicMs() - startMs) / 1000;
}

function httpLabels(
  method: string,
  status: number | undefined,
  scheme: string,
  version: string,
): Record<string, string> {
  return {
    "http.request.method": method,
    ...(status !== undefined && { "http.response.status_code": String(status) }),
    "network.protocol.name": "http",
    "network.protocol.version": version,
    "url.scheme": scheme,
  };
}

function peerAttributes(head: RequestHead): SpanAttributes {
  const peer = addressOf(head.client.address);
  const agent = head.header("user-agent");
  return {
    "url.path": head.path,
    ...placeOf("network.peer", peer),
    ...(peer.host !== "" && { "client.address": peer.host }),
    ...(agent !== undefined && { "user_agent.original": agent }),
  };
}

function rpcAttributes(path: string): SpanAttributes {
  return { "rpc.method": path.slice(1), "rpc.system.name": "grpc" };
}

function placeOf(prefix: string, { host, port }: { readonly host: string; readonly port: number }): SpanAttributes {
  return { ...(host !== "" && { [`${prefix}.address`]: host }), ...(port > 0 && { [`${prefix}.port`]: port }) };
}

/** `host:port` in parts; what has no port is all host. */
function addressOf(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  return port === undefined ? { host: text, port: 0 } : { host: bracketed ?? plain ?? "", port: Number(port) };
}

function texts(attributes: SpanAttributes): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]));
}
