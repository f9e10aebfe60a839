import { request } from "node:http";
import { buffer } from "node:stream/consumers";
import type { ConsumeError } from "../../../pipeline/delivery.ts";
import type { Caller, Outlet, Outlets } from "../../../pipeline/host.ts";
import type { Pdata, Signal } from "../../../pipeline/pdata/index.ts";
import { systemClock } from "../../../pipeline/process/clock.ts";
import type { OtlpReceiver } from "../../../receivers/otlp/index.ts";
import otlp from "../../../receivers/otlp/index.ts";
import { grpcEngineGates } from "../../pipeline/net/servers.ts";
import { simulatedHost } from "../../support/simulated_host.ts";

export interface Offer {
  readonly signal: Signal;
  readonly data: Pdata;
  readonly caller: Caller;
}

export interface ReceiverOptions {
  signals?: readonly Signal[];
  grpc?: object;
  http?: object;
  budgetBytes?: number;
  extensions?: Record<string, unknown>;
  /** How the pipelines answer; without it they take everything. */
  answer?: (offer: Offer, answer: (error?: ConsumeError) => void) => void;
}

const running: OtlpReceiver[] = [];

/** Stops every receiver that `startReceiver` made. */
export async function stopReceivers(): Promise<void> {
  for (const receiver of running) await receiver.stop();
}

/** A real receiver on free ports of localhost, with pipelines that write down what they are offered. */
export async function startReceiver(options: ReceiverOptions = {}) {
  const offers: Offer[] = [];
  const malformed: string[] = [];
  const outlets: Record<string, Outlet> = {};
  for (const signal of options.signals ?? (["traces", "metrics", "logs", "profiles"] as const)) {
    outlets[signal] = {
      offer(data: Pdata, caller: Caller, answer: (error?: ConsumeError) => void) {
        const offer = { signal, data, caller };
        offers.push(offer);
        if (options.answer === undefined) answer();
        else options.answer(offer, answer);
      },
    };
  }
  const simulated = simulatedHost({
    id: "otlp",
    outlets: outlets as Outlets,
    extensions: options.extensions ?? {},
    gates: grpcEngineGates(),
    ...(options.budgetBytes !== undefined && { budgetBytes: options.budgetBytes }),
  });
  const host = Object.assign(simulated, {
    clock: systemClock,
    malformed: (signal: Signal, transport: string, reason: string) =>
      void malformed.push(`${signal} ${transport} ${reason}`),
  });
  const protocols = {
    grpc: { endpoint: "localhost:0", ...options.grpc },
    http: { endpoint: "localhost:0", ...options.http },
  };
  const receiver = otlp.create(otlp.config.parse({ protocols }), host) as OtlpReceiver;
  await receiver.start();
  running.push(receiver);
  const [grpc = ""] = receiver.addresses.grpc;
  const [http = ""] = receiver.addresses.http;
  return { receiver, host, offers, malformed, grpc, http, post: poster(http) };
}

export interface Reply {
  readonly status: number;
  readonly type: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly text: string;
}

export interface PostOptions {
  path?: string;
  method?: string;
  type?: string | null;
  headers?: Record<string, string>;
}

function poster(address: string) {
  return (body: Buffer | string, options: PostOptions = {}): Promise<Reply> => {
    const { path = "/v1/traces", method = "POST", type = "application/x-protobuf", headers = {} } = options;
    return new Promise((resolve, reject) => {
      const sent = request(`http://${address}${path}`, {
        method,
        headers: { ...(type !== null && { "content-type": type }), ...headers },
        agent: false,
      });
      sent.on("error", reject);
      sent.on("response", (response) => {
        const read = async () => {
          const bytes = await buffer(response);
          const type = response.headers["content-type"];
          return {
            status: response.statusCode ?? 0,
            type,
            headers: response.headers,
            body: bytes,
            text: bytes.toString(),
          };
        };
        void read().then(resolve, reject);
      });
      sent.end(body);
    });
  };
}
