import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { formatHostPort, listen, parseHostPort } from "../../../pipeline/net/listener.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some((each) => each.address === "::1"));
const opened: { close(): void; destroyConnections(): void }[] = [];
after(() => {
  for (const listening of opened) {
    listening.close();
    listening.destroyConnections();
  }
});

async function open(endpoint: string, transport: "tcp" | "tcp4" | "tcp6" | "unix" = "tcp") {
  const listening = await listen({ endpoint, transport }, () => createServer((socket) => void socket.end("hi")));
  opened.push(listening);
  return listening;
}

function greeting(options: { host: string; port: number } | { path: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(options);
    socket.on("data", (part) => void (text += part.toString()));
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
}

describe("listening on localhost", () => {
  it("takes 127.0.0.1 and ::1 with one port, so that clients of either kind get through", async () => {
    const { addresses } = await open("localhost:0");
    const { port } = parseHostPort(addresses[0] as string);
    assert.deepEqual(addresses, hasIpv6 ? [`127.0.0.1:${port}`, `[::1]:${port}`] : [`127.0.0.1:${port}`]);
    assert.equal(await greeting({ host: "127.0.0.1", port }), "hi");
    if (hasIpv6) assert.equal(await greeting({ host: "::1", port }), "hi");
  });

  it("takes IPv4 alone with transport tcp4", async () => {
    const { addresses } = await open("localhost:0", "tcp4");
    assert.equal(addresses.length, 1);
    assert.match(addresses[0] as string, /^127\.0\.0\.1:\d+$/);
  });

  it("names host and port in one line when the port is in use, and keeps nothing bound", async () => {
    const { addresses } = await open("127.0.0.1:0");
    const { port } = parseHostPort(addresses[0] as string);
    const message = `cannot listen on localhost:${port}: address already in use`;
    await assert.rejects(open(`localhost:${port}`), { message, code: "EADDRINUSE" });
    if (hasIpv6) {
      const second = await open(`[::1]:${port}`);
      assert.deepEqual(second.addresses, [`[::1]:${port}`]);
    }
  });

  it("fails when the port is taken on ::1 only, for a client that dials ::1 would reach another server", {
    skip: !hasIpv6,
  }, async () => {
    const { addresses } = await open("[::1]:0");
    const { port } = parseHostPort(addresses[0] as string);
    await assert.rejects(open(`localhost:${port}`), /^Error: cannot listen on localhost:\d+: address already in use$/);
    await open(`127.0.0.1:${port}`);
  });
});

it("listens on every address for an endpoint without a host", async () => {
  const { addresses } = await open(":0");
  const { port } = parseHostPort(addresses[0] as string);
  assert.equal(await greeting({ host: "127.0.0.1", port }), "hi");
});

it("listens on a Unix socket", async () => {
  const path = join(await mkdtemp(join(tmpdir(), "otelpipe-")), "otlp.sock");
  const { addresses } = await open(path, "unix");
  assert.deepEqual(addresses, [path]);
  assert.equal(await greeting({ path }), "hi");
});

it("cuts open connections when told to", async () => {
  const listening = await listen({ endpoint: "127.0.0.1:0", transport: "tcp" }, () => createServer(() => {}));
  const socket = connect(parseHostPort(listening.addresses[0] as string));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  await new Promise((resolve) => setImmediate(resolve));
  listening.close();
  listening.destroyConnections();
  await closed;
});

describe("endpoints", () => {
  for (const { text, want } of [
    { text: "localhost:4317", want: { host: "localhost", port: 4317 } },
    { text: ":4317", want: { host: "", port: 4317 } },
    { text: "[::1]:4317", want: { host: "::1", port: 4317 } },
    { text: "0.0.0.0:0", want: { host: "0.0.0.0", port: 0 } },
  ]) {
    it(`reads ${text}`, () => assert.deepEqual(parseHostPort(text), want));
  }
  for (const text of ["localhost", "localhost:", "localhost:http", "::1:4317", "localhost:70000", ""]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseHostPort(text), /invalid endpoint/));
  }
  it("are written with brackets around IPv6", () => {
    assert.equal(formatHostPort("::1", 1), "[::1]:1");
    assert.equal(formatHostPort("127.0.0.1", 1), "127.0.0.1:1");
  });
});
