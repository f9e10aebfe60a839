import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "../../../pipeline/config/schema.ts";
import { grpcClientShape } from "../../../pipeline/net/client_settings.ts";
import { GrpcClient } from "../../../pipeline/net/grpc/client.ts";
import type { RpcClient } from "../../../pipeline/net/transport.ts";
import { systemClock } from "../../../pipeline/process/clock.ts";
import { authority, type Certificate } from "../../support/certificates.ts";
import { check, type Findings, type Row } from "../check.ts";
import { type Command, commands, start } from "../peers/grpc_servers.ts";
import { runFolder } from "../peers/server.ts";
import { withServers } from "../with_servers.ts";

const mebibyte = 1024 * 1024;

/** How long calls are made while connections are sent away again and again. */
const loadMs = 3_000;
const connectionAgeMs = 200;

interface Subject {
  readonly name: string;
  readonly command: Command;
  readonly codings: readonly string[];
}

/** Our client calls servers of other libraries. */
export const grpcServers = check({
  name: "grpc_servers",
  area: "gRPC: our client and servers of other libraries",
  needs: ["grpc_go", "grpc_java", "python_sdk", "tonic"],
  async run(peers): Promise<Findings> {
    const subjects: readonly Subject[] = [
      { name: "grpc-go", command: commands.go(peers.grpc_go), codings: ["none", "gzip", "zstd"] },
      { name: "grpc-java", command: commands.java(peers.grpc_java), codings: ["none", "gzip"] },
      { name: "Python grpcio", command: commands.python(peers.python_sdk), codings: ["none", "gzip"] },
      { name: "grpc-js", command: commands.javascript(), codings: ["none", "gzip"] },
      { name: "tonic", command: commands.tonic(peers.tonic), codings: ["none", "gzip", "zstd"] },
    ];
    const files = await certificates();
    const rows: Row[] = [];
    for (const subject of subjects) {
      rows.push(await inClearText(subject), await withTls(subject, files), await sentAway(subject));
    }
    return { rows };
  },
});

function open(endpoint: string, settings: object): RpcClient {
  const shape = z.strictObject(grpcClientShape({ compression: "none" }));
  const parsed = shape.parse({ endpoint, tls: { insecure: true }, ...settings });
  return new GrpcClient(parsed, { clock: systemClock, userAgent: "otelpipe (interop)" });
}

/** Runs `work` with a client, and closes that. */
async function withClient<Result>(
  endpoint: string,
  settings: object,
  work: (client: RpcClient) => Promise<Result>,
): Promise<Result> {
  const client = open(endpoint, settings);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

const timeoutMs = 60_000;

async function digestsEqual(client: RpcClient, message: Buffer): Promise<void> {
  const { status, body } = await client.send("/peer.Echo/Digest", message, { timeoutMs });
  assert.equal(status, undefined, `${message.length} bytes: ${status?.message}`);
  assert.equal(String(body), createHash("sha256").update(message).digest("hex"));
}

async function echoes(client: RpcClient, message: Buffer): Promise<void> {
  const { status, body } = await client.send("/peer.Echo/Echo", message, { timeoutMs });
  assert.equal(status, undefined, `${message.length} bytes: ${status?.message}`);
  assert.ok(body.equals(message));
}

async function inClearText({ name, command, codings }: Subject): Promise<Row> {
  return await withServers(async (started) => {
    const { port } = started(await start(command, []));
    for (const compression of codings) {
      await withClient(`127.0.0.1:${port}`, { compression }, async (client) => {
        const sizes = [0, 1, 1000, 16_384, 65_535, mebibyte, 64 * mebibyte];
        for (const size of sizes) await digestsEqual(client, randomBytes(size));
        for (const size of [0, 1, 65_536, 3 * mebibyte]) await echoes(client, Buffer.alloc(size, "spans "));
        await Promise.all(Array.from({ length: 300 }, (_, index) => digestsEqual(client, randomBytes(index * 300))));
        await refused(client);
        await overdue(client);
        await cancelled(client);
        await digestsEqual(client, randomBytes(1000));
      });
    }
    return {
      peer: name,
      checked: `0 B to 64 MiB, 300 calls at once, a refusal of 64 MiB, deadline, cancel; compression ${codings.join(", ")}`,
      result: "every message arrived whole, every answer and status is the server's",
      scenarios: codings.length,
      equal: codings.length,
    };
  });
}

async function refused(client: RpcClient): Promise<void> {
  for (const size of [1, 64 * mebibyte]) {
    const { status } = await client.send("/peer.Echo/Fail", Buffer.alloc(size), { timeoutMs });
    assert.deepEqual(status, { code: 8, message: "zażółć 100%" });
  }
}

async function overdue(client: RpcClient): Promise<void> {
  const { status } = await client.send("/peer.Echo/Wait", Buffer.from("x"), { timeoutMs: 200 });
  assert.equal(status?.code, 4);
}

async function cancelled(client: RpcClient): Promise<void> {
  const controller = new AbortController();
  const sent = client.send("/peer.Echo/Wait", Buffer.from("x"), { timeoutMs, signal: controller.signal });
  await digestsEqual(client, Buffer.from("on its way"));
  controller.abort();
  assert.equal((await sent).status?.code, 1);
}

interface Files {
  readonly ca: string;
  readonly server: readonly [cert: string, key: string];
  readonly client: readonly [cert: string, key: string];
}

async function certificates(): Promise<Files> {
  const folder = await runFolder("grpc-servers");
  const ca = authority("interop CA");
  const write = async (name: string, text: string) => {
    const path = join(folder, `${name}.pem`);
    await writeFile(path, text);
    return path;
  };
  const pair = async (name: string, { cert, key }: Certificate) =>
    [await write(`${name}-cert`, cert), await write(`${name}-key`, key)] as const;
  return {
    ca: await write("ca", ca.cert),
    server: await pair("server", ca.issue("server", { names: ["localhost"] })),
    client: await pair("client", ca.issue("client")),
  };
}

async function withTls({ name, command }: Subject, { ca, server, client }: Files): Promise<Row> {
  const flags = ["--cert", server[0], "--key", server[1]];
  const identity = { cert_file: client[0], key_file: client[1] };
  await withServers(async (started) => {
    const { port } = started(await start(command, flags));
    const endpoint = `localhost:${port}`;
    await withClient(endpoint, { tls: { ca_file: ca } }, async (each) => {
      for (const size of [1, 8 * mebibyte]) await digestsEqual(each, randomBytes(size));
      await echoes(each, randomBytes(3 * mebibyte));
    });
    await withClient(endpoint, { tls: {} }, async (each) => unavailable(each));
    await withClient(`127.0.0.1:${port}`, { tls: { ca_file: ca } }, async (each) => unavailable(each));
  });
  await withServers(async (started) => {
    const { port } = started(await start(command, [...flags, "--client-ca", ca]));
    const endpoint = `localhost:${port}`;
    await withClient(endpoint, { tls: { ca_file: ca, ...identity } }, async (each) =>
      digestsEqual(each, randomBytes(mebibyte)),
    );
    await withClient(endpoint, { tls: { ca_file: ca } }, async (each) => unavailable(each));
  });
  return {
    peer: name,
    checked: "TLS by the endpoint's name, an unknown CA, another name; mTLS, and without a certificate",
    result: "messages arrive where they may, and are UNAVAILABLE where not",
    scenarios: 5,
    equal: 5,
  };
}

async function unavailable(client: RpcClient): Promise<void> {
  const { status } = await client.send("/peer.Echo/Echo", Buffer.from("x"), { timeoutMs });
  assert.equal(status?.code, 14);
}

/** Calls of all sizes go on while the server sends every connection away after a fifth of a second. */
async function sentAway({ name, command }: Subject): Promise<Row> {
  return await withServers(async (started) => {
    const { port } = started(await start(command, ["--max-age-ms", `${connectionAgeMs}`]));
    let calls = 0;
    await withClient(`127.0.0.1:${port}`, {}, async (client) => {
      const until = performance.now() + loadMs;
      const caller = async (size: number) => {
        for (; performance.now() < until; calls++) await digestsEqual(client, randomBytes(size));
      };
      await Promise.all(Array.from({ length: 32 }, (_, index) => caller(2 ** (index % 18))));
    });
    assert.ok(calls > 100, `${calls} calls`);
    return {
      peer: name,
      checked: `calls of 1 B to 128 KiB while each connection is sent away after ${connectionAgeMs} ms, for ${loadMs / 1000} s`,
      result: "each call was answered OK, with the digest of its message",
    };
  });
}
