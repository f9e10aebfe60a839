import { type ClientHttp2Session, connect } from "node:http2";
import { after } from "node:test";
import { type ChannelOptions, Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { z } from "../../../pipeline/config/schema.ts";
import { exportPath } from "../../../pipeline/net/otlp_paths.ts";
import { grpcServerShape } from "../../../pipeline/net/settings.ts";
import type { Problem, RpcAnswer, TransportRequest } from "../../../pipeline/net/transport.ts";
import { makeGrpcServer, RecordingHandler, surroundings } from "./servers.ts";

const schema = z.strictObject(grpcServerShape("localhost:0"));
export const path = exportPath("traces");
const cleanup: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const close of cleanup.reverse()) await close();
});

const codes = { busy: 14, too_large: 8, broken: 3, unsupported_encoding: 3, unauthenticated: 16 };
const refusal = ({ kind, message }: Problem): RpcAnswer => ({
  status: { code: codes[kind], message, retryDelayMs: 1000 },
});
const echo = (received: TransportRequest, answer: (answer: RpcAnswer) => void) => answer({ body: received.body });

/** A server that echoes, or answers with `reply`. */
export async function serve(settings: object = {}, options: { budgetBytes?: number; reply?: typeof echo } = {}) {
  const around = surroundings(options.budgetBytes);
  const handler = new RecordingHandler<RpcAnswer>(options.reply ?? echo, refusal);
  const server = makeGrpcServer(schema.parse(settings), ["traces", "profiles"], handler, around);
  await server.start();
  cleanup.push(() => server.stop(0));
  return { server, handler, address: server.addresses[0] as string, budget: around.budget };
}

interface Outcome {
  readonly code: number;
  readonly message: string;
  readonly body: Buffer | undefined;
  readonly error: ServiceError | null;
}

/** One call of a `@grpc/grpc-js` client. */
export function call(
  address: string,
  body: Buffer,
  options: ChannelOptions = {},
  method = path,
  metadata = new Metadata(),
  creds = credentials.createInsecure(),
) {
  const client = new Client(address, creds, { "grpc.use_local_subchannel_pool": 1, ...options });
  const same = (bytes: Buffer) => bytes;
  return new Promise<Outcome>((resolve) => {
    client.makeUnaryRequest(method, same, same, body, metadata, {}, (error, reply) => {
      client.close();
      resolve({ code: error?.code ?? 0, message: error?.details ?? "", body: reply, error });
    });
  });
}

/** One call over bare HTTP/2, with exactly these bytes as its body. */
export async function rawCall(
  address: string,
  bytes: Buffer,
  headers: Record<string, string> = {},
  session?: ClientHttp2Session,
) {
  const own = session ?? connect(`http://${address}`);
  const stream = own.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => {}); // judged by what arrived before
  let answer: Record<string, unknown> = {};
  stream.on("response", (received) => Object.assign(answer, received));
  stream.on("trailers", (received) => Object.assign(answer, received));
  stream.resume();
  stream.end(bytes);
  await new Promise<void>((resolve) => stream.once("close", () => resolve()));
  if (session === undefined) own.close();
  answer = { ...answer };
  return {
    code: Number(answer["grpc-status"]),
    message: decodeURI(String(answer["grpc-message"] ?? "")),
    headers: answer,
  };
}

/** A message behind its prefix, which may lie about its length. */
export function message(body: Buffer, flag = 0, length = body.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, body]);
}

export const spans = Buffer.from("span ".repeat(200_000));
