import type { HttpServerSettings } from "../settings.ts";
import type { HttpAnswer, RequestHandler, ServerSurroundings, TransportServer } from "../transport.ts";

/** The feature gate under which `node:http` speaks HTTP/1.1 alone. */
export const nodeHttpGate = "otelpipe.nodeHttp";

/** A server for requests as exporters send them. */
export async function openHttpServer(
  settings: HttpServerSettings,
  handler: RequestHandler<HttpAnswer>,
  surroundings: ServerSurroundings,
): Promise<TransportServer> {
  const isNodeOnly = surroundings.gates.has(nodeHttpGate);
  const [{ NodeHttpServer }, strict] = await Promise.all([
    import("../http_server.ts"),
    isNodeOnly ? undefined : import("./strict_server.ts"),
  ]);
  return new NodeHttpServer(settings, handler, surroundings, strict?.StrictServer);
}
