import { type Exporter, exporter } from "../../pipeline/component.ts";
import { acrossFields, z } from "../../pipeline/config/schema.ts";
import { ConsumeError } from "../../pipeline/delivery.ts";
import { queuedExporter } from "../../pipeline/export/queued_exporter.ts";
import type { Attempt } from "../../pipeline/export/sender.ts";
import { queueSettings, retrySettings } from "../../pipeline/export/settings.ts";
import { pauseOn } from "../../pipeline/frame/engine.ts";
import type { ExporterHost } from "../../pipeline/host.ts";
import { checkCompressionLevel, httpClientShape } from "../../pipeline/net/client_settings.ts";
import { clientSurroundings } from "../../pipeline/net/client_surroundings.ts";
import { NodeHttpClient } from "../../pipeline/net/http_client.ts";
import { checkClientKeepAlive } from "../../pipeline/net/keep_alive.ts";
import { httpPath } from "../../pipeline/net/otlp_paths.ts";
import { postOtlp } from "../../pipeline/net/otlp_post.ts";
import { decodePartialSuccess, logPartialSuccess, parsePartialSuccess } from "../../pipeline/net/otlp_response.ts";
import { endpointText, hasPortTooHigh } from "../../pipeline/net/setting_fields.ts";
import type { HttpClient, HttpReply } from "../../pipeline/net/transport.ts";
import { type Pdata, type Signal, toJsonInSteps } from "../../pipeline/pdata/index.ts";

const endpointKeys = {
  traces: "traces_endpoint",
  metrics: "metrics_endpoint",
  logs: "logs_endpoint",
  profiles: "profiles_endpoint",
} as const satisfies Record<Signal, string>;

function signalEndpoint(signal: Signal) {
  return endpointText()
    .default("")
    .describe(`URL for ${signal}, used as it is; empty: endpoint and ${httpPath(signal)}.`);
}

/** Settings of the `otlp_http` exporter, as the Collector's. */
const config = z
  .strictObject({
    ...httpClientShape({ timeout: "30s", compression: "gzip" }),
    traces_endpoint: signalEndpoint("traces"),
    metrics_endpoint: signalEndpoint("metrics"),
    logs_endpoint: signalEndpoint("logs"),
    profiles_endpoint: signalEndpoint("profiles"),
    encoding: z
      .enum(["proto", "json"], { error: (issue) => `invalid encoding type: ${String(issue.input)}` })
      .default("proto")
      .describe("proto or json."),
    sending_queue: queueSettings(),
    retry_on_failure: retrySettings(),
  })
  .check(
    acrossFields(checkCompressionLevel),
    acrossFields(checkClientKeepAlive),
    acrossFields((settings, context) => {
      const keys = ["endpoint", ...Object.values(endpointKeys)] as const;
      if (keys.every((key) => settings[key] === "")) {
        context.addIssue({ code: "custom", message: "at least one endpoint must be specified", path: ["endpoint"] });
      }
      for (const key of keys) {
        const text = settings[key];
        if (text === "" || hasPortTooHigh(text) || /^https?:$/.test(URL.parse(text)?.protocol ?? "")) continue;
        const message = `${key} ${JSON.stringify(text)} is not a URL: use a form such as http://localhost:4318`;
        context.addIssue({ code: "custom", message, path: [key] });
      }
    }),
  );

export type OtlpHttpConfig = z.output<typeof config>;

export default exporter({
  type: "otlp_http",
  aliases: ["otlphttp"],
  stability: { traces: "stable", metrics: "stable", logs: "stable", profiles: "alpha" },
  summary: "Sends OTLP over HTTP, as protobuf or JSON.",
  config,
  perWorker: true,
  examples: [
    { title: "Another collector", yaml: "otlp_http: { endpoint: http://localhost:4318 }" },
    {
      title: "JSON to a backend with its own path, compressed with zstd",
      yaml: "otlp_http: { traces_endpoint: https://otlp.example.com/api/traces, encoding: json, compression: zstd }",
    },
  ],
  traces: createExporter,
  metrics: createExporter,
  logs: createExporter,
  profiles: createExporter,
});

const contentTypes = { proto: "application/x-protobuf", json: "application/json" } as const;

function createExporter(settings: OtlpHttpConfig, host: ExporterHost): Exporter<Pdata> {
  const url = urlFor(settings, host.signal);
  const isJson = settings.encoding === "json";
  const headers = { "content-type": contentTypes[settings.encoding] };
  if (url !== null) {
    host.destination({
      "server.address": url.hostname,
      ...(url.port !== "" && { "server.port": url.port }),
      ...(url.pathname !== "" && { "url.path": url.pathname }),
    });
  }
  const pause = pauseOn(host.clock);
  let client: HttpClient | undefined;
  const push = async (data: Pdata, { signal, client: sender }: Attempt) => {
    if (client === undefined || url === null)
      throw new ConsumeError("the exporter is not started", { retryable: true });
    const body = isJson ? joined(await toJsonInSteps(data, pause)) : data.toBuffer();
    const { clock } = host;
    const encoded = isJson ? undefined : data.encoded;
    reportPartialSuccess(await postOtlp(client, url, body, { headers, signal, client: sender, encoded, clock }), host);
  };
  return queuedExporter(settings, host, push, {
    async start() {
      if (url === null) throw new Error("the endpoint's port is too high: a port is at most 65535");
      client ??= await NodeHttpClient.open(settings, url, clientSurroundings(settings.auth, host));
    },
    async stop() {
      client?.close();
      client = undefined;
    },
  });
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [only] = pieces;
  return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
}

/** Null when its port is none: the settings let that pass. @throws {Error} when no endpoint is set for the signal. */
function urlFor(settings: OtlpHttpConfig, signal: Signal): URL | null {
  const key = endpointKeys[signal];
  if (settings[key] !== "") return URL.parse(settings[key]);
  if (settings.endpoint === "") throw new Error(`either endpoint or ${key} must be specified`);
  return URL.parse(settings.endpoint.replace(/\/$/, "") + httpPath(signal));
}

function reportPartialSuccess(reply: HttpReply, host: ExporterHost): void {
  const { signal, logger } = host;
  const type = reply.header("content-type");
  try {
    if (type === contentTypes.proto) logPartialSuccess(logger, signal, decodePartialSuccess(reply.body));
    if (type === contentTypes.json) logPartialSuccess(logger, signal, parsePartialSuccess(signal, reply.body));
  } catch (cause) {
    throw new ConsumeError(`error parsing the response of ${reply.status}: not an OTLP response`, {
      retryable: false,
      cause,
    });
  }
}
