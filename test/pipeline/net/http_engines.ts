import { after, before, describe } from "node:test";
import { NodeHttpServer } from "../../../pipeline/net/http_server.ts";
import { StrictServer } from "../../../pipeline/net/http1/strict_server.ts";
import type { HttpServerSettings } from "../../../pipeline/net/settings.ts";
import type { HttpAnswer, RequestHandler, ServerSurroundings } from "../../../pipeline/net/transport.ts";

let isNodeOnly = false;

/** Runs the tests that `define` defines with otelpipe's own code for HTTP/1.1, and again with `node:http` alone. */
export function forEachHttpEngine(define: () => void): void {
  for (const [name, isNode] of [
    ["own", false],
    ["node:http", true],
  ] as const) {
    describe(`HTTP by ${name}`, () => {
      before(() => void (isNodeOnly = isNode));
      after(() => void (isNodeOnly = false));
      define();
    });
  }
}

export function makeHttpServer(
  settings: HttpServerSettings,
  handler: RequestHandler<HttpAnswer>,
  around: ServerSurroundings,
): NodeHttpServer {
  return new NodeHttpServer(settings, handler, around, isNodeOnly ? undefined : StrictServer);
}
