import type { Signal } from "../../pdata/index.ts";
import type { GrpcClientSettings } from "../client_settings.ts";
import { exportPath } from "../otlp_paths.ts";
import type { GrpcServerSettings } from "../settings.ts";
import type {
  ClientSurroundings,
  RequestHandler,
  RpcAnswer,
  RpcClient,
  ServerSurroundings,
  TransportServer,
} from "../transport.ts";

/** The feature gate under which `@grpc/grpc-js` speaks gRPC in place of our own code. */
export const grpcJsGate = "otelpipe.grpcJs";

/** A server of the OTLP services of these signals. */
export async function openGrpcServer(
  settings: GrpcServerSettings,
  signals: readonly Signal[],
  handler: RequestHandler<RpcAnswer>,
  surroundings: ServerSurroundings,
): Promise<TransportServer> {
  if (surroundings.gates.has(grpcJsGate)) {
    const [{ GrpcJsServer }, { otlpServices }] = await Promise.all([
      import("../grpc_js_server.ts"),
      import("../grpc_services.ts"),
    ]);
    return new GrpcJsServer(settings, otlpServices(signals), handler, surroundings);
  }
  const { GrpcServer } = await import("./server.ts");
  return new GrpcServer(settings, signals.map(exportPath), handler, surroundings);
}

/** @throws {Error} when a file of the `tls` block cannot be read or the endpoint is none. */
export async function openGrpcClient(
  settings: GrpcClientSettings,
  surroundings: ClientSurroundings,
): Promise<RpcClient> {
  if (surroundings.gates?.has(grpcJsGate) === true || hasProxy(process.env)) {
    const { GrpcJsClient } = await import("../grpc_js_client.ts");
    return new GrpcJsClient(settings, surroundings);
  }
  const { GrpcClient } = await import("./client.ts");
  return new GrpcClient(settings, surroundings);
}

/** Whether calls may have to go through a proxy, which only the library can: by the variables that it looks at. */
function hasProxy({ grpc_proxy, https_proxy, http_proxy }: NodeJS.ProcessEnv): boolean {
  return Boolean(grpc_proxy || https_proxy || http_proxy);
}
