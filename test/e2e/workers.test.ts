import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fromJson } from "../../pipeline/pdata/index.ts";
import { Daemon } from "../support/daemon.ts";
import { freePort } from "../support/free_port.ts";
import { startTraceSink } from "../support/trace_sink.ts";
import { someSpans, spanNames } from "../support/traces.ts";

const spansPerRequest = 3;

/** Connections of their own to one address: the kernel decides which thread gets which. */
class Senders {
  readonly #url: string;
  readonly #agents: readonly Agent[];
  #next = 1;
  /** The names of the spans that were taken. */
  readonly taken: string[] = [];

  constructor(url: string, connections: number) {
    this.#url = url;
    this.#agents = Array.from({ length: connections }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  }

  /** Each sends `rounds` requests, one after the other. Returns the status codes that were not 200. */
  async send(rounds: number): Promise<number[]> {
    const refused = await Promise.all(
      this.#agents.map(async (agent) => {
        const others: number[] = [];
        for (let round = 0; round < rounds; round++) {
          const spans = someSpans(spansPerRequest, "span", this.#next);
          this.#next += spansPerRequest;
          const status = await this.#post(agent, spans.toBuffer());
          if (status === 200) this.taken.push(...spanNames(spans));
          else others.push(status);
        }
        return others;
      }),
    );
    return refused.flat();
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  #post(agent: Agent, body: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      const options = { agent, method: "POST", headers: { "content-type": "application/x-protobuf" } };
      const post = request(`${this.#url}/v1/traces`, options, (response) => {
        response.resume().on("end", () => resolve(response.statusCode ?? 0));
      });
      post.on("error", reject).end(body);
    });
  }
}

interface Parts {
  readonly port: number;
  readonly sink: string;
  readonly processors?: string;
  readonly exporters?: string;
  readonly file?: string;
}

const yaml = ({ port, sink, processors = "batch", exporters = "otlp_http", file = "unused" }: Parts) => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } }
processors:
  batch: { timeout: 100s }
  batch/short: { timeout: 10ms }
  resource: { attributes: [{ key: a, value: b, action: insert }] }
exporters:
  otlp_http: { endpoint: "${sink}", compression: none, retry_on_failure: { initial_interval: 10ms } }
  file: { path: "${file}" }
service:
  workers: 2
  telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: 0 } } } }] } }
  pipelines:
    traces: { receivers: [otlp], processors: [${processors}], exporters: [${exporters}] }
`;

async function metric(daemon: Daemon, name: string): Promise<number> {
  const text = await (await fetch(`http://${daemon.address("Serving metrics")}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`));
  assert.equal(lines.length, 1, `${name} is one series:\n${lines.join("\n")}`);
  return Number(lines[0]?.split(" ").at(-1));
}

/** Each span once, none other. */
function assertOnce(got: readonly string[], taken: readonly string[]): void {
  assert.deepEqual([...got].sort(), [...taken].sort());
}

describe("otelpipe with two workers", () => {
  // Scenario: a batch that would wait much longer than the test; the process is told to stop while it holds all of it.
  // Guarantees: every span arrives once, series and books are those of the whole, exit code 0.
  it("delivers each span once, counts as one service, and drains", async () => {
    const sink = await startTraceSink();
    const port = await freePort();
    const daemon = await Daemon.start({ yaml: yaml({ port, sink: sink.endpoint }) });
    const senders = new Senders(`http://127.0.0.1:${port}`, 8);
    assert.deepEqual(await senders.send(10), []);
    const { length } = senders.taken;
    assert.equal(await metric(daemon, "otelcol_receiver_accepted_spans"), length);
    senders.close();
    const { code, books } = await daemon.stop();
    sink.close();
    assert.equal(code, 0);
    assertOnce(sink.names, senders.taken);
    assert.deepEqual(Object.keys(books).sort(), [
      "exporter:traces:otlp_http",
      "processor:traces:batch",
      "receiver:otlp",
    ]);
    for (const [node, { in: taken, out }] of Object.entries(books))
      assert.deepEqual([node, taken, out], [node, length, length]);
  });

  // Scenario: one exporter may run in each thread, the other writes a file that only one can have.
  // Guarantees: the file has each span once, and the way there is one edge of the graph.
  it("hands over what only one thread can do", async () => {
    const sink = await startTraceSink();
    const port = await freePort();
    const file = join(mkdtempSync(join(tmpdir(), "otelpipe-workers-")), "spans.jsonl");
    const parts = { port, sink: sink.endpoint, file, processors: "batch/short", exporters: "otlp_http, file" };
    const daemon = await Daemon.start({ yaml: yaml(parts) });
    const senders = new Senders(`http://127.0.0.1:${port}`, 6);
    assert.deepEqual(await senders.send(10), []);
    senders.close();
    const { code, books } = await daemon.stop();
    sink.close();
    assert.equal(code, 0);
    assertOnce(sink.names, senders.taken);
    const lines = readFileSync(file, "utf8").trim().split("\n");
    assertOnce(
      lines.flatMap((line) => spanNames(fromJson("traces", Buffer.from(line), false))),
      senders.taken,
    );
    const { length } = senders.taken;
    for (const exporter of ["otlp_http", "file"]) assert.equal(books[`exporter:traces:${exporter}`]?.out, length);
  });

  it("asks the extensions that a receiver names, in every thread", async () => {
    const sink = await startTraceSink();
    const port = await freePort();
    const open = yaml({ port, sink: sink.endpoint, processors: "" });
    const guarded = open
      .replace(`${port}"`, `${port}", auth: { authenticator: bearertokenauth }`)
      .replace(
        "service:",
        "extensions: { bearertokenauth: { token: secret } }\nservice:\n  extensions: [bearertokenauth]",
      );
    const daemon = await Daemon.start({ yaml: guarded });
    for (const [token, status] of [
      ["wrong", 401],
      ["secret", 200],
    ] as const) {
      // A connection each, so that both threads are asked.
      for (let sent = 1; sent <= 8; sent++) {
        const body = new Uint8Array(someSpans(1, token, sent).toBuffer());
        const headers = {
          "content-type": "application/x-protobuf",
          authorization: `Bearer ${token}`,
          connection: "close",
        };
        assert.equal(
          (await fetch(`http://127.0.0.1:${port}/v1/traces`, { method: "POST", headers, body })).status,
          status,
        );
      }
    }
    await daemon.stop();
    sink.close();
    assert.equal(sink.names.length, 8);
  });

  // Scenario: the configuration changes while eight connections send; once so that a processor comes, once so that all
  // goes to a file in the main thread, once so that a port is in the way.
  // Guarantees: no request is refused, no span is lost or doubled, and what cannot be done changes nothing.
  it("changes its configuration under load", async () => {
    const sink = await startTraceSink();
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "otelpipe-workers-"));
    const [config, file] = [join(folder, "config.yaml"), join(folder, "spans.jsonl")];
    const parts = { port, sink: sink.endpoint, file, processors: "batch/short" };
    writeFileSync(config, yaml(parts));
    const daemon = await Daemon.start({ args: ["--config", config] });
    const senders = new Senders(`http://127.0.0.1:${port}`, 8);
    const reload = async (text: string, said: string, times = 1) => {
      writeFileSync(config, text);
      const sending = senders.send(20);
      daemon.signal("SIGHUP");
      assert.deepEqual(await sending, []);
      await daemon.waitFor(said, times);
    };
    const changed = "The configuration was changed while running.";
    await reload(yaml({ ...parts, processors: "resource, batch/short" }), changed);
    await reload(yaml({ ...parts, exporters: "file" }), changed, 2);
    const taken = yaml(parts).replace(
      "otlp: {",
      'otlp/more: { protocols: { http: { endpoint: "192.0.2.1:1" } } }\n  otlp: {',
    );
    await reload(taken.replace("receivers: [otlp]", "receivers: [otlp, otlp/more]"), "was refused");
    await reload(yaml({ ...parts, exporters: "otlp_http" }), changed, 3);
    senders.close();
    const { code } = await daemon.stop();
    sink.close();
    assert.equal(code, 0);
    const lines = readFileSync(file, "utf8").trim().split("\n");
    const written = lines.flatMap((line) => spanNames(fromJson("traces", Buffer.from(line), false)));
    assertOnce([...sink.names, ...written], senders.taken);
  });
});
