import { ConsumeError } from "../../pipeline/delivery.ts";
import type { BodyEncoding, Outlet, ReceiverHost } from "../../pipeline/host.ts";
import { type RpcStatus, rpcCode, statusOf } from "../../pipeline/net/status.ts";
import type { Problem, TransportRequest } from "../../pipeline/net/transport.ts";
import { type Pdata, type Signal, WireError } from "../../pipeline/pdata/index.ts";

/** When a client that was turned away for want of memory may come back. */
const busyDelayMs = 1_000;

/** Reads a request and offers it to the pipelines. `answer` gets nothing when it was taken, else the status to tell. */
export function deliver(
  host: ReceiverHost,
  signal: Signal,
  request: TransportRequest,
  encoding: BodyEncoding,
  answer: (status?: RpcStatus) => void,
): void {
  let read: Pdata | Promise<Pdata>;
  try {
    read = host.bodies.read(signal, encoding, request.body, request, request.encoded);
  } catch (error) {
    answer(unreadable(host, signal, request, error));
    return;
  }
  if (!(read instanceof Promise)) offer(host, signal, request, read, answer);
  else {
    void read.then(
      (data) => offer(host, signal, request, data, answer),
      (error: unknown) => answer(unreadable(host, signal, request, error)),
    );
  }
}

function offer(
  host: ReceiverHost,
  signal: Signal,
  request: TransportRequest,
  data: Pdata,
  answer: (status?: RpcStatus) => void,
): void {
  if (data.itemCount === 0) {
    answer();
    return;
  }
  const outlet = host.outlets[signal] as Outlet | undefined;
  if (outlet === undefined) {
    answer({ code: rpcCode.unimplemented, message: `no pipeline takes ${signal}` });
    return;
  }
  outlet.offer(data, request, (error?: ConsumeError) => answer(error === undefined ? undefined : statusOf(error)));
}

function unreadable(host: ReceiverHost, signal: Signal, request: TransportRequest, error: unknown): RpcStatus {
  const { client } = request;
  if (error instanceof ConsumeError) return statusOf(error);
  if (error instanceof WireError) {
    host.malformed(signal, client.transport === "grpc" ? "grpc" : "http", "undecodable");
    return { code: rpcCode.invalidArgument, message: error.message };
  }
  host.logger.error({ error, client: client.address, signal }, "Decoding a request failed in an unforeseen way.");
  return { code: rpcCode.internal, message: "decoding the request failed" };
}

/** The status for a body that could not be read; `tooLarge` is the transport's code for one over the limit. */
export function problemStatus(problem: Problem, tooLarge: number): RpcStatus {
  switch (problem.kind) {
    case "busy":
      return { code: rpcCode.unavailable, message: problem.message, retryDelayMs: busyDelayMs };
    case "too_large":
      return { code: tooLarge, message: problem.message };
    case "unauthenticated":
      return { code: problem.grpcStatus ?? rpcCode.unauthenticated, message: problem.message };
    case "broken":
    case "unsupported_encoding":
      return { code: rpcCode.invalidArgument, message: problem.message };
  }
}
