import type { OwnOtlpSettings } from "../../config/telemetry/exporter.ts";
import { ConsumeError } from "../../delivery.ts";
import type { Clock } from "../../host.ts";
import { openGrpcClient } from "../../net/grpc/open.ts";
import { exportPath, httpPath } from "../../net/otlp_paths.ts";
import { postOtlp } from "../../net/otlp_post.ts";
import { errorFromRpc } from "../../net/status.ts";
import type { Signal } from "../../pdata/index.ts";
import { clientSettings } from "./client_settings.ts";

/** A request of own telemetry, encoded when it is known in which way. */
export interface Encoded {
  protobuf(): Uint8Array | undefined;
  json(): Uint8Array | undefined;
}

/** Where own telemetry goes. */
export interface Destination {
  /** Sends again what may be sent again, for `withinMs`. @throws {ConsumeError} when it was not taken in the end. */
  send(request: Encoded, withinMs: number): Promise<void>;
  close(): void;
}

export interface DestinationOptions {
  readonly clock: Clock;
  readonly userAgent: string;
  /** Gets the lines of the console exporter. */
  readonly print?: (text: string) => void;
}

/** Until the second attempt; the waits after it are half as long again each. @see `otlptracehttp` of the Go SDK. */
const firstDelayMs = 5_000;
const longestDelayMs = 30_000;

/** Opens where `exporter` says. @throws {Error} when a file of its TLS settings cannot be read. */
export async function openDestination(
  exporter: OwnOtlpSettings | "console",
  signal: Signal,
  options: DestinationOptions,
): Promise<Destination> {
  if (exporter === "console") return consoleDestination(options.print ?? ((text) => void process.stdout.write(text)));
  const { clock } = options;
  const attempts = await (exporter.protocol === "grpc" ? openGrpc : openHttp)(exporter, signal, options);
  let stop: (() => void) | undefined;
  let isClosed = false;
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = clock.setTimer(resolve, ms);
      stop = () => {
        clock.clearTimer(timer);
        resolve();
      };
    });
  return {
    async send(request, withinMs) {
      const body = Buffer.from(request.protobuf() ?? []);
      const endMs = clock.monotonicMs() + withinMs;
      for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 1.5, longestDelayMs)) {
        try {
          await within(clock, exporter.timeoutMs, (abort) => attempts.send(body, abort));
          return;
        } catch (thrown) {
          const error = ConsumeError.from(thrown);
          const waitMs = Math.max(delayMs, error.delayMs ?? 0);
          if (!error.retryable || isClosed || clock.monotonicMs() + waitMs >= endMs) throw error;
          await pause(waitMs);
        }
      }
    },
    close() {
      isClosed = true;
      stop?.();
      attempts.close();
    },
  };
}

function consoleDestination(print: (text: string) => void): Destination {
  return {
    async send(request) {
      print(`${Buffer.from(request.json() ?? []).toString()}\n`);
    },
    close() {},
  };
}

interface Attempts {
  /** @throws {ConsumeError} when it was not taken. */
  send(body: Buffer, abort: AbortSignal): Promise<void>;
  close(): void;
}

async function openHttp(
  settings: OwnOtlpSettings,
  signal: Signal,
  { clock, userAgent }: DestinationOptions,
): Promise<Attempts> {
  const { NodeHttpClient } = await import("../../net/http_client.ts");
  const url = new URL(settings.endpoint);
  if (url.pathname === "/") url.pathname = httpPath(signal);
  const client = await NodeHttpClient.open(clientSettings("http", settings), url, { clock, userAgent });
  return {
    async send(body, abort) {
      const headers = { "content-type": "application/x-protobuf" };
      await postOtlp(client, url, body, { headers, signal: abort, clock });
    },
    close: () => client.close(),
  };
}

async function openGrpc(
  settings: OwnOtlpSettings,
  signal: Signal,
  { clock, userAgent }: DestinationOptions,
): Promise<Attempts> {
  const client = await openGrpcClient(clientSettings("grpc", settings), { clock, userAgent });
  const path = exportPath(signal);
  return {
    async send(body, abort) {
      const { status } = await client.send(path, body, { timeoutMs: settings.timeoutMs, signal: abort });
      if (status !== undefined) throw errorFromRpc(status);
    },
    close: () => client.close(),
  };
}

/** Aborts `work` after `timeoutMs`; 0 lets it take its time. */
async function within(clock: Clock, timeoutMs: number, work: (abort: AbortSignal) => Promise<void>): Promise<void> {
  const aborter = new AbortController();
  const timer = timeoutMs > 0 ? clock.setTimer(() => aborter.abort(), timeoutMs) : undefined;
  try {
    await work(aborter.signal);
  } finally {
    if (timer !== undefined) clock.clearTimer(timer);
  }
}
