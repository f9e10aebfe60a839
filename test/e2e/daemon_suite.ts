import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, it } from "node:test";
import { receive, toJson } from "../../pipeline/pdata/index.ts";
import { type Command, Daemon } from "../support/daemon.ts";
import { someSpans, spanNames } from "../support/traces.ts";

/** An OTLP/HTTP backend that keeps the traces it got, and answers with `status` of each request. */
async function backend(status: () => number = () => 200) {
  const names: string[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => void parts.push(part));
    request.on("end", () => {
      const code = status();
      if (code === 200) names.push(...spanNames(receive("traces", Buffer.concat(parts))));
      response.writeHead(code, { "content-type": "application/x-protobuf" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { names, endpoint: `http://127.0.0.1:${port}`, close };
}

const yaml = (endpoint: string, more = "") => `
receivers:
  otlp:
    protocols: { grpc: { endpoint: "localhost:0" }, http: { endpoint: "localhost:0" } }
processors:
  memory_limiter: { check_interval: 1s, limit_mib: 2000 }
  batch: { timeout: 10ms }
exporters:
  otlp_http:
    endpoint: ${endpoint}
    compression: none
    retry_on_failure: { initial_interval: 10ms, max_interval: 20ms, max_elapsed_time: 100s }
    ${more}
service:
  telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: localhost, port: 0 } } } }] } }
  pipelines:
    traces: { receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_http] }
`;

async function post(daemon: Daemon, body: Buffer, type = "application/x-protobuf") {
  return await fetch(`${daemon.http}/v1/traces`, {
    method: "POST",
    headers: { "content-type": type },
    body: new Uint8Array(body),
  });
}

/** What every otelpipe must do, however it was installed. */
export function daemonSuite(command: Command): void {
  let sink: Awaited<ReturnType<typeof backend>>;
  before(async () => void (sink = await backend()));
  after(() => sink.close());

  it("takes traces as protobuf and JSON, delivers all of them before it ends, and balances its books", async () => {
    const daemon = await Daemon.start({ command, yaml: yaml(sink.endpoint) });
    assert.equal((await post(daemon, someSpans(3).toBuffer())).status, 200);
    assert.equal((await post(daemon, toJson(someSpans(2, "json")), "application/json")).status, 200);
    const metrics = await (await fetch(`http://${daemon.address("Serving metrics")}/metrics`)).text();
    assert.match(metrics, /^otelpipe_node_items_in\{node="receiver:otlp"\} 5$/m);
    assert.match(metrics, /^otelpipe_event_loop_lag \d/m);
    const { code, books } = await daemon.stop();
    assert.equal(code, 0);
    assert.deepEqual(sink.names.sort(), ["json-1", "json-2", "span-1", "span-2", "span-3"]);
    assert.equal(books["exporter:traces:otlp_http"]?.out, 5);
  });

  it("answers malformed requests with 400 and goes on", async () => {
    const daemon = await Daemon.start({ command, yaml: yaml(sink.endpoint) });
    assert.equal((await post(daemon, Buffer.from("not protobuf"))).status, 400);
    assert.equal((await post(daemon, Buffer.from("{"), "application/json")).status, 400);
    assert.equal((await post(daemon, someSpans(1, "after").toBuffer())).status, 200);
    await daemon.stop("SIGINT");
    assert.ok(sink.names.includes("after-1"));
  });

  it("names a port in use in one line and ends with exit code 1", async () => {
    const first = await Daemon.start({ command, yaml: yaml(sink.endpoint) });
    const taken = first.grpc.split(":").at(-1);
    const second = Daemon.launch({ command, yaml: yaml(sink.endpoint).replace("localhost:0", `localhost:${taken}`) });
    assert.equal(await second.ended(), 1);
    const errors = second.log.split("\n").filter((line) => line.startsWith("Error:"));
    assert.deepEqual(errors, [
      `Error: cannot start pipelines: failed to start "otlp" receiver: cannot listen on localhost:${taken}: address already in use`,
    ]);
    await first.stop();
  });

  it("starts nothing with a wrong config, and shows every error", async () => {
    const wrong = yaml(sink.endpoint)
      .replace("timeout: 10ms", "timeot: 10ms")
      .replace("check_interval: 1s", "check_interval: soon");
    const daemon = Daemon.launch({ command, yaml: wrong });
    assert.equal(await daemon.ended(), 1);
    assert.match(daemon.log, /unknown key "timeot"/);
    assert.match(daemon.log, /invalid duration "soon"/);
    assert.doesNotMatch(daemon.log, /Starting/);
  });

  // Scenario: something throws where nobody catches, while spans are held.
  // Guarantees: it is logged, what is held is delivered, and the process ends with exit code 1.
  it("drains and ends with exit code 1 after an unexpected error", async () => {
    const bomb = `data:text/javascript,process.on("SIGUSR2", () => { throw new Error("unforeseen"); })`;
    const held = yaml(sink.endpoint).replace("timeout: 10ms", "timeout: 100s");
    const daemon = await Daemon.start({
      command,
      yaml: held,
      env: { NODE_OPTIONS: `--import ${JSON.stringify(bomb)}` },
    });
    assert.equal((await post(daemon, someSpans(2, "crash").toBuffer())).status, 200);
    const { code } = await daemon.stop("SIGUSR2");
    assert.equal(code, 1);
    assert.match(daemon.log, /unexpected error; this is a bug in otelpipe.*unforeseen/s);
    assert.deepEqual(sink.names.filter((name) => name.startsWith("crash")).sort(), ["crash-1", "crash-2"]);
  });

  // Scenario: the backend is down; a queue of two requests fills; then the backend comes back.
  // Guarantees: the client is told to come back (503, Retry-After) when the queue is full; what was acknowledged arrives.
  it("pushes back when a dead downstream has filled the queue, and loses nothing it acknowledged", async () => {
    let status = 503;
    const slow = await backend(() => status);
    const text = yaml(slow.endpoint, "sending_queue: { queue_size: 2, num_consumers: 1 }").replace(
      "[memory_limiter, batch]",
      "[memory_limiter]",
    );
    const daemon = await Daemon.start({ command, yaml: text });
    const acknowledged: string[] = [];
    let refused: Response | undefined;
    for (let index = 1; refused === undefined; index++) {
      assert.ok(index < 10, "the queue never filled");
      const answer = await post(daemon, someSpans(1, `queued-${index}`).toBuffer());
      if (answer.status === 200) acknowledged.push(`queued-${index}-1`);
      else refused = answer;
    }
    assert.equal(refused.status, 503);
    assert.match(refused.headers.get("retry-after") ?? "", /^\d+$/);
    status = 200;
    const { books } = await daemon.stop();
    assert.deepEqual(slow.names.sort(), acknowledged.sort());
    assert.equal(books["receiver:otlp"]?.refused, 1);
    slow.close();
  });
}
