/**
 * The real Python client `graphistry` against our stand-in server, and pyarrow on the files our exporter writes. Run by
 * `npm run test:interop`, or alone: `node test/interop/graphistry_client.ts`.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import graphistry from "../../exporters/graphistry/index.ts";
import { systemClock } from "../../pipeline/process/clock.ts";
import { makeTraces, traces } from "../support/dashboard_data.ts";
import { demoAccount, GraphistryServer } from "../support/graphistry_server/server.ts";
import { recordedDelivery, simulatedHost } from "../support/simulated_host.ts";
import { isSkipped, type Peer, type Skipped } from "./peers/peer.ts";
import * as pythonSdk from "./peers/python_sdk.ts";

/** What the script prints. */
interface Seen {
  readonly version: string;
  readonly password: { readonly first: string; readonly second: string };
  readonly personal_key: { readonly url: string };
  readonly wrong_password: { readonly refused: string | null };
  readonly files: {
    readonly nodes: number;
    readonly edges: number;
    readonly types: Readonly<Record<string, string>>;
    readonly names: readonly string[];
    readonly durations: readonly number[];
    readonly starts: readonly string[];
    readonly json_names: readonly string[];
  };
}

/** Proves it and says what was proven, a line each; or why it could not be tried. @throws {Error} when it fails */
export async function proveGraphistryClient(): Promise<readonly string[] | Skipped> {
  const peer = await pythonSdk.ensure();
  if (isSkipped(peer)) return peer;
  const server = await GraphistryServer.start();
  const directory = await mkdtemp(join(tmpdir(), "otelpipe-graph-"));
  try {
    const spans = makeTraces(40, Date.UTC(2026, 0, 1), 7);
    await exportTo(directory, traces(spans));
    const seen = await runClient(peer, server, directory);
    await checkConversation(server, seen);
    assert.deepEqual([...seen.files.names].sort(), spans.map(({ name }) => name).sort());
    assert.deepEqual(seen.files.json_names, seen.files.names);
    assert.equal(seen.files.edges, spans.filter(({ parentSpanId }) => parentSpanId !== "").length);
    assert.equal(seen.files.types["start_time"], "timestamp[ms]");
    assert.equal(seen.files.types["node_id"], "string");
    assert.equal(seen.files.types["duration_ms"], "double");
    return [
      `graphistry ${seen.version}: password and personal key logins, token refresh, organization switch, file uploads, ` +
        "datasets and privacy, all taken by the stand-in server",
      `pyarrow read ${seen.files.nodes} nodes and ${seen.files.edges} edges; graphistry's validator took the encodings`,
    ];
  } finally {
    await server.stop();
    await rm(directory, { recursive: true });
  }
}

async function exportTo(directory: string, batch: ReturnType<typeof traces>): Promise<void> {
  const host = { ...simulatedHost({ id: "graphistry" }), clock: systemClock };
  const exporter = graphistry.traces?.(graphistry.config.parse({ directory }), host);
  await exporter?.start?.();
  exporter?.consume(recordedDelivery(batch).delivery);
  await exporter?.drain?.(host.clock.monotonicMs() + 10_000);
  await exporter?.stop?.();
}

async function runClient(peer: Peer, server: GraphistryServer, directory: string): Promise<Seen> {
  const script = join(import.meta.dirname, "graphistry_client.py");
  const flags = [`--address=${new URL(server.url).host}`, `--directory=${directory}`];
  const child = spawn(peer.executable, [script, ...flags], { stdio: ["pipe", "pipe", "pipe"], timeout: 180_000 });
  const [[key_id, key_secret] = []] = Object.entries(demoAccount.keys);
  const { username, password } = demoAccount;
  child.stdin.end(JSON.stringify({ username, password, key_id, key_secret, organization: "research" }));
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await once(child, "exit");
  const [output, errors] = await said;
  assert.equal(code, 0, errors.split("\n").slice(-12).join("\n"));
  return JSON.parse(output);
}

/** What the client of the pinned version says, in order; it chooses its organization again with every new token. */
const expectedLines = [
  // Password login.
  "POST /api-token-auth/ 200",
  "POST /api/v2/o/ada/switch/ 200",
  "POST /api/v2/auth/token/refresh 200",
  "POST /api/v2/o/ada/switch/ 200",
  // A plot as files, with privacy.
  "POST /api/v2/auth/token/refresh 200",
  "POST /api/v2/o/ada/switch/ 200",
  "POST /api/v2/files/ 200",
  "POST /api/v2/upload/files/file00000001 200",
  "POST /api/v2/files/ 200",
  "POST /api/v2/upload/files/file00000002 200",
  "POST /api/v2/upload/datasets/ 201",
  "POST /api/v2/share/link/ 200",
  // A plot the older way, without privacy.
  "POST /api/v2/auth/token/refresh 200",
  "POST /api/v2/o/ada/switch/ 200",
  "POST /api/v2/upload/datasets/ 201",
  "POST /api/v2/upload/datasets/dataset00000004/edges/arrow 200",
  "POST /api/v2/upload/datasets/dataset00000004/nodes/arrow 200",
  // Personal key login into an organization, and a plot.
  "GET /api/v2/auth/pkey/jwt/ 200",
  "POST /api/v2/o/research/switch/ 200",
  "POST /api/v2/auth/token/refresh 200",
  "POST /api/v2/o/research/switch/ 200",
  "POST /api/v2/o/research/switch/ 200",
  "POST /api/v2/auth/token/refresh 200",
  "POST /api/v2/o/research/switch/ 200",
  "POST /api/v2/upload/datasets/ 201",
  "POST /api/v2/upload/datasets/dataset00000005/edges/arrow 200",
  "POST /api/v2/upload/datasets/dataset00000005/nodes/arrow 200",
  "POST /api/v2/share/link/ 200",
  // A wrong password.
  "POST /api-token-auth/ 400",
];

async function checkConversation(server: GraphistryServer, seen: Seen): Promise<void> {
  assert.deepEqual(server.lines(), expectedLines);
  assert.deepEqual(server.leaks, []);
  assert.match(seen.wrong_password.refused ?? "", /Unable to log in with provided credentials/);
  const urls = [seen.password.first, seen.password.second, seen.personal_key.url];
  const datasets = [...server.storage.datasets.values()];
  assert.deepEqual(
    urls.map((url) => new URL(url).searchParams.get("dataset")),
    datasets.map(({ id }) => id),
  );
  const response = await fetch(seen.password.first);
  assert.equal(response.status, 200);
  assert.deepEqual(
    datasets.map(({ share }) => share?.["mode"]),
    ["private", undefined, "private"],
  );
  assert.deepEqual(
    datasets.map(({ body }) => body["org_name"]),
    ["ada", "ada", "research"],
  );
  // The notebook's `point_color="status"` reaches the server as a binding of texts.
  assert.deepEqual(
    datasets.map(({ warnings }) => warnings.length),
    [1, 0, 1],
  );
}

if (import.meta.main) {
  const proven = await proveGraphistryClient();
  console.log("skipped" in proven ? `skipped ${proven.skipped}` : proven.join("\n"));
}
