import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Labels } from "../host.ts";
import { listen, type PortOwner } from "../net/listener.ts";
import type { Sample } from "./meter.ts";
import { type PrometheusOptions, prometheusText } from "./prometheus_text.ts";
import { type Resource, resourceLabels } from "./resource.ts";

/** The `prometheus` block of a pull reader. */
interface PrometheusSettings {
  readonly host: string;
  readonly port: number;
  readonly without_scope_info: boolean;
  readonly without_units: boolean;
  readonly without_type_suffix: boolean;
  readonly with_resource_constant_labels?:
    | { readonly included: readonly string[]; readonly excluded: readonly string[] }
    | undefined;
}

/**
 * Serves own metrics as Prometheus text on `/metrics`, whatever the method, as the Collector does.
 *
 * @throws {Error} in one line naming the endpoint, when it cannot be bound.
 */
export async function startPrometheusReader(
  settings: PrometheusSettings,
  resource: Resource,
  samples: () => Iterable<Sample> | Promise<Iterable<Sample>>,
  owner?: PortOwner,
): Promise<{ readonly addresses: readonly string[]; stop(): Promise<void> }> {
  const { host, port } = settings;
  const endpoint = host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
  const options = optionsOf(settings, resourceLabels(resource));
  const make = () => metricsServer(options, samples);
  const listening = await listen({ endpoint, transport: "tcp" }, make, owner).catch((cause: Error) => {
    throw new Error(`failed to start service::telemetry::metrics: ${cause.message}`, { cause });
  });
  return {
    addresses: listening.addresses,
    async stop() {
      listening.close();
      listening.destroyConnections();
    },
  };
}

function optionsOf(settings: PrometheusSettings, resource: Labels): PrometheusOptions {
  const { without_units, without_type_suffix, without_scope_info, with_resource_constant_labels: constant } = settings;
  const isConstant = (name: string) =>
    constant !== undefined &&
    !constant.excluded.includes(name) &&
    (constant.included.length === 0 || constant.included.includes(name));
  return {
    suffixes: !(without_units && without_type_suffix),
    scopeInfo: !without_scope_info,
    constantLabels: Object.fromEntries(Object.entries(resource).filter(([name]) => isConstant(name))),
    resource,
  };
}

/** From here on a body is worth compressing. */
const minGzipBytes = 1024;

function metricsServer(options: PrometheusOptions, samples: Parameters<typeof startPrometheusReader>[2]): Server {
  return createServer((request, response) => {
    if (request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" });
      response.end("404 page not found\n");
      return;
    }
    void Promise.resolve(samples()).then((all) => answer(request, response, prometheusText(all, options)));
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
  const headers = { "content-type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores" };
  const isAsked = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(String(request.headers["accept-encoding"] ?? ""));
  if (!isAsked || text.length < minGzipBytes) {
    response.writeHead(200, headers).end(text);
    return;
  }
  const { gzip } = await import("node:zlib");
  gzip(text, (error, body) => {
    if (error === null) response.writeHead(200, { ...headers, "content-encoding": "gzip" }).end(body);
    else response.writeHead(200, headers).end(text);
  });
}
