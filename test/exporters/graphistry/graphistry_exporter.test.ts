import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { tableFromIPC } from "apache-arrow";
import { concat } from "../../../pipeline/pdata/index.ts";
import { demoAccount, GraphistryServer } from "../../support/graphistry_server/server.ts";
import { recordedDelivery } from "../../support/simulated_host.ts";
import { eventually } from "../../support/turns.ts";
import { batchOf, epochMs, nodeHex, open, spanHex, traceHex } from "./support.ts";

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(config: object = {}, budgetBytes?: number) {
  const opened = await open(config, budgetBytes);
  cleanups.push(() => opened.exporter.stop());
  return opened;
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "otelpipe-graphistry-"));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const someSpans = [
  { id: 1, startUnixMs: epochMs },
  { id: 2, parent: 1, status: 2, durationMs: 40, attributes: { "gen_ai.usage.output_tokens": 5 } },
  { id: 3, parent: 9 },
];

async function readGraph(directory: string) {
  const [nodes, edges] = await Promise.all(
    ["nodes.arrow", "edges.arrow"].map(async (name) => tableFromIPC(await readFile(join(directory, name)))),
  );
  const json = JSON.parse(await readFile(join(directory, "graph.json"), "utf8"));
  const rows = (table: typeof nodes) => table?.toArray().map((row) => ({ ...row.toJSON() })) ?? [];
  return { nodes: rows(nodes), edges: rows(edges), json };
}

describe("the graphistry exporter without an account", () => {
  it("shows the graph on the board from the start to the end", async () => {
    const { host, exporter, consume } = await start();
    const source = host.board.find("graph", "graphistry");
    assert.equal(source, exporter);
    assert.deepEqual(await source?.snapshot(), { nodes: [], edges: [], traceCount: 0, spanCount: 0 });
    const before = exporter.version;
    consume(someSpans);
    assert.ok(exporter.version > before);
    const { nodes, edges, traceCount, spanCount } = await exporter.snapshot();
    assert.deepEqual([nodes.length, edges.length, traceCount, spanCount], [4, 2, 1, 3]);
    assert.equal(await exporter.snapshot(), await exporter.snapshot());
    assert.equal(exporter.viewerUrl, undefined);
    await exporter.stop();
    assert.equal(host.board.find("graph", "graphistry"), undefined);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(host.clock.pendingTimers, 0);
  });

  it("takes every span at once: it is sent when it is in the graph", async () => {
    const { host, consume } = await start({ max_spans: 2 });
    assert.deepEqual(consume(someSpans), ["ack"]);
    assert.deepEqual(consume([{ trace: 2, id: 1 }]), ["ack"]);
    assert.equal(host.books.sent, 4);
    assert.deepEqual([...host.dropped], []);
  });

  it("counts spans without ids as dropped, with the reason", async () => {
    const { host, exporter, consume } = await start();
    consume([{ id: 1 }, { id: 0 }, { trace: 0, id: 2 }]);
    assert.equal(host.books.sent, 1);
    assert.deepEqual([...host.dropped], [["no_span_id", 2]]);
    assert.equal((await exporter.snapshot()).spanCount, 1);
  });

  it("reads a large batch in steps, and acks it when it is read", async () => {
    const { host, exporter, drain } = await start({ max_spans: 20_000 });
    const spans = Array.from({ length: 9000 }, (_, index) => ({ trace: 1 + index, id: 1 }));
    const { delivery, answers } = recordedDelivery(concat([batchOf(spans.slice(0, 4500)), batchOf(spans.slice(4500))]));
    exporter.consume(delivery);
    assert.deepEqual(answers, []);
    await drain();
    assert.deepEqual(answers, ["ack"]);
    assert.equal(host.books.sent, 9000);
    assert.equal((await exporter.snapshot()).spanCount, 9000);
  });

  it("gives the details of a span, its prompts only when they are asked for", async () => {
    const { exporter, consume } = await start();
    consume([{ id: 1, attributes: { "gen_ai.input.messages": "a secret" } }]);
    const read = (reveal?: string) => exporter.span(traceHex(1), spanHex(1), reveal)?.attributes[0];
    assert.equal(read()?.text, undefined);
    assert.equal(read()?.masked?.sizeBytes, 8);
    assert.equal(read("gen_ai.input.messages")?.text, "a secret");
    assert.equal(exporter.span(traceHex(1), spanHex(7)), undefined);
  });

  it("takes no more than a quarter of the memory budget", async () => {
    const { host, exporter, consume } = await start({}, 4_000_000);
    const attributes = { text: "x".repeat(100_000) };
    for (let trace = 1; trace <= 30; trace++) consume([{ trace, id: 1, attributes }]);
    assert.equal((await exporter.snapshot()).spanCount, 9);
    assert.ok(host.budget.usedBytes <= 1_000_000);
  });

  it("says where the graph is", async () => {
    const here = await start();
    here.consume(someSpans);
    assert.deepEqual(here.exporter.facts(), [
      { label: "", text: "here only, no account" },
      { label: "spans", text: "3" },
      { label: "traces", text: "1" },
    ]);
    const files = await start({ directory: await temporaryDirectory() });
    assert.equal(files.exporter.facts()[0]?.text, "local files, no account");
  });
});

describe("the files of the graphistry exporter", () => {
  it("hold the same graph as the board, in Arrow and in JSON", async () => {
    const directory = await temporaryDirectory();
    const { exporter, consume, drain } = await start({ directory });
    consume(someSpans);
    await drain();
    assert.deepEqual((await readdir(directory)).sort(), ["edges.arrow", "graph.json", "nodes.arrow"]);
    const { nodes, edges, json } = await readGraph(directory);
    const shown = await exporter.snapshot();
    assert.deepEqual(
      nodes.map((row) => [row["node_id"], row["name"], row["status"], row["duration_ms"], row["start_time"]]),
      shown.nodes.map(({ id, label, status, durationMs, startUnixMs }) => [id, label, status, durationMs, startUnixMs]),
    );
    assert.deepEqual(
      edges.map(({ source, destination }) => ({ source, target: destination })),
      shown.edges,
    );
    assert.deepEqual(json.edges, edges);
    const timed = nodes.map((row) => ({
      ...row,
      start_time: isoTime(row["start_time"]),
      end_time: isoTime(row["end_time"]),
    }));
    // A column without a single value is in the JSON only.
    assert.deepEqual(
      json.nodes,
      timed.map((row) => ({ ...row, input_tokens: null })),
    );
    const { span_count, trace_count, missing_parent_count, edge_count, viewer_url, created } = json;
    assert.deepEqual([span_count, trace_count, missing_parent_count, edge_count], [3, 1, 1, 2]);
    assert.deepEqual([viewer_url, created], [null, "2026-01-01T00:00:00.000Z"]);
    assert.equal(json.edges[1].source, nodeHex(1, 9));
  });

  it("are written in the interval when spans have come, and at the end", async () => {
    const directory = await temporaryDirectory();
    const { host, exporter, consume, drain, interval } = await start({ directory, upload_interval: "90s" });
    await interval();
    assert.deepEqual(await readdir(directory), []);
    consume(someSpans);
    await interval();
    const first = (await readGraph(directory)).json;
    assert.equal(first.span_count, 3);
    await interval();
    assert.deepEqual((await readGraph(directory)).json, first);
    consume([{ trace: 2, id: 1 }]);
    await drain();
    assert.equal((await readGraph(directory)).json.span_count, 4);
    await exporter.stop();
    assert.equal(host.clock.pendingTimers, 0);
  });

  it("are tried again when they could not be written", async () => {
    const directory = join(await temporaryDirectory(), "graph");
    const { exporter, consume, drain, lines, interval } = await start({ directory, upload_interval: "90s" });
    await rm(directory, { recursive: true });
    await writeFile(directory, "in the way");
    consume(someSpans);
    await interval();
    assert.match(String(lines("warn")[0]?.fields["error"]), /ENOTDIR|EEXIST/);
    assert.deepEqual(exporter.facts().at(-1), { label: "", text: "files cannot be written" });
    await rm(directory);
    await mkdir(directory);
    await drain();
    assert.equal((await readGraph(directory)).json.span_count, 3);
  });

  it("need a directory that can be made", async () => {
    const file = join(await temporaryDirectory(), "file");
    await writeFile(file, "");
    await assert.rejects(start({ directory: join(file, "graph") }), /ENOTDIR/);
  });
});

describe("the graphistry exporter with an account", () => {
  const { username, password } = demoAccount;

  async function withServer(config: object = {}) {
    const server = await GraphistryServer.start();
    cleanups.push(() => server.stop());
    const opened = await start({ server: server.url, username, password, ...config });
    return { server, ...opened };
  }

  it("writes files too, which know the upload", async () => {
    const directory = await temporaryDirectory();
    const { exporter, consume, drain } = await withServer({ directory });
    consume(someSpans);
    await drain();
    const { json } = await readGraph(directory);
    assert.equal(json.viewer_url, exporter.viewerUrl);
    assert.ok(exporter.viewerUrl?.includes(json.dataset_id));
  });

  it("uploads what is new, one upload at a time, and nothing twice", async () => {
    const { server, consume, drain, interval } = await withServer();
    consume(someSpans);
    await interval();
    assert.equal(server.storage.datasets.size, 1);
    await interval();
    await drain();
    assert.equal(server.storage.datasets.size, 1);
  });

  it("uploads nothing without spans", async () => {
    const { server, drain } = await withServer();
    await drain();
    assert.deepEqual(server.lines(), []);
  });

  it("warns when the login goes over plain HTTP", async () => {
    const { server, lines } = await withServer();
    const [warning] = lines("warn");
    assert.deepEqual(warning?.fields, { server: server.url });
  });

  // Scenario: the server takes the connection and never answers; the daemon is told to stop.
  // Guarantees: draining ends at its deadline, and what came is still on the board.
  it("ends draining at the deadline", async () => {
    const { server, host, exporter, consume, lines } = await withServer();
    server.fail("POST /api-token-auth/", { silence: true });
    consume(someSpans);
    const drained = exporter.drain(host.clock.monotonicMs() + 70_000_000);
    await eventually(() => server.lines().length === 1);
    const late = exporter.drain(host.clock.monotonicMs() + 1000);
    await Promise.all([drained, late]);
    assert.equal(lines("error")[0]?.fields["error"], "no time left at shutdown");
    assert.equal((await exporter.snapshot()).spanCount, 3);
    assert.equal(server.lines().length, 1);
  });

  it("stops at once, even in the middle of an upload", async () => {
    const { server, host, exporter, consume } = await withServer();
    server.fail("POST /api-token-auth/", { silence: true });
    consume(someSpans);
    host.advance(300_000);
    await eventually(() => server.lines().length === 1);
    await exporter.stop();
    await exporter.stop();
    assert.equal(host.clock.pendingTimers, 0);
    assert.deepEqual(host.fatals, []);
  });
});

function isoTime(unixMs: unknown): string | null {
  return typeof unixMs === "number" ? new Date(unixMs).toISOString() : null;
}
