import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { receive } from "../../pipeline/pdata/index.ts";
import { freePort } from "../support/free_port.ts";
import { httpBackend } from "../support/otlp_backends.ts";
import { runningService } from "../support/running_service.ts";
import { someSpans, spanNames } from "../support/traces.ts";
import { eventually } from "../support/turns.ts";

const replace = (from: string, to: string) => (yaml: string) => {
  assert.ok(yaml.includes(from), `${from} is not in ${yaml}`);
  return yaml.replace(from, to);
};

/** A destination that refuses for now until it is opened, and the names of the spans that it took. */
async function destination() {
  let isOpen = false;
  const names: string[] = [];
  const { endpoint } = await httpBackend((response, { body }) => {
    if (isOpen) names.push(...spanNames(receive("traces", body)));
    response.writeHead(isOpen ? 200 : 503, { "content-type": "application/x-protobuf" }).end();
  });
  return { endpoint, names, open: () => void (isOpen = true) };
}

const stored = (endpoint: string, directory: string) => `
receivers: { source: {} }
exporters:
  sink: {}
  otlp_http:
    endpoint: ${endpoint}
    compression: none
    retry_on_failure: { initial_interval: 5ms, max_interval: 10ms }
    sending_queue: { storage: file_storage, num_consumers: 1 }
extensions:
  file_storage: { directory: ${directory}, timeout: 100ms }
service:
  extensions: [file_storage]
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [source], exporters: [otlp_http] } }
`;

async function storing() {
  const there = await destination();
  const running = await runningService(stored(there.endpoint, mkdtempSync(join(tmpdir(), "otelpipe-change-"))));
  const answers = [1, 2, 3].map((number) => running.offer(someSpans(1, `stored-${number}`)));
  await eventually(() => answers.every(([answer]) => answer === "ack"));
  return { there, running };
}

const all = ["stored-1-1", "stored-2-1", "stored-3-1"];
const balanced = { in: 3, out: 3, refused: 0, held: 0, dropped: {} };

describe("a change of the configuration with a queue on disk", () => {
  for (const { name, edit } of [
    { name: "a storage in the same directory", edit: replace("timeout: 100ms", "timeout: 100ms, fsync: false") },
    {
      name: "a storage of another name in it",
      edit: (yaml: string) =>
        yaml.replaceAll("file_storage", "file_storage/new").replace("file_storage/new/new", "file_storage/new"),
    },
    { name: "an exporter with other settings", edit: replace("num_consumers: 1", "num_consumers: 2") },
  ]) {
    it(`hands what is stored on to ${name}`, async () => {
      const { there, running } = await storing();
      const verdict = await running.reload(edit);
      assert.deepEqual([verdict.outcome, verdict.problems], ["applied", []]);
      there.open();
      await eventually(() => there.names.length === 3);
      assert.deepEqual(there.names.toSorted(), all);
      await eventually(() => running.books("exporter:traces:otlp_http").held === 0);
      assert.deepEqual(running.books("exporter:traces:otlp_http"), balanced);
    });
  }

  it("gives what is stored back to the old exporter when the new configuration does not start", async () => {
    const { there, running } = await storing();
    const verdict = await running.reload((yaml) =>
      replace(
        "exporters: [otlp_http]",
        "exporters: [otlp_http, sink]",
      )(replace("sink: {}", "sink: { fails: true }")(replace("timeout: 100ms", "timeout: 200ms")(yaml))),
    );
    assert.equal(verdict.outcome, "refused");
    const late = running.offer(someSpans(1, "late"));
    await eventually(() => late[0] === "ack");
    there.open();
    await eventually(() => there.names.length === 4);
    assert.deepEqual(there.names.toSorted(), ["late-1", ...all]);
    await eventually(() => running.books("exporter:traces:otlp_http").held === 0);
    assert.deepEqual(running.books("exporter:traces:otlp_http"), { ...balanced, in: 4, out: 4 });
  });

  it("sends what is on disk before an exporter and its storage are gone for good", async () => {
    const { there, running } = await storing();
    const edit = (yaml: string) =>
      replace(
        "exporters: [otlp_http]",
        "exporters: [sink]",
      )(yaml)
        .replace("extensions: [file_storage]", "extensions: []")
        .replace("storage: file_storage, ", "");
    assert.deepEqual((await running.reload(edit)).removed, ["extension:file_storage", "exporter:traces:otlp_http"]);
    assert.deepEqual(running.offer(someSpans(1, "other")), ["ack"]);
    there.open();
    await eventually(() => there.names.length === 3);
    assert.deepEqual(there.names.toSorted(), all);
    await eventually(() => running.books("exporter:traces:otlp_http").held === 0);
    assert.deepEqual(running.books("exporter:traces:otlp_http"), balanced);
  });
});

const listening = (endpoint: string) => `
receivers:
  otlp: { protocols: { http: { endpoint: "${endpoint}", auth: { authenticator: bearertokenauth } } } }
exporters: { sink: {} }
extensions: { bearertokenauth: { token: one } }
service:
  extensions: [bearertokenauth]
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [sink] } }
`;

async function post(port: number, token = "one", host = "127.0.0.1"): Promise<number> {
  const response = await fetch(`http://${host}:${port}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", authorization: `Bearer ${token}`, connection: "close" },
    body: new Uint8Array(someSpans(1).toBuffer()),
  });
  return response.status;
}

async function opened(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return socket;
}

describe("a change of the configuration with a listening receiver", () => {
  it("keeps the connections of a receiver that nothing concerns", async () => {
    const port = await freePort();
    const { reload } = await runningService(listening(`127.0.0.1:${port}`));
    const socket = await opened(port);
    assert.equal(
      (await reload(replace("exporters: { sink: {} }", "exporters: { sink: { note: changed } }"))).outcome,
      "applied",
    );
    const answer = new Promise<string>((resolve) => socket.once("data", (bytes) => resolve(bytes.toString())));
    socket.write("GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer one\r\n\r\n");
    assert.match(await answer, /^HTTP\/1\.1 404/);
    socket.destroy();
  });

  it("has the users of an authenticator ask the new one", async () => {
    const port = await freePort();
    const { reload } = await runningService(listening(`127.0.0.1:${port}`));
    assert.deepEqual([await post(port, "one"), await post(port, "two")], [200, 401]);
    assert.deepEqual((await reload(replace("token: one", "token: two"))).rebuilt, [
      "extension:bearertokenauth",
      "receiver:otlp",
    ]);
    assert.deepEqual([await post(port, "one"), await post(port, "two")], [401, 200]);
  });

  it("listens on a new port before it leaves the old one", async () => {
    const [port, next] = [await freePort(), await freePort()];
    const { reload } = await runningService(listening(`127.0.0.1:${port}`));
    await reload(replace(`:${port}`, `:${next}`));
    assert.equal(await post(next), 200);
    await assert.rejects(post(port));
  });

  for (const { name, from, to } of [
    { name: "all addresses", from: "127.0.0.1", to: "0.0.0.0" },
    { name: "one address", from: "0.0.0.0", to: "127.0.0.1" },
  ]) {
    it(`moves to ${name} on the same port, and back when another component does not start`, async () => {
      const port = await freePort();
      const { reload } = await runningService(listening(`${from}:${port}`));
      const edit = replace(`${from}:${port}`, `${to}:${port}`);
      const verdict = await reload((yaml) =>
        edit(yaml)
          .replace("\nexporters:", `\n  otlp/taken: { protocols: { http: { endpoint: "${to}:${port}" } } }\nexporters:`)
          .replace("receivers: [otlp]", "receivers: [otlp, otlp/taken]"),
      );
      assert.equal(verdict.outcome, "refused");
      assert.equal(
        verdict.problems[0]?.message,
        `cannot start pipelines: failed to start "otlp/taken" receiver: cannot listen on ${to}:${port}: address already in use`,
      );
      assert.equal(await post(port), 200);
      assert.equal((await reload(edit)).outcome, "applied");
      assert.equal(await post(port), 200);
    });
  }
});

const measured = (port: number, more = "") => `
receivers: { source: {} }
exporters: { sink: {} }
service:
  telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${port}${more} } } } }] } }
  pipelines: { traces: { receivers: [source], exporters: [sink] } }
`;

const metrics = async (port: number) => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

describe("a change of own telemetry", () => {
  it("serves metrics on another port, with what was counted before", async () => {
    const [port, next] = [await freePort(), await freePort()];
    const { reload, offer } = await runningService(measured(port));
    offer(someSpans(2));
    assert.equal((await reload(() => measured(next))).outcome, "applied");
    assert.match(await metrics(next), /^otelpipe_node_items_in\{node="receiver:source"\} 2$/m);
    await assert.rejects(metrics(port));
  });

  it("serves them otherwise on the same port", async () => {
    const port = await freePort();
    const { reload } = await runningService(measured(port));
    assert.equal((await reload(() => measured(port, ", without_units: false"))).outcome, "applied");
    assert.match(await metrics(port), /^otelpipe_config_reloads_total\{outcome="applied"\} 1$/m);
  });

  it("refuses a port that is in use, and serves on", async () => {
    const port = await freePort();
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
    const taken = (blocker.address() as AddressInfo).port;
    const { reload } = await runningService(measured(port));
    const { outcome, problems } = await reload(() => measured(taken));
    assert.deepEqual([outcome, problems.length], ["refused", 1]);
    assert.match(problems[0]?.message ?? "", /address already in use/);
    assert.match(await metrics(port), /^otelpipe_config_reload_successful 0$/m);
    blocker.close();
  });
});
