import { z } from "../../pipeline/config/schema.ts";
import type { Clock } from "../../pipeline/host.ts";
import { grpcClientShape, httpClientShape } from "../../pipeline/net/client_settings.ts";
import { openGrpcClient } from "../../pipeline/net/grpc/open.ts";
import { exportPath, httpPath } from "../../pipeline/net/otlp_paths.ts";
import { postOtlp } from "../../pipeline/net/otlp_post.ts";
import { decodePartialSuccess, type PartialSuccess, parsePartialSuccess } from "../../pipeline/net/otlp_response.ts";
import { errorFromRpc } from "../../pipeline/net/status.ts";
import { userAgent } from "../../pipeline/net/user_agent.ts";
import { type Pdata, toJson } from "../../pipeline/pdata/index.ts";
import { version } from "../version.ts";

export const protocols = ["grpc", "http", "http/json"] as const;
export type Protocol = (typeof protocols)[number];

/** Where each protocol is sent when nothing else is said. */
export function defaultEndpoint(protocol: Protocol): string {
  return protocol === "grpc" ? "localhost:4317" : "http://localhost:4318";
}

export interface ClientSettings {
  readonly protocol: Protocol;
  /** host:port or an URL for gRPC, an URL for HTTP. https is TLS. */
  readonly endpoint: string;
  readonly compression: "gzip" | "none";
  readonly clock: Clock;
}

/** Sends one request and tells what became of it. */
export interface OtlpClient {
  /** @throws {ConsumeError} when nothing was taken: retryable or not, maybe with a delay. */
  post(data: Pdata, signal: AbortSignal): Promise<PartialSuccess>;
  close(): void;
}

/** How long one attempt may take. */
const attemptMs = 10_000;
const agent = userAgent({ command: "otelpipe-generate", version });

/** @throws {Error} when the endpoint is none. */
export async function connect(settings: ClientSettings): Promise<OtlpClient> {
  return settings.protocol === "grpc" ? connectGrpc(settings) : connectHttp(settings);
}

async function connectGrpc({ endpoint, compression, clock }: ClientSettings): Promise<OtlpClient> {
  const shape = z.strictObject(grpcClientShape({ compression }));
  const config = shape.parse({ endpoint, tls: { insecure: !endpoint.startsWith("https://") } });
  const client = await openGrpcClient(config, { clock, userAgent: agent });
  return {
    async post(data, signal) {
      const options = { timeoutMs: attemptMs, signal };
      const { status, body } = await client.send(exportPath(data.signal), data.toBuffer(), options);
      if (status !== undefined) throw errorFromRpc(status);
      return decodePartialSuccess(body);
    },
    close: () => client.close(),
  };
}

async function connectHttp({ endpoint, protocol, compression, clock }: ClientSettings): Promise<OtlpClient> {
  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
    throw new Error(`${JSON.stringify(endpoint)} is not a URL: use a form such as http://localhost:4318`);
  }
  const { NodeHttpClient } = await import("../../pipeline/net/http_client.ts");
  const shape = z.strictObject(httpClientShape({ timeout: "10s", compression }));
  const client = await NodeHttpClient.open(shape.parse({ endpoint }), new URL(endpoint), { clock, userAgent: agent });
  const json = protocol === "http/json";
  const headers = { "content-type": json ? "application/json" : "application/x-protobuf" };
  return {
    async post(data, signal) {
      const url = new URL(endpoint.replace(/\/$/, "") + httpPath(data.signal));
      const limited = AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]);
      const body = json ? toJson(data) : data.toBuffer();
      const reply = await postOtlp(client, url, body, { headers, signal: limited, clock, failed: url.href });
      return json ? parsePartialSuccess(data.signal, reply.body) : decodePartialSuccess(reply.body);
    },
    close: () => client.close(),
  };
}
