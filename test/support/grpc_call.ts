import { Client, type ClientOptions, credentials, type ServiceError } from "@grpc/grpc-js";
import { exportPath } from "../../pipeline/net/otlp_paths.ts";
import type { Signal } from "../../pipeline/pdata/index.ts";

/** One call of the library's own client. */
export function call(address: string, signal: Signal, body: Buffer, options: ClientOptions = {}) {
  const client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1, ...options });
  const same = (bytes: Buffer) => bytes;
  return new Promise<{ error: ServiceError | null; reply: Buffer | undefined }>((resolve) => {
    client.makeUnaryRequest(exportPath(signal), same, same, body, (error, reply) => {
      client.close();
      resolve({ error, reply });
    });
  });
}
