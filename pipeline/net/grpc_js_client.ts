import type { SecureContext } from "node:tls";
import {
  type CallOptions,
  type ChannelOptions,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { messageOf } from "../error_text.ts";
import type { Clock } from "../host.ts";
import { type ClientAuthenticator, sendAuthorized } from "./auth.ts";
import type { GrpcClientSettings } from "./client_settings.ts";
import { GrpcChannel } from "./grpc_channel.ts";
import { parseGrpcEndpoint } from "./grpc_endpoint.ts";
import { sendAsReceived } from "./grpc_message_coding.ts";
import { lowerCased } from "./outgoing_headers.ts";
import { watchRpcClient } from "./request_watch.ts";
import { decodeStatus, rpcCode } from "./status.ts";
import { ClientIdentity, wantsTls } from "./tls.ts";
import type { ClientSurroundings, RpcClient, RpcReply, RpcSendOptions } from "./transport.ts";

/** An answer larger than this is refused. */
const maxAnswerBytes = 4 * 1024 * 1024;

/** The longest wait before another connection is tried: short enough for a try or two within the drain. */
const longestBackoffMs = 5_000;

/** Unary gRPC on `@grpc/grpc-js`, with messages as raw bytes. Connects when first used. */
export class GrpcJsClient implements RpcClient {
  readonly #makeChannel: (context: SecureContext | undefined) => GrpcChannel;
  readonly #identity: ClientIdentity | undefined;
  readonly #metadata: Metadata;
  readonly #waitForReady: boolean;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #authenticator: ClientAuthenticator | undefined;
  readonly #clock: Clock;
  readonly #endpoint: string;
  readonly #surroundings: ClientSurroundings;
  #channel: GrpcChannel;

  /** @throws {Error} when a file of the `tls` block cannot be read or the endpoint is none. */
  constructor(settings: GrpcClientSettings, surroundings: ClientSurroundings) {
    const { target, secure } = parseGrpcEndpoint(settings.endpoint);
    const useTls = secure || wantsTls(settings.tls);
    if (!useTls && surroundings.authenticator?.needsTls === true) {
      throw new Error("the authenticator's credentials need TLS: set tls without insecure");
    }
    const options = channelOptions(settings, surroundings.userAgent);
    const coding = { name: settings.compression, maxAnswerBytes };
    this.#makeChannel = (context) => new GrpcChannel(target, context, settings.tls, options, coding);
    this.#identity = useTls ? new ClientIdentity(settings.tls, surroundings) : undefined;
    this.#channel = this.#makeChannel(this.#identity?.context);
    this.#surroundings = surroundings;
    this.#endpoint = settings.endpoint.replace(/^[a-z]+:\/\/\/?/i, "");
    this.#waitForReady = settings.wait_for_ready;
    this.#headers = lowerCased(settings.headers);
    this.#metadata = this.#metadataOf(this.#headers);
    this.#authenticator = surroundings.authenticator;
    this.#clock = surroundings.clock;
  }

  async send(path: string, body: Buffer, options: RpcSendOptions): Promise<RpcReply> {
    const watched = watchRpcClient(this.#surroundings, options.client, path, this.#endpoint);
    if (watched === undefined) return this.#send(path, body, options, {});
    const reply = await this.#send(path, body, options, watched.span?.headers() ?? {});
    watched.end(reply.status);
    return reply;
  }

  /** `added` are headers besides those of the settings. */
  async #send(
    path: string,
    body: Buffer,
    options: RpcSendOptions,
    added: Readonly<Record<string, string>>,
  ): Promise<RpcReply> {
    const isPlain = Object.keys(added).length === 0;
    if (this.#authenticator === undefined) {
      const metadata = isPlain ? this.#metadata : this.#metadataOf({ ...this.#headers, ...added });
      return this.#call(path, body, metadata, options);
    }
    const { client } = options;
    const request = {
      transport: "grpc",
      target: path,
      headers: { ...this.#headers, ...added },
      body,
      ...(client && { client }),
    } as const;
    const call = (headers: Readonly<Record<string, string>>) =>
      this.#call(path, body, this.#metadataOf(headers), options);
    try {
      return await sendAuthorized(
        this.#authenticator,
        request,
        call,
        ({ status }) => status?.code === rpcCode.unauthenticated,
      );
    } catch (error) {
      const message = messageOf(error);
      return { status: { code: rpcCode.unavailable, message }, body: Buffer.alloc(0) };
    }
  }

  #metadataOf(headers: Readonly<Record<string, string>>): Metadata {
    const metadata = new Metadata({ waitForReady: this.#waitForReady });
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    return metadata;
  }

  #call(path: string, body: Buffer, metadata: Metadata, options: RpcSendOptions): Promise<RpcReply> {
    const { timeoutMs, signal, encoded } = options;
    if (encoded !== undefined) sendAsReceived(body, encoded);
    const callOptions: CallOptions = timeoutMs ? { deadline: this.#clock.nowMs() + timeoutMs } : {};
    const channel = this.#currentChannel();
    channel.began();
    return new Promise((resolve) => {
      let call: ClientUnaryCall | undefined;
      const cancel = () => call?.cancel();
      const finish = (error: ServiceError | null, reply: Buffer | undefined) => {
        signal?.removeEventListener("abort", cancel);
        channel.ended();
        resolve(error === null ? { status: undefined, body: reply ?? Buffer.alloc(0) } : failed(error));
      };
      call = channel.client.makeUnaryRequest(path, same, same, body, metadata, callOptions, finish);
      signal?.addEventListener("abort", cancel);
      if (signal?.aborted) cancel();
    });
  }

  /** The channel for a new call: another one once the certificate has changed; calls under way stay on theirs. */
  #currentChannel(): GrpcChannel {
    const context = this.#identity?.context;
    if (context === this.#channel.context) return this.#channel;
    this.#channel.retire();
    this.#channel = this.#makeChannel(context);
    return this.#channel;
  }

  close(): void {
    this.#channel.client.close();
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

function channelOptions(settings: GrpcClientSettings, standardAgent: string): ChannelOptions {
  const { keepalive, authority, tls, balancer_name } = settings;
  return {
    "grpc.max_receive_message_length": maxAnswerBytes,
    "grpc.max_send_message_length": -1,
    "grpc.enable_channelz": 0,
    "grpc.primary_user_agent": settings.user_agent || standardAgent,
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ [balancer_name || "pick_first"]: {} }] }),
    "grpc.service_config_disable_resolution": 1,
    "grpc.initial_reconnect_backoff_ms": 1_000,
    "grpc.max_reconnect_backoff_ms": longestBackoffMs,
    ...(authority !== "" && { "grpc.default_authority": authority }),
    ...(tls.server_name_override !== "" && { "grpc.ssl_target_name_override": tls.server_name_override }),
    ...(keepalive && {
      "grpc.keepalive_time_ms": keepalive.time || 10_000,
      "grpc.keepalive_timeout_ms": keepalive.timeout || 20_000,
      "grpc.keepalive_permit_without_calls": keepalive.permit_without_stream ? 1 : 0,
    }),
  };
}
