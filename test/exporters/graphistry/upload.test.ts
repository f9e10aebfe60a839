import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { nodeHex } from "./support.ts";
import { byKey, byPassword, closeAll, someSpans, start } from "./upload_support.ts";

afterEach(closeAll);

const uploadLines = [
  "POST /api/v2/files/ 200",
  "POST /api/v2/upload/files/file00000001 200",
  "POST /api/v2/files/ 200",
  "POST /api/v2/upload/files/file00000002 200",
  "POST /api/v2/upload/datasets/ 201",
  "POST /api/v2/share/link/ 200",
];

describe("an upload to Graphistry", () => {
  it("logs in by password, sends both tables and makes the graph private", async () => {
    const { server, exporter, consume, drain, lines } = await start();
    assert.deepEqual(consume(someSpans), ["ack"]);
    assert.equal(exporter.viewerUrl, undefined);
    await drain();
    assert.deepEqual(server.lines(), ["POST /api-token-auth/ 200", ...uploadLines]);
    const [dataset] = server.storage.datasets.values();
    assert.ok(dataset !== undefined);
    assert.deepEqual(dataset.warnings, []);
    assert.deepEqual(dataset.share, {
      obj_pk: dataset.id,
      obj_type: "dataset",
      mode: "private",
      notify: false,
      invited_users: [],
      mode_action: "10",
      message: "",
    });
    assert.equal(
      exporter.viewerUrl,
      `${server.url}/graph/graph.html?dataset=${dataset.id}&type=arrow&play=0&lockedX=true&lockedY=true`,
    );
    assert.equal((await fetch(exporter.viewerUrl)).status, 200);
    assert.equal(lines("info").at(-1)?.fields["url"], exporter.viewerUrl);
    assert.deepEqual(lines("error"), []);
  });

  it("sends what the dashboard shows: every span and every edge", async () => {
    const { server, exporter, consume, drain } = await start();
    consume([...someSpans, { id: 3, parent: 2 }, { trace: 2, id: 1 }]);
    await drain();
    const [edges, nodes] = [...server.storage.files.values()].map(({ arrow }) => arrow?.table);
    const { nodes: shown, edges: joined } = await exporter.snapshot();
    assert.deepEqual(
      nodes?.toArray().map((row) => [row.node_id, row.name, row.status, row.duration_ms]),
      shown.map(({ id, label, status, durationMs }) => [id, label, status, durationMs]),
    );
    assert.deepEqual(
      edges?.toArray().map((row) => [row.source, row.destination]),
      joined.map(({ source, target }) => [source, target]),
    );
    assert.equal(edges?.numRows, 2);
    assert.equal(shown[1]?.id, nodeHex(1, 2));
  });

  it("binds and colours as the notebook does", async () => {
    const { server, consume, drain } = await start();
    consume(someSpans);
    await drain();
    const [dataset] = server.storage.datasets.values();
    assert.ok(dataset !== undefined);
    const { node_encodings, edge_encodings, metadata, name } = dataset.body as Record<string, Record<string, unknown>>;
    assert.deepEqual(node_encodings?.["bindings"], {
      node: "node_id",
      node_title: "name",
      node_size: "duration_ms",
      node_x: "x",
      node_y: "y",
    });
    assert.deepEqual(edge_encodings?.["bindings"], {
      source: "source",
      destination: "destination",
      edge_title: "trace_id",
    });
    assert.match(JSON.stringify(node_encodings), /"fixed":\{"OK":"#4CAF50","ERROR":"#F44336","UNSET":"#9E9E9E"\}/);
    assert.deepEqual(metadata, { agent: "otelpipe", agentversion: "0.0.0-test", apiversion: "3" });
    assert.match(String(name), /^otelpipe traces 2026-01-01 00:00:00 [0-9a-f]{8}$/);
  });

  it("logs in by personal key", async () => {
    const { server, consume, drain } = await start({}, byKey);
    consume(someSpans);
    await drain();
    assert.deepEqual(server.lines(), ["POST /api/v2/auth/pkey/jwt/ 200", ...uploadLines]);
    assert.equal(server.conversation[0]?.authorization, "PersonalKey");
  });

  it("logs in by personal key to a server that knows this as a GET only", async () => {
    const { server, consume, drain } = await start({ personalKeyByGetOnly: true }, byKey);
    consume(someSpans);
    await drain();
    const [first, second] = server.lines();
    assert.deepEqual([first, second], ["POST /api/v2/auth/pkey/jwt/ 405", "GET /api/v2/auth/pkey/jwt/ 200"]);
    assert.equal(server.storage.datasets.size, 1);
  });

  // Scenario: that GET cannot name the organization, so the login answers with the account's own.
  it("chooses its organization on such a server too", async () => {
    const { server, consume, drain } = await start({ personalKeyByGetOnly: true }, { ...byKey, org_name: "research" });
    consume(someSpans);
    await drain();
    assert.equal(server.lines()[2], "POST /api/v2/o/research/switch/ 200");
    const [dataset] = server.storage.datasets.values();
    assert.equal(dataset?.body["org_name"], "research");
  });

  it("works for an organization", async () => {
    const { server, consume, drain } = await start({}, { ...byPassword, org_name: "research" });
    consume(someSpans);
    await drain();
    assert.equal(server.lines()[1], "POST /api/v2/o/research/switch/ 200");
    const owned = [...server.storage.files.values()].map(({ fields }) => fields["org_name"]);
    assert.deepEqual(owned, ["research", "research"]);
    const [dataset] = server.storage.datasets.values();
    assert.equal(dataset?.body["org_name"], "research");
  });

  for (const { organization, want } of [
    { organization: "nowhere", want: /no organization "nowhere" for this account: check org_name/ },
    { organization: "elsewhere", want: /not a member of the organization "elsewhere"/ },
  ]) {
    it(`does not upload as someone else when ${organization} is not its organization`, async () => {
      const { server, consume, drain, lines } = await start({}, { ...byPassword, org_name: organization });
      consume(someSpans);
      await drain();
      assert.deepEqual(server.lines(), ["POST /api-token-auth/ 200"]);
      assert.match(String(lines("error")[0]?.fields["error"]), want);
    });
  }

  it("shares as it is told", async () => {
    const privacy = {
      mode: "organization",
      invited_users: ["bob@example.org"],
      can_edit: true,
      notify: true,
      message: "Hi",
    };
    const { server, consume, drain } = await start({}, { ...byPassword, privacy });
    consume(someSpans);
    await drain();
    const [dataset] = server.storage.datasets.values();
    assert.deepEqual(dataset?.share, {
      obj_pk: dataset?.id,
      obj_type: "dataset",
      mode: "organization",
      notify: true,
      invited_users: [{ email: "bob@example.org", action: "20" }],
      mode_action: "20",
      message: "Hi",
    });
  });

  it("renews its token before the next upload", async () => {
    const { server, consume, drain, interval } = await start();
    consume(someSpans);
    await interval();
    consume([{ id: 3, parent: 1 }]);
    await drain();
    const [login, ...rest] = server.lines();
    assert.equal(login, "POST /api-token-auth/ 200");
    assert.equal(rest[6], "POST /api/v2/auth/token/refresh 200");
    assert.equal(server.storage.datasets.size, 2);
    assert.equal(server.lines().filter((line) => line.includes("auth/ ")).length, 1);
  });

  it("logs in again when its token has run out between uploads", async () => {
    let nowMs = 0;
    const { server, consume, drain, interval } = await start({ nowMs: () => nowMs });
    consume(someSpans);
    await interval();
    nowMs += 2 * 3600_000;
    consume([{ id: 3, parent: 1 }]);
    await drain();
    assert.deepEqual(server.lines().slice(7, 9), ["POST /api/v2/auth/token/refresh 400", "POST /api-token-auth/ 200"]);
    assert.equal(server.storage.datasets.size, 2);
  });

  // Scenario: the token runs out in the middle of an upload.
  // Guarantees: a renewal is tried, then a login; the upload goes on where it was.
  it("goes on after its token has run out on the way", async () => {
    let nowMs = 0;
    const { server, consume, drain } = await start({ nowMs: () => (nowMs += 1000), tokenLifetimeMs: 3500 });
    consume(someSpans);
    await drain();
    assert.equal(server.storage.datasets.size, 1);
    assert.equal(server.storage.files.size, 2);
    assert.ok(server.lines().some((line) => line.endsWith(" 401")));
    assert.ok(server.lines().includes("POST /api/v2/auth/token/refresh 400"));
    assert.ok(server.lines().filter((line) => line === "POST /api-token-auth/ 200").length > 1);
  });

  it("gives up when the server takes not even a fresh token", async () => {
    const { server, consume, drain, lines } = await start({ tokenLifetimeMs: -1 });
    consume(someSpans);
    await drain();
    assert.deepEqual(server.lines(), [
      "POST /api-token-auth/ 200",
      "POST /api/v2/files/ 401",
      "POST /api/v2/auth/token/refresh 400",
      "POST /api-token-auth/ 200",
      "POST /api/v2/files/ 401",
    ]);
    assert.match(
      String(lines("error")[0]?.fields["error"]),
      /401 to the creation of the edges file right after a login/,
    );
  });

  it("names a wrong password for what it is, without showing it, and asks once", async () => {
    const { server, exporter, consume, drain, lines } = await start({}, { ...byPassword, password: "hunter2-hunter2" });
    assert.deepEqual(consume(someSpans), ["ack"]);
    await drain();
    assert.deepEqual(server.lines(), ["POST /api-token-auth/ 400"]);
    const [error] = lines("error");
    assert.equal(
      error?.fields["error"],
      'Graphistry answered 400 to the login: ["Unable to log in with provided credentials."]',
    );
    assert.deepEqual(exporter.facts().at(-1), { label: "", text: "upload failed" });
    assert.equal((await exporter.snapshot()).nodes.length, 2);
  });
});
