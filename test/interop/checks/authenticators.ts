import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, type Difference, type Findings } from "../check.ts";
import { startOtelpipe } from "../otelpipe.ts";
import * as collector from "../peers/collector.ts";
import type { Peer } from "../peers/peer.ts";
import { withServers } from "../with_servers.ts";
import { type Answer, ask } from "./answers/ask.ts";
import { goodTraces } from "./answers/bodies.ts";
import { type Doorkeeper, doorkeepers, questionsOf } from "./authenticators/callers.ts";
import { CredentialBackend, nameHeader } from "./authenticators/credential_backend.ts";
import { clientExtensions, files } from "./authenticators/credentials.ts";

const bothValues: Difference = {
  input: "gRPC: headers_setter upserts a header that the exporter has in `headers`",
  otelpipe: "the value of headers_setter",
  collector: "both values, that of headers_setter first",
  reason: "Servers take the first value, or fail.",
};

/**
 * Authenticators of servers and clients, in otelpipe and in a real Collector: the same callers must be let in and the
 * others refused in the same words; the same credentials must be sent, and tokens be asked for alike.
 */
export const authenticators = check({
  name: "authenticators",
  area: "Requests: who may send",
  needs: ["collector_released"],
  async run({ collector_released: peer }): Promise<Findings> {
    let asked = 0;
    for (const doorkeeper of doorkeepers) asked += await compareDoorkeeper(peer, doorkeeper);
    const [ours, theirs] = await credentialsOfBoth(peer);
    const names = [...theirs.keys()];
    assert.deepEqual([...ours.keys()].sort(), names.toSorted());
    const different = names.filter((name) => ours.get(name) !== theirs.get(name));
    assert.deepEqual(different, ["gRPC, headers_setter/upsert_exporters"], "differ in what they send");
    return {
      rows: [
        {
          peer: "Collector, side by side",
          checked: "callers of basicauth and bearertokenauth, HTTP and gRPC",
          result: `${asked} of ${asked} answered alike, in the same words`,
          scenarios: asked,
          equal: asked,
        },
        {
          peer: "Collector, side by side",
          checked: "credentials that exporters send, HTTP and gRPC, and requests for tokens",
          result: `${names.length - different.length} of ${names.length} alike, ${different.length} differs as listed`,
          scenarios: names.length,
          equal: names.length - different.length,
        },
      ],
      differences: [bothValues],
    };
  },
});

/** How many questions were answered alike: all. */
async function compareDoorkeeper(peer: Peer, doorkeeper: Doorkeeper): Promise<number> {
  const { id, settings } = doorkeeper;
  const config = (ports: collector.CollectorPorts, outputFile: string) =>
    collector
      .receiveToFile(ports, outputFile)
      .replace(`:${ports.grpcPort}" }`, `:${ports.grpcPort}", auth: { authenticator: ${id} } }`)
      .replace(`:${ports.httpPort}" }`, `:${ports.httpPort}", auth: { authenticator: ${id} } }`)
      .replace("extensions:\n", `extensions:\n  ${id}: ${settings}\n`)
      .replace("[health_check]", `[health_check, ${id}]`);
  return await withServers(async (started) => {
    const theirs = started(await collector.start(peer, { config }));
    const ours = started(await startOtelpipe(config));
    const questions = questionsOf(doorkeeper);
    for (const question of questions) {
      assert.equal(told(await ask(ours, question)), told(await ask(theirs, question)), question.name);
    }
    return questions.length;
  });
}

/** What must be equal. grpc-js says OK with a success, in a word. */
function told({ status, contentType, code, message }: Answer): string {
  const type = contentType.replace("application/grpc+proto", "application/grpc");
  return JSON.stringify([status, type, code, code === 0 ? "" : message]);
}

/** What each exporter of otelpipe and of the Collector sent to prove itself, and how they asked for tokens. */
async function credentialsOfBoth(peer: Peer): Promise<[Map<string, string>, Map<string, string>]> {
  const folder = await mkdtemp(join(tmpdir(), "otelpipe-credentials-"));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return await withServers(async (started) => {
    const backend = started(new CredentialBackend());
    await backend.start();
    const config = (ports: collector.CollectorPorts) => exporting(ports, backend, folder);
    const ours = started(await startOtelpipe(config));
    const fromOurs = await sentThrough(ours.httpPort, backend);
    await ours.stop();
    const theirs = started(await collector.start(peer, { config }));
    return [fromOurs, await sentThrough(theirs.httpPort, backend)];
  });
}

async function sentThrough(httpPort: number, backend: CredentialBackend): Promise<Map<string, string>> {
  backend.headers.clear();
  backend.tokenRequests.length = 0;
  const authorization = `Basic ${Buffer.from("ada:secret").toString("base64")}`;
  const response = await fetch(`http://127.0.0.1:${httpPort}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", tenant: "acme", authorization },
    body: Uint8Array.from(goodTraces()),
    signal: AbortSignal.timeout(60_000),
  });
  assert.equal(response.status, 200, await response.text());
  const credentials = new Map<string, string>();
  for (const [name, headers] of backend.headers) {
    credentials.set(name, JSON.stringify(["authorization", "x-first", "x-own"].map((each) => headers[each] ?? null)));
  }
  return credentials.set("requests for tokens", backend.tokenRequests.toSorted().join("\n"));
}

/** Every client extension behind an exporter over HTTP and one over gRPC. */
function exporting(ports: collector.CollectorPorts, backend: CredentialBackend, folder: string): string {
  const extensions = Object.entries(clientExtensions(folder, `http://127.0.0.1:${backend.httpPort}/token`));
  const once = "compression: none, sending_queue: { enabled: false }, retry_on_failure: { enabled: false }";
  const exporters = extensions.flatMap(([id]) => {
    const name = id.replace("/", ".");
    const common = `headers: { X-Own: own, ${nameHeader}: ${id} }, auth: { authenticator: ${id} }, ${once}`;
    return [
      [`otlp_http/${name}`, `{ endpoint: "http://127.0.0.1:${backend.httpPort}", ${common} }`],
      [
        `otlp_grpc/${name}`,
        `{ endpoint: "127.0.0.1:${backend.grpcPort}", tls: { insecure_skip_verify: true }, ${common} }`,
      ],
    ];
  });
  const server = '"127.0.0.1:PORT", include_metadata: true, auth: { authenticator: basicauth/server }';
  const lines = (entries: readonly (readonly string[])[]) =>
    entries.map(([id, value]) => `  ${id}: ${value}\n`).join("");
  return `extensions:
  health_check: { endpoint: "127.0.0.1:${ports.healthPort}" }
  basicauth/server: { htpasswd: { inline: "ada:secret" } }
${lines(extensions)}receivers:
  otlp: { protocols: { http: { endpoint: ${server.replace("PORT", String(ports.httpPort))} } } }
exporters:
${lines(exporters)}service:
  extensions: [health_check, basicauth/server, ${extensions.map(([id]) => id).join(", ")}]
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [${exporters.map(([id]) => id).join(", ")}] }
`;
}
