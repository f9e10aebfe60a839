import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { encode } from "../../../pipeline/pdata/index.ts";
import { type Command, Daemon, fromSources } from "../../support/daemon.ts";
import { someSpans } from "../../support/traces.ts";
import { Backend } from "../backend.ts";
import { check, type Findings } from "../check.ts";
import { post, type Request } from "../corpus.ts";
import { eventually, freePorts, runFolder } from "../peers/server.ts";

/** Requests of each signal; some are larger than a page of the database. */
const requestsOfSignal = 60;

/** What the Collector left in its queues on disk is sent by otelpipe, on the same configuration. */
export const leftQueues = check({
  name: "left_queues",
  area: "Queues on disk that the Collector left",
  needs: ["collector_released"],
  async run({ collector_released }): Promise<Findings> {
    const collector = { program: collector_released.executable, args: [] };
    const rows = [];
    for (const exporter of ["otlp", "otlp_http/a.b-c", "otlphttp/öld/x"]) {
      const count = await takenOver(exporter, collector);
      rows.push({
        peer: "Collector",
        checked: `\`${exporter}\`: requests in its queues when it is killed; otelpipe is started on its file`,
        result: `${count} of ${count} arrive, each once`,
      });
    }
    return { rows };
  },
});

/** How many requests arrived. @throws when that is not each of them, once. */
async function takenOver(exporter: string, collector: Command): Promise<number> {
  const backend = await Backend.start();
  await backend.stop();
  const [httpPort = 0] = await freePorts(1);
  const directory = await runFolder("left-queues");
  const yaml = config(exporter, { directory, httpPort, backend });
  const requests = someRequests();
  const first = await Daemon.start({ yaml, command: collector });
  await post(httpPort, [...requests.values()]);
  if (existsSync("/proc/locks")) await refusesToStart(yaml);
  first.signal("SIGKILL");
  await first.ended();
  await backend.listen();
  const second = await Daemon.start({ yaml, command: fromSources });
  const arrived = () => backend.taken.map(({ body }) => /request-\d+-of-\w+/.exec(body.toString("latin1"))?.[0] ?? "");
  await eventually(async () => arrived().length >= requests.size || undefined);
  const { code } = await second.stop();
  await backend.stop();
  assert.equal(code, 0, second.log);
  assert.deepEqual(arrived().toSorted(), [...requests.keys()].toSorted());
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith("exporter_")),
    [],
    "the Collector's files are gone",
  );
  return requests.size;
}

/** While the Collector runs, otelpipe does not take anything from under it. */
async function refusesToStart(yaml: string): Promise<void> {
  const daemon = Daemon.launch({ yaml });
  assert.equal(await daemon.ended(), 1, daemon.log);
  assert.match(daemon.log, /is in use by process \d+: stop the Collector first/);
}

function someRequests(): ReadonlyMap<string, Request> {
  const requests = new Map<string, Request>();
  for (let index = 0; index < requestsOfSignal; index++) {
    const size = index % 20 === 7 ? 100_000 : index * 10;
    const nameOf = (signal: string) => `request-${index}-of-${signal}`;
    const text = (signal: string) => `${nameOf(signal)} ${"x".repeat(size)}`;
    const bodies = {
      traces: someSpans(1, text("traces")),
      logs: encode("logs", {
        resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: text("logs") } }] }] }],
      }),
      metrics: encode("metrics", {
        resourceMetrics: [
          { scopeMetrics: [{ metrics: [{ name: text("metrics"), gauge: { dataPoints: [{ asInt: 1n }] } }] }] },
        ],
      }),
    };
    for (const [signal, data] of Object.entries(bodies)) {
      const request = { path: `/v1/${signal}`, contentType: "application/x-protobuf", body: data.toBuffer() };
      requests.set(nameOf(signal), request);
    }
  }
  return requests;
}

interface Places {
  readonly directory: string;
  readonly httpPort: number;
  readonly backend: Backend;
}

function config(exporter: string, { directory, httpPort, backend }: Places): string {
  const endpoint = exporter === "otlp" ? `127.0.0.1:${backend.grpcPort}` : `http://127.0.0.1:${backend.httpPort}`;
  const pipeline = `{ receivers: [otlp], exporters: ["${exporter}"] }`;
  return `extensions:
  file_storage: { directory: ${JSON.stringify(directory)} }
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${httpPort}", include_metadata: true } } }
exporters:
  ${exporter}:
    endpoint: "${endpoint}"
    tls: { insecure: true }
    compression: none
    sending_queue: { storage: file_storage, num_consumers: 3 }
service:
  extensions: [file_storage]
  telemetry: { metrics: { level: none } }
  pipelines: { traces: ${pipeline}, logs: ${pipeline}, metrics: ${pipeline} }
`;
}
