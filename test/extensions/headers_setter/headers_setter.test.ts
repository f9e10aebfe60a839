import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ClientInfo } from "../../../pipeline/delivery.ts";
import type { ClientAuthenticator } from "../../../pipeline/net/auth.ts";
import { arrived, build, clients, ok, problemsOf, servers, start } from "../authenticators.ts";

const folder = mkdtempSync(join(tmpdir(), "otelpipe-headers-"));

const sender: ClientInfo = {
  address: "10.0.0.1:1",
  transport: "http",
  metadata: new Map([
    ["tenant", ["acme"]],
    ["several", ["a", "b"]],
  ]),
  auth: new Map<string, string | readonly string[]>([
    ["username", "ada"],
    ["groups", ["x", "y"]],
  ]),
};

/** What arrives of the header `x` over HTTP and gRPC when the exporter's own headers are `own`. */
async function sent(headers: object[], own: Record<string, string> = {}, client: ClientInfo = sender) {
  const { extension } = await start("headers_setter", { headers });
  const server = await servers();
  const reply = await (await clients(server, extension as ClientAuthenticator, own))(client);
  assert.deepEqual(reply, ok);
  return arrived(server, "x");
}

describe("headers_setter", () => {
  for (const { name, headers, own, want } of [
    { name: "sets a value", headers: [{ action: "upsert", key: "X", value: "1" }], want: ["1", "1"] },
    { name: "upserts when no action is written", headers: [{ key: "X", value: "1" }], want: ["1", "1"] },
    {
      name: "replaces a header of the exporter",
      headers: [{ action: "upsert", key: "X", value: "1" }],
      own: { x: "0" },
      want: ["1", "1"],
    },
    {
      name: "takes a value from the request that brought the data",
      headers: [{ action: "insert", key: "x", from_context: "Tenant" }],
      want: ["acme", "acme"],
    },
    {
      name: "sends an empty value when the request has none",
      headers: [{ action: "upsert", key: "x", from_context: "other" }],
      want: ["", ""],
    },
    {
      name: "sends the default value when the request has none",
      headers: [{ action: "upsert", key: "x", from_context: "other", default_value: "d" }],
      want: ["d", "d"],
    },
    {
      name: "takes what the authenticator found out",
      headers: [{ action: "upsert", key: "x", from_attribute: "username" }],
      want: ["ada", "ada"],
    },
    {
      name: "writes a list that the authenticator found out as JSON",
      headers: [{ action: "upsert", key: "x", from_attribute: "groups" }],
      want: ['["x","y"]', '["x","y"]'],
    },
    {
      name: "inserts what is not there: over gRPC an exporter's header does not count as being there",
      headers: [{ action: "insert", key: "x", value: "1" }],
      own: { x: "0" },
      want: ["0", "1"],
    },
    {
      name: "inserts once",
      headers: [
        { action: "insert", key: "x", value: "1" },
        { action: "insert", key: "x", value: "2" },
      ],
      want: ["1", "1"],
    },
    {
      name: "updates what is there, not over gRPC when it is the exporter's",
      headers: [{ action: "update", key: "x", value: "1" }],
      own: { x: "0" },
      want: ["1", "0"],
    },
    {
      name: "does not update what is not there",
      headers: [{ action: "update", key: "x", value: "1" }],
      want: [undefined, undefined],
    },
    {
      name: "deletes, not over gRPC when it is the exporter's",
      headers: [{ action: "delete", key: "X" }],
      own: { x: "0" },
      want: [undefined, "0"],
    },
    {
      name: "takes its steps in order",
      headers: [
        { action: "upsert", key: "x", value: "1" },
        { action: "delete", key: "x" },
        { action: "insert", key: "x", value: "2" },
        { action: "update", key: "x", value: "3" },
      ],
      want: ["3", "3"],
    },
  ]) {
    it(name, async () => assert.deepEqual(await sent(headers, own as Record<string, string> | undefined), want));
  }

  it("leaves the headers alone that say where a request goes and how long it is", async () => {
    const server = await servers();
    const headers = ["host", "content-length"].map((key) => ({ action: "upsert", key, value: "1" }));
    const { extension } = await start("headers_setter", { headers });
    assert.deepEqual((await (await clients(server, extension as ClientAuthenticator))(sender)).http, ok.http);
    assert.deepEqual(server.overHttp.requests[0]?.header("host"), server.url.host);
  });

  it("takes a value from a file, which may change", async () => {
    const file = join(folder, "value");
    writeFileSync(file, "one\n");
    const { extension, host } = await start("headers_setter", {
      headers: [{ action: "upsert", key: "x", value_file: file }],
    });
    const request = { transport: "grpc", target: "", headers: {}, body: Buffer.alloc(0) } as const;
    const authorize = () => (extension as ClientAuthenticator).authorize(request);
    assert.deepEqual(await authorize(), { x: "one" });
    writeFileSync(file, "another");
    host.advance(1_000);
    assert.deepEqual(await authorize(), { x: "another" });
  });

  it("does not start without its file", async () => {
    const { extension } = await build("headers_setter", { headers: [{ key: "x", value_file: join(folder, "none") }] });
    await assert.rejects(async () => extension.start?.(), /failed to read credentials file ".*none"/);
  });

  it("fails an attempt, which is retried, when the request has several values", async () => {
    const { extension } = await start("headers_setter", {
      headers: [{ action: "upsert", key: "x", from_context: "several" }],
    });
    const request = { transport: "http", target: "", headers: {}, body: Buffer.alloc(0), client: sender } as const;
    await assert.rejects(
      async () => (extension as ClientAuthenticator).authorize(request),
      /failed to determine the source: 2 source keys found in the context, can't determine which one to use/,
    );
  });

  it("warns of a header without an action", async () => {
    const { host } = await start("headers_setter", { headers: [{ key: "x", value: "1" }] });
    assert.match(host.logs[0]?.message ?? "", /The action was not provided, using 'upsert'/);
  });
});

describe("headers_setter with another extension", () => {
  const bearer = async () => (await start("bearertokenauth", { token: "t" })).extension;

  it("sends the other's credentials as well", async () => {
    const settings = { headers: [{ action: "upsert", key: "x", value: "1" }], additional_auth: "bearertokenauth" };
    const { extension } = await start("headers_setter", settings, { bearertokenauth: await bearer() });
    const server = await servers(await bearer());
    assert.deepEqual(await (await clients(server, extension as ClientAuthenticator))(), ok);
    assert.deepEqual(arrived(server, "x"), ["1", "1"]);
    assert.equal((extension as ClientAuthenticator).needsTls, true);
  });

  it("acts before it over HTTP, behind it over gRPC", async () => {
    const settings = {
      headers: [{ action: "upsert", key: "authorization", value: "mine" }],
      additional_auth: "bearertokenauth",
    };
    const { extension } = await start("headers_setter", settings, { bearertokenauth: await bearer() });
    const server = await servers();
    await (await clients(server, extension as ClientAuthenticator))();
    assert.deepEqual(arrived(server, "authorization"), ["Bearer t", "mine"]);
  });

  it("alone sends over clear text", async () => {
    const { extension } = await start("headers_setter", { headers: [{ action: "upsert", key: "x", value: "1" }] });
    assert.equal((extension as ClientAuthenticator).needsTls, false);
  });
});

describe("settings of headers_setter", () => {
  const all = "'from_context', 'from_attribute', 'value', or 'value_file'";
  for (const { settings, want } of [
    { settings: {}, want: ["headers: missing headers configuration"] },
    { settings: { headers: [{ value: "1" }] }, want: ["headers.0: missing header name"] },
    { settings: { headers: [{ key: "x" }] }, want: [`headers.0: missing header source, must be ${all}`] },
    {
      settings: { headers: [{ key: "x", value: "1", from_context: "y" }] },
      want: [`headers.0: invalid header source, must be only one of ${all}`],
    },
    { settings: { headers: [{ key: "x", action: "delete" }] }, want: [] },
  ]) {
    it(`${JSON.stringify(settings)}: ${want.length} problems`, async () => {
      assert.deepEqual(await problemsOf("headers_setter", settings), want);
    });
  }
});
