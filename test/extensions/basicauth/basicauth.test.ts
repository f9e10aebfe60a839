import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ClientAuthenticator } from "../../../pipeline/net/auth.ts";
import { arrived, build, clients, ok, problemsOf, refused, servers, start } from "../authenticators.ts";

const folder = mkdtempSync(join(tmpdir(), "otelpipe-basicauth-"));
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });

/** One user for each encoding that is fast to check; the slow ones are in `encodings.test.ts`. */
const users = `
plain:secret
nginx:{PLAIN}secret
sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
ssha:{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0
`;

describe("a server with basicauth", async () => {
  const { extension } = await start("basicauth", { htpasswd: { inline: users } });
  const server = await servers(extension);
  const ask = async (headers: Record<string, string>) => (await clients(server, undefined, headers))();

  it("lets in who knows a password, and says who it is", async () => {
    const headers = basic("plain:secret");
    assert.deepEqual(await ask(headers), ok);
    for (const handler of [server.overHttp, server.overGrpc]) {
      assert.deepEqual(
        handler.requests.at(-1)?.client.auth,
        new Map([
          ["username", "plain"],
          ["raw", headers.authorization.slice(6)],
        ]),
      );
    }
  });

  for (const { name, headers, reason } of [
    { name: "no credentials", headers: {}, reason: "no basic auth provided" },
    { name: "another scheme", headers: { authorization: "Bearer x" }, reason: "invalid authorization scheme prefix" },
    { name: "no base64", headers: { authorization: "Basic *" }, reason: "invalid authorization format" },
    { name: "no colon", headers: basic("plain"), reason: "invalid authorization format" },
    { name: "an unknown user", headers: basic("nobody:secret"), reason: "invalid credentials" },
    { name: "a wrong password", headers: basic("plain:Secret"), reason: "invalid credentials" },
  ]) {
    it(`refuses ${name}`, async () => assert.deepEqual(await ask(headers as Record<string, string>), refused(reason)));
  }

  it("takes the scheme in any case", async () => {
    assert.deepEqual(await ask({ authorization: basic("plain:secret").authorization.replace("Basic", "bAsIc") }), ok);
  });
});

describe("users of basicauth", () => {
  it("come from a file, and from the settings where both have them", async () => {
    const file = join(folder, "users");
    writeFileSync(file, "ada:from file\nbob:from file");
    const { extension } = await start("basicauth", { htpasswd: { file, inline: "bob:from settings" } });
    const server = await servers(extension);
    const ask = async (pair: string) => (await (await clients(server, undefined, basic(pair)))()).http[0];
    assert.deepEqual(
      await Promise.all(["ada:from file", "bob:from settings", "bob:from file"].map(ask)),
      [200, 200, 401],
    );
  });

  it("keep it from starting when their file cannot be read", async () => {
    const { extension } = await build("basicauth", { htpasswd: { file: join(folder, "none") } });
    await assert.rejects(async () => extension.start?.(), /^Error: open htpasswd file: ENOENT/);
  });

  it("are left out where their line is malformed, which is said without it", async () => {
    const { host } = await start("basicauth", {
      htpasswd: { inline: "no colon\na:{SHA}short\nb:$apr1$none\nc:right" },
    });
    assert.deepEqual(
      host.logs.map(({ level, fields }) => [level, fields]),
      [["warn", { lines: 3 }]],
    );
  });
});

describe("a client with basicauth", () => {
  const client = async (settings: object) => {
    const { extension } = await start("basicauth", { client_auth: settings });
    const server = await servers();
    return { server, send: await clients(server, extension as ClientAuthenticator) };
  };

  it("sends its name and password", async () => {
    const { server, send } = await client({ username: "ada", password: "päss:word" });
    assert.deepEqual(await send(), ok);
    const { authorization } = basic("ada:päss:word");
    assert.deepEqual(arrived(server, "authorization"), [authorization, authorization]);
  });

  it("takes them from files, which win and may change", async () => {
    const [name, password] = [join(folder, "name"), join(folder, "password")];
    writeFileSync(name, "ada\n");
    writeFileSync(password, " first ");
    const settings = { username: "bob", username_file: name, password: "x", password_file: password };
    const { extension, host } = await start("basicauth", { client_auth: settings });
    const sent = () => {
      const request = { transport: "http", target: "", headers: {}, body: Buffer.alloc(0) } as const;
      return (extension as ClientAuthenticator).authorize(request);
    };
    assert.deepEqual(sent(), basic("ada:first"));
    writeFileSync(password, "second one");
    host.advance(1_000);
    assert.deepEqual(sent(), basic("ada:second one"));
    writeFileSync(password, " ");
    host.advance(1_000);
    assert.deepEqual(sent(), basic("ada:second one"));
    assert.match(host.logs.at(-1)?.message ?? "", /keeping last value/);
  });

  it("does not start without its file", async () => {
    const { extension } = await build("basicauth", { client_auth: { password_file: join(folder, "none") } });
    await assert.rejects(async () => extension.start?.(), /failed to read credentials file ".*none": ENOENT/);
  });
});

describe("settings of basicauth", () => {
  it("are a server's or a client's", async () => {
    assert.deepEqual((await build("basicauth", { htpasswd: { inline: "a:b" } })).roles, ["server authenticator"]);
    assert.deepEqual((await build("basicauth", { client_auth: {} })).roles, [
      "HTTP client authenticator",
      "gRPC client authenticator",
    ]);
  });

  for (const { settings, want } of [
    { settings: {}, want: [": no credential source provided"] },
    { settings: { htpasswd: {} }, want: ["htpasswd: no credential source provided"] },
    {
      settings: { htpasswd: { inline: "a:b" }, client_auth: {} },
      want: ["client_auth: only one of `htpasswd` or `client_auth` can be specified"],
    },
    {
      settings: { client_auth: { username: "a:b" } },
      want: ["client_auth.username: invalid authorization format: a user's name has no colon"],
    },
  ]) {
    it(`${JSON.stringify(settings)} are refused`, async () => {
      assert.deepEqual(await problemsOf("basicauth", settings), want);
    });
  }
});
