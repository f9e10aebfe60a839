import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Table, tableFromArrays, tableToIPC, Utf8, vectorFromArray } from "apache-arrow";
import { demoAccount, GraphistryServer } from "../../support/graphistry_server/server.ts";

/** The stand-in is only worth something when it refuses what the real server refuses. */
let server: GraphistryServer;
let nowMs = 0;
let token = "";

before(async () => {
  server = await GraphistryServer.start({ nowMs: () => nowMs });
  const { username, password } = demoAccount;
  const { body } = await post("/api-token-auth/", { username, password }, {});
  token = String(body.token);
});

after(() => server.stop());

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of any shape are looked into
  readonly body: any;
}

async function send(method: string, path: string, headers: Record<string, string>, body?: BodyInit): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, { method, headers, ...(body !== undefined && { body }) });
  const text = await response.text();
  const isJson = response.headers.get("content-type") === "application/json";
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
}

const bearer = () => ({ authorization: `Bearer ${token}` });

async function post(path: string, body: object, headers: Record<string, string> = bearer()): Promise<Answer> {
  return await send("POST", path, { "content-type": "application/json", ...headers }, JSON.stringify(body));
}

const edgeTable = new Table({
  source: vectorFromArray(["a"], new Utf8()),
  destination: vectorFromArray(["b"], new Utf8()),
});

async function upload(bytes: Uint8Array): Promise<{ id: string; answer: Answer }> {
  const { body } = await post("/api/v2/files/", { file_type: "arrow", name: "t" });
  const path = `/api/v2/upload/files/${body.file_id}?erase=true`;
  return { id: body.file_id, answer: await send("POST", path, bearer(), new Uint8Array(bytes)) };
}

describe("the stand-in's logins", () => {
  it("answer a token and the organization", async () => {
    const { username, password } = demoAccount;
    const { status, body } = await post(
      "/api/v2/auth/token/generate",
      { username, password, org_name: "research" },
      {},
    );
    assert.equal(status, 200);
    assert.deepEqual(body.active_organization, { slug: "research", is_found: true, is_member: true });
    assert.equal(body.token.split(".").length, 3);
  });

  it("want fields, a right password, JSON, the final slash", async () => {
    assert.equal((await post("/api-token-auth/", { username: "ada" }, {})).status, 400);
    assert.equal((await post("/api-token-auth/", { username: "ada", password: "no" }, {})).status, 400);
    assert.equal((await send("POST", "/api-token-auth/", {}, "username=ada")).status, 415);
    assert.equal((await post("/api-token-auth", { username: "ada", password: "no" }, {})).status, 404);
    assert.equal((await send("GET", "/api-token-auth/", {})).status, 405);
  });

  it("take a personal key in its exact form", async () => {
    const right = `PersonalKey KEY1:${demoAccount.keys["KEY1"]}`;
    const wrong = [undefined, "PersonalKey KEY1:no", `personalkey KEY1:${demoAccount.keys["KEY1"]}`, "Bearer x"];
    assert.equal((await post("/api/v2/auth/pkey/jwt/", {}, { authorization: right })).status, 200);
    for (const authorization of wrong) {
      const headers = authorization === undefined ? {} : { authorization };
      assert.equal((await post("/api/v2/auth/pkey/jwt/", {}, headers)).status, 401);
    }
  });

  it("renew a token that is alive, for a day", async () => {
    const { username, password } = demoAccount;
    let latest = (await post("/api-token-auth/", { username, password }, {})).body.token;
    const beganMs = nowMs;
    for (let hour = 0; hour < 23; hour++) {
      nowMs += 3000_000;
      latest = (await post("/api/v2/auth/token/refresh", { token: latest }, {})).body.token;
      assert.ok(latest !== undefined);
    }
    assert.equal((await post("/api-token-verify/", { token: latest }, {})).status, 200);
    nowMs = beganMs + 24 * 3600_000;
    const { status, body } = await post("/api/v2/auth/token/refresh", { token: latest }, {});
    assert.deepEqual([status, body], [400, { non_field_errors: ["Token has expired."] }]);
    assert.equal((await post("/api-token-verify/", { token: latest }, {})).status, 400);
    nowMs = beganMs;
  });

  it("are needed for everything else", async () => {
    assert.equal((await post("/api/v2/files/", { file_type: "arrow" }, {})).status, 401);
    assert.equal((await post("/api/v2/files/", { file_type: "arrow" }, { authorization: "Bearer x.y.z" })).status, 401);
  });

  it("choose an organization by a form, of one's own", async () => {
    const form = { ...bearer(), "content-type": "application/x-www-form-urlencoded" };
    assert.equal((await send("POST", "/api/v2/o/research/switch/", form, "slug=research")).body.status, "OK");
    assert.equal((await send("POST", "/api/v2/o/research/switch/", form, "slug=other")).status, 400);
    assert.equal((await send("POST", "/api/v2/o/elsewhere/switch/", form, "slug=elsewhere")).status, 403);
    assert.equal((await post("/api/v2/o/research/switch/", { slug: "research" })).status, 400);
  });
});

describe("the stand-in's files", () => {
  it("are Arrow IPC files with plain columns", async () => {
    const { answer } = await upload(tableToIPC(edgeTable, "file"));
    assert.equal(answer.body.is_valid, true);
    assert.deepEqual(answer.body.tables_schemas[0].dtypes, { source: "Utf8", destination: "Utf8" });
  });

  for (const { name, bytes } of [
    { name: "the stream form", bytes: tableToIPC(edgeTable, "stream") },
    { name: "a file cut short", bytes: tableToIPC(edgeTable, "file").subarray(0, -7) },
    { name: "no bytes at all", bytes: new Uint8Array() },
    { name: "another format", bytes: Buffer.from("source,destination\na,b\n") },
    { name: "dictionary columns", bytes: tableToIPC(tableFromArrays({ source: ["a"], destination: ["b"] }), "file") },
  ]) {
    it(`are not ${name}`, async () => {
      const { answer } = await upload(bytes);
      assert.deepEqual([answer.status, answer.body.is_valid, answer.body.is_uploaded], [200, false, false]);
      assert.equal(answer.body.errors.length, 1);
    });
  }

  it("are of a known type, sent as they are", async () => {
    assert.equal((await post("/api/v2/files/", { file_type: "docx" })).status, 400);
    assert.equal((await post("/api/v2/files/", { file_type: "arrow", file_compression: "rar" })).status, 400);
    assert.equal((await post("/api/v2/files/", { file_type: "arrow", org_name: "elsewhere" })).status, 403);
    assert.equal((await post("/api/v2/files", { file_type: "arrow" })).status, 404);
    const { body } = await post("/api/v2/files/", { file_type: "arrow" });
    const path = `/api/v2/upload/files/${body.file_id}`;
    const multipart = { ...bearer(), "content-type": "multipart/form-data; boundary=x" };
    assert.equal((await send("POST", path, multipart, "--x--")).status, 415);
    assert.equal((await send("POST", `${path}/`, bearer(), "")).status, 404);
    assert.equal((await send("POST", "/api/v2/upload/files/nothing", bearer(), "")).status, 404);
  });

  it("can be deleted, once", async () => {
    const { id } = await upload(tableToIPC(edgeTable, "file"));
    assert.equal((await send("DELETE", `/api/v2/files/${id}`, bearer())).status, 204);
    assert.equal((await send("DELETE", `/api/v2/files/${id}`, bearer())).status, 404);
  });
});

const color = {
  graphType: "point",
  encodingType: "color",
  attribute: "status",
  variation: "categorical",
  mapping: { categorical: { fixed: { OK: "#4CAF50" } } },
};

describe("the stand-in's datasets", () => {
  let edges = "";
  let nodes = "";

  before(async () => {
    edges = (await upload(tableToIPC(edgeTable, "file"))).id;
    const texts = (values: string[]) => vectorFromArray(values, new Utf8());
    const table = new Table({
      id: texts(["a", "b"]),
      status: texts(["OK", "OK"]),
      size: vectorFromArray([1, 2]),
      number: vectorFromArray([1, 2]),
    });
    nodes = (await upload(tableToIPC(table, "file"))).id;
  });

  const dataset = (changes: object = {}) => ({
    name: "graph",
    metadata: {},
    edge_files: [edges],
    node_files: [nodes],
    edge_encodings: { bindings: { source: "source", destination: "destination" } },
    node_encodings: {
      bindings: { node: "id", node_size: "size" },
      complex: { default: { pointColorEncoding: color } },
    },
    ...changes,
  });

  it("are taken when all fits", async () => {
    const { status, body } = await post("/api/v2/upload/datasets/", dataset());
    assert.deepEqual([status, body.success], [201, true]);
    assert.deepEqual(server.storage.datasets.get(body.data.dataset_id)?.warnings, []);
  });

  const nodeEncodings = (bindings: object, complex?: object) => ({
    node_encodings: { bindings: { node: "id", ...bindings }, ...(complex !== undefined && { complex }) },
  });
  for (const { name, changes } of [
    { name: "without a name", changes: { name: undefined } },
    { name: "without metadata", changes: { metadata: undefined } },
    { name: "without bindings of nodes", changes: { node_encodings: {} } },
    { name: "with an empty list of edges", changes: { edge_files: [] } },
    { name: "with a file that is not there", changes: { edge_files: ["nothing"] } },
    { name: "without a source", changes: { edge_encodings: { bindings: { destination: "destination" } } } },
    {
      name: "with a source that is no column",
      changes: { edge_encodings: { bindings: { source: "no", destination: "destination" } } },
    },
    { name: "with a binding to no column", changes: nodeEncodings({ node_title: "no" }) },
    { name: "with an unknown binding", changes: nodeEncodings({ node_colour: "status" }) },
    { name: "with texts as sizes", changes: nodeEncodings({ node_size: "status" }) },
    { name: "with an encoding of no kind", changes: nodeEncodings({}, { default: { nodeColorEncoding: color } }) },
    {
      name: "with an encoding of edges for nodes",
      changes: nodeEncodings({}, { default: { edgeColorEncoding: color } }),
    },
    { name: "with an encoding in no mode", changes: nodeEncodings({}, { always: { pointColorEncoding: color } }) },
    {
      name: "with an encoding by no column",
      changes: nodeEncodings({}, { default: { pointColorEncoding: { ...color, attribute: "no" } } }),
    },
    {
      name: "with an encoding of the wrong type",
      changes: nodeEncodings({}, { default: { pointColorEncoding: { ...color, encodingType: "size" } } }),
    },
    {
      name: "with a mapping one level short",
      changes: nodeEncodings({}, { default: { pointColorEncoding: { ...color, mapping: { fixed: { OK: "red" } } } } }),
    },
    { name: "for someone else's organization", changes: { org_name: "elsewhere" } },
  ]) {
    it(`are refused ${name}`, async () => {
      const { status } = await post("/api/v2/upload/datasets/", dataset(changes));
      assert.ok(status === 400 || status === 403, String(status));
    });
  }

  it("are taken with a warning where the drawing would be another", async () => {
    const { body } = await post(
      "/api/v2/upload/datasets/",
      dataset(nodeEncodings({ node: "number", node_color: "status" })),
    );
    assert.equal(server.storage.datasets.get(body.data.dataset_id)?.warnings.length, 3);
  });

  it("are shared by a complete request, seen by their link, deleted", async () => {
    const { body } = await post("/api/v2/upload/datasets/", dataset());
    const id: string = body.data.dataset_id;
    const share = {
      obj_pk: id,
      obj_type: "dataset",
      mode: "private",
      notify: false,
      invited_users: [{ email: "bob@example.org", action: "10" }],
      mode_action: "10",
      message: "",
    };
    assert.equal((await post("/api/v2/share/link/", share)).body.status, "OK");
    for (const changes of [
      { mode: "secret" },
      { mode_action: "40" },
      { obj_type: "file" },
      { notify: "no" },
      { invited_users: ["bob@example.org"] },
    ]) {
      assert.equal((await post("/api/v2/share/link/", { ...share, ...changes })).status, 400);
    }
    assert.equal((await post("/api/v2/share/link/", { ...share, obj_pk: "nothing" })).status, 404);
    assert.equal((await send("GET", `/graph/graph.html?dataset=${id}`, {})).status, 200);
    assert.equal((await send("GET", "/api/v2/datasets/?limit=1", bearer())).body.results[0].dataset_id, id);
    assert.equal((await send("GET", `/api/v2/upload/datasets/${id}`, bearer())).body.data.name, "graph");
    assert.equal((await send("DELETE", `/api/v2/datasets/${id}/`, bearer())).status, 204);
    assert.equal((await send("GET", `/graph/graph.html?dataset=${id}`, {})).status, 404);
  });
});

describe("the stand-in's record", () => {
  it("has no secrets, and tells of those it was shown", async () => {
    await send("POST", `/api/v2/files/?token=${token}`, { "content-type": "application/json", ...bearer() }, "{}");
    assert.deepEqual(server.leaks, ["POST /api/v2/files/"]);
    await post("/api/v2/files/", { file_type: "arrow", name: demoAccount.password });
    assert.equal(server.leaks.length, 2);
    const { query, ...last } = server.conversation.at(-1) ?? { query: "" };
    assert.ok(!JSON.stringify(last).includes(token));
    assert.equal(query, "");
  });
});
