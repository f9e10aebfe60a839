/** What an SDK peer is told to send. */
export interface SendOptions {
  /** `127.0.0.1:4317` for gRPC, `http://127.0.0.1:4318` (without `/v1/traces`) for HTTP. */
  readonly endpoint: string;
  readonly protocol: "grpc" | "http";
  readonly compression?: "none" | "gzip";
  /** `traces` for a receiver that takes nothing else, such as Jaeger. */
  readonly signals?: "all" | "traces";
  /** Spans in the one trace: a root and its children. */
  readonly spans?: number;
  readonly service?: string;
}

/** What an SDK peer says it sent, to compare with what arrived. */
export interface Sent {
  readonly service: string;
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits each, the root first. */
  readonly spanIds: readonly string[];
  /** The sum of the counter `peer.requests`, and as many log records. */
  readonly requests: number;
}

/** The flags both programs take, in the form Go and Python share: `--name=value`. */
export function sendFlags(options: SendOptions, service: string): string[] {
  return [
    `--endpoint=${options.endpoint}`,
    `--protocol=${options.protocol}`,
    `--compression=${options.compression ?? "none"}`,
    `--signals=${options.signals ?? "all"}`,
    `--spans=${options.spans ?? 10}`,
    `--service=${options.service ?? service}`,
  ];
}
