import assert from "node:assert/strict";
import { mkdtempSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ClientAuthenticator, ServerAuthenticator } from "../../../pipeline/net/auth.ts";
import { arrived, build, clients, ok, problemsOf, refused, servers, start } from "../authenticators.ts";

const folder = mkdtempSync(join(tmpdir(), "otelpipe-bearer-"));
const doesNotMatch = "provided authorization does not match expected scheme or token";

function shown(authorization: string) {
  return { values: (name: string) => (name === "Authorization" ? [authorization] : []) };
}

function sentBy(extension: unknown) {
  const request = { transport: "http", target: "", headers: {}, body: Buffer.alloc(0) } as const;
  return (extension as ClientAuthenticator).authorize(request);
}

describe("a server with bearertokenauth", () => {
  for (const { name, settings, headers, want } of [
    { name: "takes the token", settings: { token: "t" }, headers: { authorization: "Bearer t" }, want: ok },
    {
      name: "refuses another token",
      settings: { token: "t" },
      headers: { authorization: "Bearer T" },
      want: refused(doesNotMatch),
    },
    {
      name: "wants the scheme as it is written",
      settings: { token: "t" },
      headers: { authorization: "bearer t" },
      want: refused(doesNotMatch),
    },
    {
      name: "refuses who shows nothing",
      settings: { token: "t" },
      headers: {},
      want: refused("missing or empty authorization header: Authorization"),
    },
    {
      name: "takes each of several tokens",
      settings: { tokens: ["a", "b"] },
      headers: { authorization: "Bearer b" },
      want: ok,
    },
    {
      name: "takes a token alone in a header of its own",
      settings: { header: "X-API-Key", scheme: "", token: "t" },
      headers: { "x-api-key": "t" },
      want: ok,
    },
  ]) {
    it(name, async () => {
      const { extension } = await start("bearertokenauth", settings);
      const send = await clients(await servers(extension), undefined, headers as Record<string, string>);
      assert.deepEqual(await send(), want);
    });
  }
});

describe("a client with bearertokenauth", () => {
  it("sends the token", async () => {
    const { extension } = await start("bearertokenauth", { token: "t" });
    const server = await servers(extension);
    assert.deepEqual(await (await clients(server, extension as unknown as ClientAuthenticator))(), ok);
  });

  it("sends the first of several, in the header and with the scheme that are set", async () => {
    const { extension } = await start("bearertokenauth", { header: "X-Key", scheme: "Key", tokens: ["a", "b"] });
    const server = await servers();
    assert.deepEqual(await (await clients(server, extension as unknown as ClientAuthenticator))(), ok);
    assert.deepEqual(arrived(server, "x-key"), ["Key a", "Key a"]);
  });
});

describe("a file of tokens", () => {
  // Scenario: Kubernetes replaces a mounted secret by swinging a link over to another folder.
  it("is read again when another one is in its place", async () => {
    const [link, first, second] = ["link", "first", "second"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(first, "old  of last year\n\n  older\n");
    writeFileSync(second, "new\nold");
    symlinkSync(first, link);
    const { extension, host } = await start("bearertokenauth", { filename: link });
    const authenticator = extension as unknown as ServerAuthenticator;
    const accepts = async (token: string) => (await authenticator.authenticate(shown(`Bearer ${token}`))).accepted;
    assert.deepEqual(sentBy(extension), { authorization: "Bearer old" });
    assert.deepEqual(await Promise.all(["old", "older", "of", "new"].map(accepts)), [true, true, false, false]);
    symlinkSync(second, `${link}.next`);
    renameSync(`${link}.next`, link);
    host.advance(1_000);
    assert.deepEqual(await Promise.all(["old", "older", "new"].map(accepts)), [true, false, true]);
    assert.deepEqual(sentBy(extension), { authorization: "Bearer new" });
    assert.deepEqual(
      host.logs.map(({ level, message }) => [level, message]),
      [["info", "refresh token"]],
    );
  });

  it("that is not there yet lets nobody in and makes clients wait, until it is there", async () => {
    const filename = join(folder, "late");
    const { extension, host } = await start("bearertokenauth", { filename });
    assert.equal(host.logs[0]?.level, "error");
    const authenticator = extension as unknown as ServerAuthenticator;
    assert.equal((await authenticator.authenticate(shown("Bearer "))).accepted, false);
    assert.throws(() => sentBy(extension), /no token in .*late yet/);
    writeFileSync(filename, "t");
    host.advance(1_000);
    assert.deepEqual(sentBy(extension), { authorization: "Bearer t" });
  });

  it("wins over a token and not over tokens", async () => {
    const filename = join(folder, "wins");
    writeFileSync(filename, "from-file");
    const one = await start("bearertokenauth", { filename, token: "t" });
    assert.deepEqual(sentBy(one.extension), { authorization: "Bearer from-file" });
    assert.match(one.host.logs[0]?.message ?? "", /Configured token\(s\) is ignored/);
    const several = await start("bearertokenauth", { filename, tokens: ["t"] });
    assert.deepEqual(sentBy(several.extension), { authorization: "Bearer t" });
  });

  const waiting = (filename: string, retries: number) => ({
    filename,
    wait_for_token_file: true,
    retry_on_failure: { enabled: true, max_retries: retries, interval: "2s" },
  });

  it("is waited for when that is wanted", async () => {
    const filename = join(folder, "awaited");
    const { extension, host } = await build("bearertokenauth", waiting(filename, 0));
    let isStarted = false;
    const started = extension.start?.().then(() => (isStarted = true));
    for (let turn = 0; turn < 3; turn++) {
      host.advance(2_000);
      await new Promise(setImmediate);
    }
    assert.equal(isStarted, false);
    writeFileSync(filename, "t");
    host.advance(2_000);
    await started;
    assert.deepEqual(sentBy(extension), { authorization: "Bearer t" });
  });

  it("that never comes fails the start after the last retry", async () => {
    const { extension, host } = await build("bearertokenauth", waiting(join(folder, "never"), 2));
    const failed = assert.rejects(
      async () => extension.start?.(),
      /failed to read credentials file ".*never" after reaching out max number of retries/,
    );
    for (let turn = 0; turn < 3; turn++) {
      await new Promise(setImmediate);
      host.advance(2_000);
    }
    await failed;
  });

  it("is not waited for any more when stopped", async () => {
    const { extension, host } = await build("bearertokenauth", waiting(join(folder, "nowhere"), 0));
    const started = extension.start?.();
    await extension.stop?.();
    await started;
    assert.equal(host.clock.pendingTimers, 0);
  });
});

describe("settings of bearertokenauth", () => {
  for (const { settings, want } of [
    { settings: {}, want: [": no bearer token provided"] },
    {
      settings: { token: "a", tokens: ["b"] },
      want: ["tokens: either tokens or token should be provided, not both"],
    },
    {
      settings: { filename: "f", wait_for_token_file: true },
      want: ["wait_for_token_file: wait_for_token_file requires retry_on_failure to be enabled"],
    },
    {
      settings: { token: "t", retry_on_failure: { enabled: true } },
      want: [
        "retry_on_failure: requires filename to be set",
        "retry_on_failure.interval: retry_on_failure.interval must be greater than 0 when retry_on_failure.enabled is true",
      ],
    },
  ]) {
    it(`${JSON.stringify(settings)} are refused`, async () => {
      assert.deepEqual(await problemsOf("bearertokenauth", settings), want);
    });
  }
});
