import assert from "node:assert/strict";
import { createVerify, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { AuthVerdict, ClientAuthenticator } from "../../../pipeline/net/auth.ts";
import { arrived, clients, ok, problemsOf, servers, start } from "../authenticators.ts";
import { type TokenAnswer, tokenServer } from "./token_server.ts";

const folder = mkdtempSync(join(tmpdir(), "otelpipe-oauth2-"));
const closing: (() => void)[] = [];
after(() => closing.forEach((close) => void close()));

const token = (count: number, fields: object = {}): TokenAnswer => ({
  body: { access_token: `token-${count}`, token_type: "bearer", expires_in: 3_600, ...fields },
});

/** An oauth2client at a token server of its own. */
async function oauth2(
  settings: object = {},
  answer: Parameters<typeof tokenServer>[0] = (_asked, count) => token(count),
) {
  const server = await tokenServer(answer);
  closing.push(server.close);
  const credentials = { client_id: "id", client_secret: "secret", token_url: server.url };
  const { extension, host } = await start("oauth2client", { ...credentials, ...settings });
  const authenticator = extension as ClientAuthenticator;
  const request = { transport: "http", target: "", headers: { other: "kept" }, body: Buffer.alloc(0) } as const;
  const sent = async () => {
    const { other, authorization } = await authenticator.authorize(request);
    assert.equal(other, "kept");
    return authorization;
  };
  return { authenticator, host, asked: server.asked, sent };
}

describe("a client with oauth2client", () => {
  it("gets one token and sends it over HTTP and gRPC", async () => {
    const { authenticator, asked } = await oauth2({ scopes: ["a", "b"], endpoint_params: { audience: ["x", "y"] } });
    const server = await servers();
    assert.deepEqual(await (await clients(server, authenticator))(), ok);
    assert.deepEqual(arrived(server, "authorization"), ["Bearer token-1", "Bearer token-1"]);
    assert.equal(asked.length, 1);
    assert.deepEqual(
      [...(asked[0]?.form ?? [])],
      [
        ["grant_type", "client_credentials"],
        ["scope", "a b"],
        ["audience", "x"],
        ["audience", "y"],
      ],
    );
    assert.equal(asked[0]?.headers.authorization, `Basic ${Buffer.from("id:secret").toString("base64")}`);
  });

  it("gets one token for all who wait for it", async () => {
    const { sent, asked } = await oauth2();
    assert.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, sent))), new Set(["Bearer token-1"]));
    assert.equal(asked.length, 1);
  });

  it("gets another one before it expires", async () => {
    const { sent, host } = await oauth2({ expiry_buffer: "10m" });
    assert.equal(await sent(), "Bearer token-1");
    host.advance(49 * 60_000);
    assert.equal(await sent(), "Bearer token-1");
    host.advance(60_000);
    assert.equal(await sent(), "Bearer token-2");
  });

  it("uses a token that lives shorter than the buffer for half its life", async () => {
    const { sent, host } = await oauth2({}, (_asked, count) => token(count, { expires_in: "60" }));
    assert.equal(await sent(), "Bearer token-1");
    host.advance(29_000);
    assert.equal(await sent(), "Bearer token-1");
    host.advance(1_000);
    assert.equal(await sent(), "Bearer token-2");
  });

  it("keeps a token without an end", async () => {
    const { sent, host } = await oauth2({}, (_asked, count) => token(count, { expires_in: undefined }));
    await sent();
    host.advance(1e9);
    assert.equal(await sent(), "Bearer token-1");
  });

  it("puts id and secret in the form when the server wants them there, and remembers that", async () => {
    const { sent, asked, host } = await oauth2({}, ({ headers }, count) =>
      headers.authorization === undefined ? token(count) : { status: 401, body: { error: "invalid_client" } },
    );
    assert.equal(await sent(), "Bearer token-2");
    host.advance(3_600_000);
    assert.equal(await sent(), "Bearer token-3");
    assert.deepEqual(
      asked.map(({ form }) => [form.get("client_id"), form.get("client_secret")]),
      [
        [null, null],
        ["id", "secret"],
        ["id", "secret"],
      ],
    );
  });

  it("reads id and secret from files for each token, and encodes them as a form wants it", async () => {
    const [id, secret] = [join(folder, "id"), join(folder, "secret")];
    writeFileSync(id, "an id\n");
    writeFileSync(secret, "a:1");
    const { sent, asked, host } = await oauth2({ client_id_file: id, client_secret_file: secret });
    await sent();
    writeFileSync(secret, "b+2");
    host.advance(3_600_000);
    await sent();
    const shown = asked.map(({ headers }) => Buffer.from(headers.authorization?.slice(6) ?? "", "base64").toString());
    assert.deepEqual(shown, ["an+id:a%3A1", "an+id:b%2B2"]);
  });

  it("reads a token in a form, with a type of its own", async () => {
    const answer = { body: "access_token=t&token_type=MAC", type: "application/x-www-form-urlencoded; charset=utf-8" };
    assert.equal(await (await oauth2({}, () => answer)).sent(), "MAC t");
  });

  for (const { name, answer, want } of [
    {
      name: "a refusal",
      answer: { status: 400, body: { error: "invalid_scope", error_description: "no such scope" } },
      want: /failed to get security token from token endpoint \(endpoint "http.*"\): oauth2: "invalid_scope" "no such scope"$/,
    },
    {
      name: "a failure",
      answer: { status: 500, body: "broken" },
      want: /oauth2: cannot fetch token: HTTP status 500$/,
    },
    { name: "no token", answer: { body: {} }, want: /oauth2: server response missing access_token$/ },
    { name: "no JSON", answer: { body: "<html>" }, want: /oauth2: cannot parse the token server's answer$/ },
  ]) {
    it(`says what went wrong: ${name}`, async () => {
      const { sent } = await oauth2({}, () => answer);
      await assert.rejects(sent, want);
    });
  }

  it("gives up on a server that does not answer, and asks again for the next request", async () => {
    let answer: (answer: TokenAnswer) => void = () => {};
    const silence = new Promise<TokenAnswer>((resolve) => (answer = resolve));
    const { sent, host, asked } = await oauth2({ timeout: "3s" }, (_asked, count) =>
      count === 1 ? silence : token(count),
    );
    const failed = assert.rejects(sent, /no answer in time/);
    while (asked.length === 0) await new Promise(setImmediate);
    host.advance(3_000);
    await failed;
    assert.equal(await sent(), "Bearer token-2");
    answer(token(1));
  });

  it("says that a parameter of the grant cannot be overwritten", async () => {
    const { sent } = await oauth2({ scopes: ["a"], endpoint_params: { scope: ["b"] } });
    await assert.rejects(sent, /oauth2: cannot overwrite parameter "scope"/);
  });
});

describe("a token that is refused", () => {
  it("is got anew once, unless it has only just come", async () => {
    const { authenticator, host, asked } = await oauth2();
    const accepted = new Set(["Bearer token-2"]);
    const judge = {
      authenticate: ({ values }: { values(name: string): readonly string[] }): AuthVerdict =>
        accepted.has(values("authorization")[0] ?? "") ? { accepted: true } : { accepted: false, reason: "revoked" },
    };
    const send = await clients(await servers(judge as object), authenticator);
    assert.equal((await send()).http[0], 401);
    assert.equal(asked.length, 1);
    host.advance(10_000);
    assert.deepEqual(await send(), ok);
    assert.equal(asked.length, 2);
  });
});

describe("the grant with an assertion", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";

  it("sends one that is signed with the client's key", async () => {
    const { sent, asked, host } = await oauth2({
      grant_type: grant,
      client_certificate_key: pem,
      client_certificate_key_id: "k1",
      signature_algorithm: "RS384",
      scopes: ["a"],
      audience: "aud",
      claims: { role: "writer" },
    });
    assert.equal(await sent(), "Bearer token-1");
    const { form, headers } = asked[0] as (typeof asked)[0];
    assert.deepEqual([headers.authorization, form.get("grant_type"), form.get("scope")], [undefined, grant, "a"]);
    const [head = "", claims = "", signature = ""] = (form.get("assertion") ?? "").split(".");
    assert.ok(createVerify("sha384").update(`${head}.${claims}`).verify(publicKey, signature, "base64url"));
    const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
    assert.deepEqual(read(head), { alg: "RS384", typ: "JWT", kid: "k1" });
    const { jti, ...others } = read(claims);
    assert.match(jti, /^[0-9a-f-]{36}$/);
    const issued = host.clock.nowMs() / 1_000;
    const want = { iss: "id", sub: "id", aud: "aud", iat: issued, exp: issued + 1_800, scope: "a", role: "writer" };
    assert.deepEqual(others, want);
  });

  it("says when the key is none", async () => {
    const { sent } = await oauth2({ grant_type: grant, client_certificate_key: "no key" });
    await assert.rejects(sent, /failed to get security token/);
  });
});

describe("settings of oauth2client", () => {
  const whole = { client_id: "i", client_secret: "s", token_url: "https://t" };
  for (const { settings, want } of [
    {
      settings: {},
      want: [
        "client_id: no ClientID provided in the OAuth2 exporter configuration",
        "token_url: no TokenURL provided in OAuth Client Credentials configuration",
        "client_secret: no ClientSecret provided in OAuth Client Credentials configuration",
      ],
    },
    { settings: { ...whole, grant_type: "password" }, want: ['grant_type: unknown grant type "password"'] },
    {
      settings: { ...whole, grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer" },
      want: ["client_certificate_key: no ClientCertificateKey provided in the OAuth2 exporter configuration"],
    },
    {
      settings: { ...whole, token_url: "t" },
      want: ["token_url: token_url is not a URL: use a form such as https://login.example.com/token"],
    },
  ]) {
    it(`${JSON.stringify(settings)} are refused`, async () => {
      assert.deepEqual(await problemsOf("oauth2client", settings), want);
    });
  }
});
