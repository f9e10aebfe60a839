import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { download } from "../../../pipeline/config/download.ts";

/** A server on a free port that answers with `listener` until the test ends; gives its address. */
async function serve(test: { after(run: () => void): void }, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const limits = { deadlineMs: 10_000, maximumBytes: 1000 };

it("gives the text behind a URL, credentials sent along, redirects followed", async (test) => {
  const asked: unknown[] = [];
  const origin = await serve(test, ({ method, url, headers }, response) => {
    asked.push([method, url, headers.authorization]);
    if (url === "/config?x=1") response.writeHead(302, { location: "/é" }).end("elsewhere");
    else response.end("a: é\n");
  });
  const withUser = `${origin.replace("//", "//user:pass@")}/config?x=1`;
  assert.equal(await download(withUser, {}, limits), "a: é\n");
  assert.deepEqual(asked[0], ["GET", "/config?x=1", "Basic dXNlcjpwYXNz"]);
  assert.deepEqual((asked[1] as unknown[])[1], "/%C3%A9");
});

it("asks the proxy that the environment names", async (test) => {
  const proxy = await serve(test, ({ url }, response) => void response.end(`through the proxy: ${url}`));
  assert.equal(
    await download("http://config.invalid/x", { HTTP_PROXY: proxy }, limits),
    "through the proxy: http://config.invalid/x",
  );
});

describe("says why a document cannot be had:", () => {
  for (const { name, listener, want } of [
    {
      name: "another status",
      listener: (_, response) => response.writeHead(404).end("no"),
      want: "status 404 Not Found",
    },
    {
      name: "a status like 204",
      listener: (_, response) => response.writeHead(204).end(),
      want: "status 204 No Content",
    },
    { name: "too large", listener: (_, response) => response.end("x".repeat(1001)), want: "larger than 1000 bytes" },
    {
      name: "a circle of redirects",
      listener: (_, response) => response.writeHead(307, { location: "/" }).end(),
      want: "more than 10 redirects",
    },
    {
      name: "a redirect to a file",
      listener: (_, response) => response.writeHead(301, { location: "file:///etc/passwd" }).end(),
      want: "it redirects to what is no http URL",
    },
    {
      name: "a connection that is closed",
      listener: ({ socket }) => socket.destroy(),
      want: "the connection was closed",
    },
  ] as { name: string; listener: RequestListener; want: string }[]) {
    it(name, async (test) => {
      const origin = await serve(test, listener);
      await assert.rejects(download(`${origin}/`, {}, limits), { message: want });
    });
  }

  it("no answer in time, nor the rest of one", async (test) => {
    const origin = await serve(test, ({ url }, response) => {
      if (url === "/half") response.write("half");
    });
    const soon = { ...limits, deadlineMs: 20 };
    await assert.rejects(download(`${origin}/`, {}, soon), { message: "no answer within 0.02 s" });
    await assert.rejects(download(`${origin}/half`, {}, { ...limits, deadlineMs: 200 }), {
      message: "no answer within 0.2 s",
    });
  });

  it("nobody listens there", async (test) => {
    let port = "";
    await new Promise<void>((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => {
        port = String((server.address() as AddressInfo).port);
        server.close(() => resolve());
      });
    });
    test.diagnostic(`port ${port}`);
    await assert.rejects(download(`http://127.0.0.1:${port}/`, {}, limits), { message: "connection refused" });
  });

  it("it is no URL", async () => {
    await assert.rejects(download("http://", {}, limits), { message: "not a valid URL" });
  });
});
