import { after } from "node:test";
import { registry } from "../../cmd/components.ts";
import type { Lifecycle } from "../../pipeline/component.ts";
import { z } from "../../pipeline/config/schema.ts";
import type { ClientInfo } from "../../pipeline/delivery.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import type { ClientAuthenticator } from "../../pipeline/net/auth.ts";
import { grpcClientShape, httpClientShape } from "../../pipeline/net/client_settings.ts";
import { GrpcJsClient } from "../../pipeline/net/grpc_js_client.ts";
import { GrpcJsServer } from "../../pipeline/net/grpc_js_server.ts";
import { otlpServices } from "../../pipeline/net/grpc_services.ts";
import { NodeHttpClient } from "../../pipeline/net/http_client.ts";
import { exportPath } from "../../pipeline/net/otlp_paths.ts";
import { grpcServerShape, httpServerShape } from "../../pipeline/net/settings.ts";
import type { HttpAnswer, Problem, RpcAnswer } from "../../pipeline/net/transport.ts";
import { loadDefinition } from "../../pipeline/registry.ts";
import { makeHttpServer } from "../pipeline/net/http_engines.ts";
import { RecordingHandler, surroundings, testdata } from "../pipeline/net/servers.ts";
import { simulatedHost } from "../support/simulated_host.ts";

/** Authenticator extensions in tests: built as the service does, asked over the network. */

const cleanup: (() => unknown)[] = [];
after(async () => {
  for (const close of cleanup.reverse()) await close();
});

function definitionOf(type: string) {
  return loadDefinition(registry, "extension", type);
}

/** What is wrong with settings, one line each; none when they are taken. */
export async function problemsOf(type: string, settings: object): Promise<string[]> {
  const result = (await definitionOf(type)).config.safeParse(settings);
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

/** An extension with its host; `others` are extensions that it can see. Stopped after the tests. */
export async function build(type: string, settings: object, others: Record<string, unknown> = {}) {
  const definition = await definitionOf(type);
  const host = simulatedHost({ id: type, extensions: others });
  const extension = definition.create(definition.config.parse(settings), host as unknown as ExtensionHost);
  cleanup.push(() => extension.stop?.());
  return { extension, host, roles: definition.roles?.(definition.config.parse(settings) as never) };
}

/** The same, started. */
export async function start(type: string, settings: object, others: Record<string, unknown> = {}) {
  const built = await build(type, settings, others);
  await built.extension.start?.();
  return built;
}

/** What one request came to: a status of HTTP, or a code of gRPC where 0 is OK, and the text that came with it. */
export interface Reply {
  readonly http: readonly [status: number, text: string];
  readonly grpc: readonly [code: number, text: string];
}

const tls = { cert_file: testdata("server.pem"), key_file: testdata("server_key.pem") };
const body = Buffer.from("spans");

/** Servers over HTTP and gRPC that let in whom `extension` accepts; everybody, without one. */
export async function servers(extension?: Lifecycle) {
  const around = surroundings(1e9, { it: extension });
  const auth = extension === undefined ? {} : { auth: { authenticator: "it" } };
  const code = ({ kind }: Problem) => (kind === "unauthenticated" ? 16 : 14);
  const overHttp = new RecordingHandler<HttpAnswer>(
    (_request, answer) => answer({ status: 200 }),
    (problem) => ({ status: code(problem) === 16 ? 401 : 503, body: problem.message }),
  );
  const overGrpc = new RecordingHandler<RpcAnswer>(
    (_request, answer) => answer({ body: Buffer.alloc(0) }),
    (problem) => ({ status: { code: code(problem), message: problem.message } }),
  );
  const timeouts = { header: "0s", write: "0s", idle: "0s" };
  const httpSettings = z.strictObject(httpServerShape("localhost:0", timeouts)).parse(auth);
  const http = makeHttpServer(httpSettings, overHttp, around);
  const grpcSettings = z.strictObject(grpcServerShape("localhost:0")).parse({ ...auth, tls });
  const grpc = new GrpcJsServer(grpcSettings, otlpServices(["traces"]), overGrpc, around);
  for (const server of [http, grpc]) {
    await server.start();
    cleanup.push(() => server.stop(0));
  }
  return { overHttp, overGrpc, url: new URL(`http://${http.addresses[0]}/v1/traces`), address: `${grpc.addresses[0]}` };
}

/** Clients of those servers that prove themselves with `authenticator`, and send these headers besides. */
export async function clients(
  { url, address }: Awaited<ReturnType<typeof servers>>,
  authenticator?: ClientAuthenticator,
  headers: Record<string, string> = {},
) {
  const around = { ...surroundings(), authenticator };
  const httpSettings = z.strictObject(httpClientShape({ timeout: "0s", compression: "none" })).parse({ headers });
  const http = await NodeHttpClient.open(httpSettings, url, around);
  const grpcSettings = z
    .strictObject(grpcClientShape({ compression: "none" }))
    .parse({ endpoint: address, tls: { insecure_skip_verify: true }, headers });
  const grpc = new GrpcJsClient(grpcSettings, around);
  cleanup.push(() => http.close());
  cleanup.push(() => grpc.close());
  return async (client?: ClientInfo): Promise<Reply> => {
    const replied = await http.send(url, body, { client });
    const { status } = await grpc.send(exportPath("traces"), body, { client });
    return {
      http: [replied.status, replied.body.toString()],
      grpc: [status?.code ?? 0, status?.message ?? ""],
    };
  };
}

/** Answers of success. */
export const ok: Reply = { http: [200, ""], grpc: [0, ""] };

/** Answers of refusal for a reason. */
export function refused(reason: string): Reply {
  return { http: [401, reason], grpc: [16, reason] };
}

/** Headers that arrived over HTTP and over gRPC with the last requests. */
export function arrived({ overHttp, overGrpc }: Awaited<ReturnType<typeof servers>>, name: string) {
  return [overHttp.requests.at(-1)?.header(name), overGrpc.requests.at(-1)?.header(name)];
}
