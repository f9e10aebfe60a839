import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { type Traces, toJson } from "../../pipeline/pdata/index.ts";
import { type Command, Daemon } from "../support/daemon.ts";
import { freePort } from "../support/free_port.ts";
import { rpcTypes } from "../support/rpc_types.ts";
import { startTraceSink } from "../support/trace_sink.ts";
import { someSpans } from "../support/traces.ts";

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

/** What became of a request: how it was refused and when to come back, as the transport says it; undefined when taken. */
type Offer = (daemon: Daemon, traces: Traces) => Promise<{ code: number; comeBack: unknown } | undefined>;

const offers: Record<"gRPC" | "HTTP", { offer: Offer; code: number; comeBack: (said: unknown) => boolean }> = {
  HTTP: {
    offer: async (daemon, traces) => {
      const { status, headers } = await post(daemon, traces.toBuffer());
      return status === 200 ? undefined : { code: status, comeBack: headers.get("retry-after") };
    },
    code: 503,
    comeBack: (said) => /^[1-9]\d*$/.test(String(said)),
  },
  gRPC: {
    offer: async (daemon, traces) => {
      const error = await call(daemon.grpc, traces.toBuffer());
      if (error === null) return undefined;
      const { Status, RetryInfo } = rpcTypes();
      const [details] = error.metadata.get("grpc-status-details-bin");
      const status = Status.toObject(Status.decode(details as Buffer));
      assert.equal(status["code"], error.code);
      const [any] = status["details"] as { type_url: string; value: Uint8Array }[];
      assert.equal(any?.type_url, "type.googleapis.com/google.rpc.RetryInfo");
      return { code: error.code, comeBack: RetryInfo.toObject(RetryInfo.decode(any.value), { longs: Number }) };
    },
    code: 14,
    comeBack: (said) => (said as { retryDelay: { seconds: number } }).retryDelay.seconds > 0,
  },
};

/** One gRPC export; null when it was taken. */
async function call(address: string, body: Buffer): Promise<ServiceError | null> {
  const client = new Client(address, credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  const error = await new Promise<ServiceError | null>((resolve) => {
    client.makeUnaryRequest(path, same, same, body, resolve);
  });
  client.close();
  return error;
}

async function post(daemon: Daemon, body: Buffer, type = "application/x-protobuf") {
  return await fetch(`${daemon.http}/v1/traces`, {
    method: "POST",
    headers: { "content-type": type },
    body: new Uint8Array(body),
  });
}

/** What every otelpipe must do, however it was installed. */
export function daemonSuite(command: Command): void {
  let sink: Awaited<ReturnType<typeof startTraceSink>>;
  before(async () => void (sink = await startTraceSink()));
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
    assert.deepEqual(sink.names.toSorted(), ["json-1", "json-2", "span-1", "span-2", "span-3"]);
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

  // Scenario: a body of JSON that is read by a thread of its own, and one that is cut short.
  // Guarantees: the thread is there in every installation, answers, and does not keep the process from ending.
  it("reads long bodies", async () => {
    const daemon = await Daemon.start({ command, yaml: yaml(sink.endpoint) });
    const long = toJson(someSpans(3000, "long"));
    assert.ok(long.length > 300_000);
    assert.equal((await post(daemon, long, "application/json")).status, 200);
    assert.equal((await post(daemon, long.subarray(0, -10), "application/json")).status, 400);
    const { code, books } = await daemon.stop();
    assert.equal(code, 0);
    assert.equal(books["exporter:traces:otlp_http"]?.out, 3000);
  });

  // Scenario: two threads share one port, and another program asks for it.
  // Guarantees: the threads' program is there in every installation; a shared port is nobody else's.
  it("runs in two threads, and keeps its port for itself", async () => {
    const port = await freePort();
    const ofThreads = yaml(sink.endpoint)
      .replaceAll(/grpc: \{[^}]*\}, http: \{ endpoint: "localhost:0" \}/g, `http: { endpoint: "127.0.0.1:${port}" }`)
      .replace("service:", "service:\n  workers: 2");
    const daemon = await Daemon.start({ command, yaml: ofThreads });
    assert.equal((await post(daemon, someSpans(3, "threads").toBuffer())).status, 200);
    const second = Daemon.launch({ command, yaml: ofThreads });
    assert.equal(await second.ended(), 1);
    assert.ok(second.log.includes(`cannot listen on 127.0.0.1:${port}: address already in use\n`), second.log);
    const { code, books } = await daemon.stop();
    assert.equal(code, 0);
    assert.equal(books["exporter:traces:otlp_http"]?.out, 3);
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

  for (const [transport, { offer, code, comeBack }] of Object.entries(offers)) {
    // Scenario: the backend is down; a queue of two requests fills; then the backend comes back.
    // Guarantees: the client is told to come back when the queue is full (503 with Retry-After, UNAVAILABLE with
    // RetryInfo); what was acknowledged arrives.
    it(`pushes back over ${transport} when a dead downstream has filled the queue, and loses nothing it acknowledged`, async (test) => {
      let status = 503;
      const slow = await startTraceSink(() => status);
      test.after(() => slow.close());
      const text = yaml(slow.endpoint, "sending_queue: { queue_size: 2, num_consumers: 1 }").replace(
        "[memory_limiter, batch]",
        "[memory_limiter]",
      );
      const daemon = await Daemon.start({ command, yaml: text });
      const acknowledged: string[] = [];
      let refused: Awaited<ReturnType<Offer>>;
      for (let index = 1; refused === undefined; index++) {
        assert.ok(index < 10, "the queue never filled");
        refused = await offer(daemon, someSpans(1, `queued-${index}`));
        if (refused === undefined) acknowledged.push(`queued-${index}-1`);
      }
      assert.equal(refused.code, code);
      assert.ok(comeBack(refused.comeBack), JSON.stringify(refused));
      status = 200;
      const { books } = await daemon.stop();
      assert.deepEqual(slow.names.toSorted(), acknowledged.sort());
      assert.equal(books["receiver:otlp"]?.refused, 1);
    });
  }
}
