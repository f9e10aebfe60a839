/** A gRPC server of `@grpc/grpc-js` for otelpipe's client; `grpc_servers.ts` says what its methods do. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type handleUnaryCall, Server, ServerCredentials, status, type UntypedHandleCall } from "@grpc/grpc-js";

const { values: flags } = parseArgs({
  options: {
    cert: { type: "string" },
    key: { type: "string" },
    "client-ca": { type: "string" },
    "max-age-ms": { type: "string" },
  },
});

const methods: Readonly<Record<string, handleUnaryCall<Buffer, Buffer>>> = {
  Echo: ({ request }, answer) => answer(null, request),
  Digest: ({ request }, answer) => answer(null, Buffer.from(createHash("sha256").update(request).digest("hex"))),
  Wait: (call, answer) => {
    const timer = setTimeout(() => answer(null, call.request), 30_000);
    call.once("cancelled", () => clearTimeout(timer));
  },
  Fail: (_call, answer) => answer({ code: status.RESOURCE_EXHAUSTED, details: "zażółć 100%" }),
};

const same = (bytes: Buffer): Buffer => bytes;
const definitions = Object.keys(methods).map((name) => [
  name,
  {
    path: `/peer.Echo/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
]);

function credentials(): ServerCredentials {
  if (flags.cert === undefined || flags.key === undefined) return ServerCredentials.createInsecure();
  const pair = { cert_chain: readFileSync(flags.cert), private_key: readFileSync(flags.key) };
  const ca = flags["client-ca"] === undefined ? null : readFileSync(flags["client-ca"]);
  return ServerCredentials.createSsl(ca, [pair], ca !== null);
}

const server = new Server({
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  ...(flags["max-age-ms"] !== undefined && {
    "grpc.max_connection_age_ms": Number(flags["max-age-ms"]),
    "grpc.max_connection_age_grace_ms": 60_000,
  }),
});
server.addService(Object.fromEntries(definitions), methods as Readonly<Record<string, UntypedHandleCall>>);
server.bindAsync("127.0.0.1:0", credentials(), (error, port) => {
  if (error !== null) throw error;
  console.log("listening", port);
});
