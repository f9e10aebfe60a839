import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { mostAttempts, timeoutMs } from "../../../exporters/graphistry/rest/client.ts";
import { eventually } from "../../support/turns.ts";
import { byPassword, closeAll, someSpans, start } from "./upload_support.ts";

afterEach(closeAll);

describe("an upload that meets trouble", () => {
  for (const { name, failure } of [
    {
      name: "429",
      failure: { status: 429, body: { detail: "Request was throttled." }, headers: { "retry-after": "7" } },
    },
    { name: "500 with a page", failure: { status: 500, body: "<!doctype html><h1>Server Error</h1>" } },
    { name: "503", failure: { status: 503 } },
    { name: "a connection that is cut", failure: { cut: true as const } },
  ]) {
    for (const route of ["POST /api-token-auth/", "POST /api/v2/files/", "POST /api/v2/share/link/"]) {
      it(`tries again after ${name} to ${route}`, async () => {
        const { server, consume, drain, lines } = await start();
        server.fail(route, failure, failure);
        consume(someSpans);
        await drain();
        const [dataset] = server.storage.datasets.values();
        assert.equal(dataset?.share?.["mode"], "private");
        assert.equal(server.storage.datasets.size, 1);
        const retries = lines("info").filter(({ message }) => message.includes("will retry"));
        assert.equal(retries.length, 2);
        assert.deepEqual(server.leaks, []);
      });
    }
  }

  it("waits as long as the server wants", async () => {
    const { server, host, consume, drain, lines } = await start();
    server.fail("POST /api-token-auth/", { status: 429, headers: { "retry-after": "17" } });
    consume(someSpans);
    const beganMs = host.clock.monotonicMs();
    await drain();
    assert.ok(host.clock.monotonicMs() - beganMs >= 17_000);
    assert.equal(lines("info")[0]?.fields["delayMs"], 17_000);
  });

  it("gives up after a number of attempts, and tries again with the next interval", async () => {
    const { server, host, consume, lines, interval } = await start();
    server.fail(
      "POST /api/v2/files/",
      ...Array.from({ length: mostAttempts }, () => ({ status: 502, body: "<h1>Bad</h1>" })),
    );
    consume(someSpans);
    await interval();
    assert.equal(lines("error").length, 1);
    assert.equal(
      lines("error")[0]?.fields["error"],
      "Graphistry answered 502 to the creation of the edges file (text/html)",
    );
    assert.equal(host.metric("otelpipe_exporter_graphistry_uploads", { outcome: "failure" }), 1);
    await interval();
    assert.equal(server.storage.datasets.size, 1);
    assert.equal(host.metric("otelpipe_exporter_graphistry_uploads", { outcome: "success" }), 1);
  });

  it("gives up on an answer that does not come in time, and tries again", async () => {
    const { server, host, consume, exporter } = await start();
    server.fail("POST /api/v2/files/", { silence: true });
    consume(someSpans);
    const drained = exporter.drain(Number.POSITIVE_INFINITY);
    await eventually(() => server.lines().length === 2);
    host.advance(timeoutMs);
    await drained;
    assert.equal(server.storage.datasets.size, 1);
    assert.match(String(host.logs[1]?.fields["error"]), /creation of the edges file: no answer within 60s/);
  });

  // Scenario: the dataset is created, but the answer is lost. A second one would leave the first one open to everybody.
  it("finds the dataset again that was created without an answer", async () => {
    const { server, consume, drain } = await start();
    server.fail("POST /api/v2/upload/datasets/", { cut: true });
    consume(someSpans);
    await drain();
    assert.equal(server.storage.datasets.size, 1);
    const [dataset] = server.storage.datasets.values();
    assert.equal(dataset?.share?.["mode"], "private");
    assert.ok(server.lines().includes("GET /api/v2/datasets/ 200"));
  });

  for (const { sharing, status } of [
    { sharing: "absent" as const, status: 404 },
    { sharing: "forbidden" as const, status: 403 },
  ]) {
    it(`leaves nothing behind when the graph cannot be made private: ${status}`, async () => {
      const { server, exporter, consume, drain, lines } = await start({ sharing });
      consume(someSpans);
      await drain();
      assert.equal(server.storage.datasets.size, 0);
      assert.equal(server.storage.files.size, 0);
      assert.equal(exporter.viewerUrl, undefined);
      assert.match(String(lines("error")[0]?.fields["error"]), new RegExp(`answered ${status} to the privacy`));
    });
  }

  // Scenario: the service stops, or runs out of time, while the server is asked to make the dataset private.
  // Guarantees: no graph is left that whoever has its link may open.
  it("leaves nothing behind when it is stopped before the graph is private", async () => {
    const { server, exporter, consume } = await start();
    server.fail("POST /api/v2/share/link/", { silence: true });
    consume(someSpans);
    const drained = exporter.drain(Number.POSITIVE_INFINITY);
    await eventually(
      () => server.storage.datasets.size === 1 && server.lines().at(-1)?.includes("share/link") === true,
    );
    await exporter.stop();
    await drained;
    assert.equal(server.storage.datasets.size, 0);
    assert.equal(server.storage.files.size, 0);
  });

  it("does not try a file again that the server cannot read", async () => {
    const { server, consume, drain, lines } = await start();
    const answer = { file_id: "f", is_valid: false, is_uploaded: false, errors: ["cannot parse"] };
    server.fail("POST /api/v2/upload/files/file00000001", { status: 200, body: answer });
    consume(someSpans);
    await drain();
    assert.match(String(lines("error")[0]?.fields["error"]), /could not read the edges file: \["cannot parse"\]/);
    assert.equal(server.storage.files.size, 0);
  });

  for (const { name, route, body, want } of [
    { name: "a login without a token", route: "POST /api-token-auth/", body: {}, want: /the login without a token/ },
    { name: "a file without an id", route: "POST /api/v2/files/", body: { name: "x" }, want: /without a file_id/ },
    {
      name: "a dataset that is no success",
      route: "POST /api/v2/upload/datasets/",
      body: { success: false, message: "no such column" },
      want: /without success and a dataset_id: no such column/,
    },
    {
      name: "a share that is no success",
      route: "POST /api/v2/share/link/",
      body: { status: "ERR", message: "not yours" },
      want: /without status OK: not yours/,
    },
  ]) {
    it(`is told ${name}`, async () => {
      const { server, consume, drain, lines } = await start();
      server.fail(route, { status: 200, body });
      consume(someSpans);
      await drain();
      assert.match(String(lines("error")[0]?.fields["error"]), want);
      assert.equal(server.storage.datasets.size, 0);
    });
  }

  it("follows no redirect: it would carry the password elsewhere", async () => {
    const { server, consume, drain, lines } = await start();
    server.fail("POST /api-token-auth/", { status: 307, headers: { location: "/api/v2/auth/token/generate" } });
    consume(someSpans);
    await drain();
    assert.deepEqual(server.lines(), ["POST /api-token-auth/ 307"]);
    assert.match(String(lines("error")[0]?.fields["error"]), /redirects, which is not followed/);
  });

  const files = "POST /api/v2/files/";
  const { password } = byPassword;
  for (const { name, route, status, body } of [
    { name: "by itself", route: files, status: 400, body: { detail: `no ${password} here` } },
    { name: "before another attempt", route: files, status: 500, body: { detail: password } },
    { name: "where its words are cut", route: files, status: 400, body: { detail: `${"x".repeat(190)}${password}` } },
    { name: "in a list", route: files, status: 400, body: { errors: [password] } },
    {
      name: "in a success that is none",
      route: "POST /api/v2/share/link/",
      status: 200,
      body: { status: "ERR", message: password },
    },
  ]) {
    it(`never tells a secret that the server says ${name}`, async () => {
      const { server, host, consume, drain } = await start();
      server.fail(route, { status, body });
      consume(someSpans);
      await drain();
      const logs = JSON.stringify(host.logs);
      assert.match(logs, /\[REDACTED/);
      assert.ok(!logs.includes(password.slice(0, 8)));
    });
  }

  it("shows no token in what it logs", async () => {
    const { server, host, consume, drain } = await start();
    consume(someSpans);
    await drain();
    assert.equal(server.tokens.length, 1);
    for (const token of server.tokens) assert.ok(!JSON.stringify(host.logs).includes(token));
  });

  it("says where no server is", async () => {
    const { server, consume, drain, lines } = await start();
    await server.stop();
    consume(someSpans);
    await drain();
    const want = `Graphistry at ${server.url} could not be asked for the login: ECONNREFUSED`;
    assert.equal(lines("error")[0]?.fields["error"], want);
  });
});
