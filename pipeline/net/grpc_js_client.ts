import { createSecureContext } from "node:tls";
import {
  type CallOptions,
  type ChannelOptions,
  Client,
  type ClientUnaryCall,
  compressionAlgorithms,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import type { Clock } from "../host.ts";
import { parseGrpcEndpoint } from "./grpc_endpoint.ts";
import type { GrpcClientSettings } from "./settings.ts";
import { decodeStatus, rpcCode } from "./status.ts";
import { secureContextOptions, wantsTls } from "./tls.ts";
import type { RpcClient, RpcReply, RpcSendOptions } from "./transport.ts";

/** What a client needs of its surroundings. */
export interface ClientSurroundings {
  readonly clock: Clock;
  /** What names this program to servers. */
  readonly userAgent: string;
}

/** An answer larger than this is refused. */
const maxAnswerBytes = 4 * 1024 * 1024;

/** Unary gRPC on `@grpc/grpc-js`, with messages as raw bytes. Compresses with gzip only. Connects when first used. */
export class GrpcJsClient implements RpcClient {
  readonly #client: Client;
  readonly #metadata: Metadata;
  readonly #clock: Clock;

  /** @throws {Error} when a file of the `tls` block cannot be read or the endpoint is none. */
  constructor(settings: GrpcClientSettings, surroundings: ClientSurroundings) {
    const { target, secure } = parseGrpcEndpoint(settings.endpoint);
    const useTls = secure || wantsTls(settings.tls);
    const options = channelOptions(settings, surroundings.userAgent);
    this.#client = new Client(target, useTls ? tlsCredentials(settings) : credentials.createInsecure(), options);
    this.#metadata = new Metadata({ waitForReady: settings.wait_for_ready });
    for (const [name, value] of Object.entries(settings.headers)) this.#metadata.set(name, value);
    this.#clock = surroundings.clock;
    this.#client.getChannel().getConnectivityState(true);
  }

  send(path: string, body: Buffer, options: RpcSendOptions): Promise<RpcReply> {
    const { timeoutMs, signal } = options;
    const callOptions: CallOptions = timeoutMs ? { deadline: this.#clock.nowMs() + timeoutMs } : {};
    return new Promise((resolve) => {
      let call: ClientUnaryCall | undefined;
      const cancel = () => call?.cancel();
      const finish = (error: ServiceError | null, reply: Buffer | undefined) => {
        signal?.removeEventListener("abort", cancel);
        resolve(error === null ? { status: undefined, body: reply ?? Buffer.alloc(0) } : failed(error));
      };
      call = this.#client.makeUnaryRequest(path, same, same, body, this.#metadata, callOptions, finish);
      signal?.addEventListener("abort", cancel);
      if (signal?.aborted) cancel();
    });
  }

  close(): void {
    this.#client.close();
  }
}

function same(bytes: Buffer): Buffer {
  return bytes;
}

function failed(error: ServiceError): RpcReply {
  const [details] = error.metadata?.get("grpc-status-details-bin") ?? [];
  const sent = Buffer.isBuffer(details) ? decodeStatus(details) : undefined;
  const delay = sent?.retryDelayMs === undefined ? {} : { retryDelayMs: sent.retryDelayMs };
  return { status: { code: error.code ?? rpcCode.unknown, message: error.details, ...delay }, body: Buffer.alloc(0) };
}

function tlsCredentials(settings: GrpcClientSettings) {
  const context = createSecureContext(secureContextOptions(settings.tls));
  return credentials.createFromSecureContext(context, { rejectUnauthorized: !settings.tls.insecure_skip_verify });
}

function channelOptions(settings: GrpcClientSettings, standardAgent: string): ChannelOptions {
  const { keepalive, authority, tls, compression, balancer_name } = settings;
  return {
    "grpc.max_receive_message_length": maxAnswerBytes,
    "grpc.max_send_message_length": -1,
    "grpc.enable_channelz": 0,
    "grpc.primary_user_agent": settings.user_agent || standardAgent,
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ [balancer_name]: {} }] }),
    "grpc.service_config_disable_resolution": 1,
    ...(compression === "gzip" && { "grpc.default_compression_algorithm": compressionAlgorithms.gzip }),
    ...(authority !== "" && { "grpc.default_authority": authority }),
    ...(tls.server_name_override !== "" && { "grpc.ssl_target_name_override": tls.server_name_override }),
    ...(keepalive && {
      "grpc.keepalive_time_ms": keepalive.time || 10_000,
      "grpc.keepalive_timeout_ms": keepalive.timeout || 20_000,
      "grpc.keepalive_permit_without_calls": keepalive.permit_without_stream ? 1 : 0,
    }),
  };
}
