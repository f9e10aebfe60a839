import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What was asked of the token server. */
export interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
}

/** An answer: a status, a body (JSON unless it is a text) and maybe another content type. */
export interface TokenAnswer {
  readonly status?: number;
  readonly body: object | string;
  readonly type?: string;
}

/** A token server that answers as `answer` says, and waits with it while that is a promise. */
export async function tokenServer(answer: (asked: Asked, count: number) => TokenAnswer | Promise<TokenAnswer>) {
  const asked: Asked[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const one = { headers: request.headers, form: new URLSearchParams(await text(request)) };
    asked.push(one);
    const { status = 200, body, type = "application/json" } = await answer(one, asked.length);
    response.writeHead(status, { "content-type": type });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { asked, url: `http://127.0.0.1:${port}/token`, close };
}
