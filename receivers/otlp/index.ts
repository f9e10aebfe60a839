import { type Receiver, receiver } from "../../pipeline/component.ts";
import type { ReceiverHost } from "../../pipeline/host.ts";
import { openGrpcServer } from "../../pipeline/net/grpc/open.ts";
import { openHttpServer } from "../../pipeline/net/http1/open.ts";
import { canBeShared } from "../../pipeline/net/listener.ts";
import type { TransportServer } from "../../pipeline/net/transport.ts";
import { signals } from "../../pipeline/pdata/index.ts";
import { GrpcHandler } from "./grpc_handler.ts";
import { HttpHandler } from "./http_handler.ts";
import { config, type OtlpReceiverConfig } from "./settings.ts";

export default receiver({
  type: "otlp",
  stability: { traces: "stable", metrics: "stable", logs: "stable", profiles: "alpha" },
  summary: "Receives OTLP over gRPC and HTTP.",
  config,
  perWorker: ({ protocols: { grpc, http } }) =>
    [grpc, http].every((server) => server === undefined || canBeShared(server)),
  examples: [
    { title: "Both protocols on localhost", yaml: "otlp: { protocols: { grpc: , http: } }" },
    {
      title: "From other machines and from browsers",
      yaml: 'otlp: { protocols: { grpc: { endpoint: "0.0.0.0:4317" }, http: { endpoint: "0.0.0.0:4318", cors: { allowed_origins: ["https://*.example.com"] } } } }',
    },
  ],
  create: (settings, host) => new OtlpReceiver(settings, host),
});

/** How long requests in flight may take once the receiver stops. */
const graceMs = 5_000;

/** The servers of one `otlp` receiver: gRPC first, then HTTP; each only for signals that occur in a pipeline. */
export class OtlpReceiver implements Receiver {
  readonly #settings: OtlpReceiverConfig["protocols"];
  readonly #host: ReceiverHost;
  #grpc: TransportServer | undefined;
  #http: TransportServer | undefined;

  constructor(settings: OtlpReceiverConfig, host: ReceiverHost) {
    this.#settings = settings.protocols;
    this.#host = host;
  }

  /** Where it listens: real addresses, also when port 0 was asked for. Empty for a protocol that is off. */
  get addresses(): { readonly grpc: readonly string[]; readonly http: readonly string[] } {
    return { grpc: this.#grpc?.addresses ?? [], http: this.#http?.addresses ?? [] };
  }

  async start(): Promise<void> {
    try {
      this.#grpc ??= await this.#makeGrpc();
      this.#http ??= await this.#makeHttp();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #makeGrpc(): Promise<TransportServer | undefined> {
    const { grpc } = this.#settings;
    if (grpc === undefined) return undefined;
    return this.#started("GRPC", await openGrpcServer(grpc, signals, new GrpcHandler(this.#host), this.#host));
  }

  async #makeHttp(): Promise<TransportServer | undefined> {
    const { http } = this.#settings;
    if (http === undefined) return undefined;
    return this.#started("HTTP", await openHttpServer(http, new HttpHandler(http, this.#host), this.#host));
  }

  async #started(name: string, server: TransportServer): Promise<TransportServer> {
    await server.start();
    this.#host.logger.info({ endpoint: server.addresses.join(", ") }, `Starting ${name} server`);
    return server;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#http?.stop(graceMs), this.#grpc?.stop(graceMs)]);
  }
}
