import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Daemon } from "../support/daemon.ts";
import { seededRandom } from "../support/simulated_host.ts";
import { startTraceSink } from "../support/trace_sink.ts";
import { someSpans, spanNames } from "../support/traces.ts";

/** Senders at a time, each with one request under way. */
const senders = 8;
/** Share of the kills that come while otelpipe starts. */
const whileStarting = 0.25;
/** Answers of 200 under load before a kill, and time after the last of them. */
const mostAnswers = 40;
const longestRunMs = 20;
const longestStartMs = 400;
/** How long nothing may arrive while something is missing. */
const silenceMs = 20_000;
/** Share of its requests that the sink tells to come back. */
const refusing = 0.2;

const config = (sink: string, directory: string) => `
extensions:
  file_storage: { directory: ${directory} }
receivers:
  otlp: { protocols: { http: { endpoint: "localhost:0" } } }
exporters:
  otlp_http:
    endpoint: ${sink}
    compression: none
    sending_queue: { storage: file_storage, queue_size: 100000, num_consumers: 4 }
    retry_on_failure: { initial_interval: 5ms, max_interval: 20ms, max_elapsed_time: 0 }
service:
  extensions: [file_storage]
  telemetry: { metrics: { level: none }, logs: { level: info } }
  pipelines: { traces: { receivers: [otlp], exporters: [otlp_http] } }
`;

export interface KillReport {
  readonly kills: number;
  /** Spans that were answered with 200. */
  readonly acknowledged: number;
  /** Spans that the sink took more than once, as at-least-once allows. */
  readonly duplicates: number;
}

/**
 * Kills otelpipe `kills` times at random moments, while it starts and while it is under load, in front of a sink that
 * refuses now and then. At the end it runs undisturbed, and every span that it ever answered for must have arrived.
 */
export async function killLoop(kills: number, seed: number): Promise<KillReport> {
  const random = seededRandom(seed);
  const sink = await startSink(random);
  const directory = mkdtempSync(join(tmpdir(), "otelpipe-kill-"));
  const yaml = config(sink.endpoint, directory);
  const load = new Load(random);
  for (let kill = 0; kill < kills; kill++) {
    const daemon = Daemon.launch({ yaml });
    if (random() < whileStarting) {
      await delay(random() * longestStartMs);
    } else {
      await daemon.waitFor("Everything is ready");
      const sending = load.run(daemon.http);
      await load.answers(Math.floor(random() * mostAnswers));
      await delay(random() * longestRunMs);
      daemon.signal("SIGKILL");
      await sending;
    }
    daemon.signal("SIGKILL");
    await daemon.ended();
  }
  sink.healthy();
  const last = await Daemon.start({ yaml });
  await sink.has(load.acknowledged);
  last.signal("SIGTERM");
  assert.equal(await last.ended(), 0, last.log);
  const unknown = [...sink.taken.keys()].filter((name) => !load.offered.has(name));
  assert.deepEqual(unknown, [], "the sink got what nobody sent");
  assert.doesNotMatch(last.log, /damaged/);
  sink.close();
  const duplicates = [...sink.taken.values()].reduce((sum, times) => sum + times - 1, 0);
  return { kills, acknowledged: load.acknowledged.size, duplicates };
}

/** A backend that refuses now and then until it is told to be healthy. */
async function startSink(random: () => number) {
  let isHealthy = false;
  let onTaken = () => {};
  const sink = await startTraceSink(
    () => (isHealthy || random() >= refusing ? 200 : 503),
    () => onTaken(),
  );
  return {
    ...sink,
    healthy: () => void (isHealthy = true),
    /** Resolves when it has all of `names`. */
    has: async (names: ReadonlySet<string>) => {
      const waiting = [...names];
      for (let name = waiting.at(-1); name !== undefined; name = waiting.at(-1)) {
        if (sink.taken.has(name)) {
          waiting.pop();
          continue;
        }
        const more = new Promise<"more">((resolve) => (onTaken = () => resolve("more")));
        if ((await Promise.race([more, delay(silenceMs, "late" as const, { ref: false })])) === "more") continue;
        const lost = waiting.filter((each) => !sink.taken.has(each));
        assert.deepEqual(lost, [], "acknowledged and not arrived");
      }
    },
  };
}

/** Senders that go on until otelpipe is gone, and remember what it answered for. */
class Load {
  readonly offered = new Set<string>();
  readonly acknowledged = new Set<string>();
  readonly #random: () => number;
  #next = 0;
  #answers = 0;
  #onAnswer: () => void = () => {};

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Resolves after `count` more answers of 200. */
  async answers(count: number): Promise<void> {
    const last = this.#answers + count;
    while (this.#answers < last) await new Promise<void>((resolve) => (this.#onAnswer = resolve));
  }

  async run(endpoint: string): Promise<void> {
    const agent = new Agent({ keepAlive: true });
    await Promise.all(Array.from({ length: senders }, async () => await this.#sendUntilGone(endpoint, agent)));
    agent.destroy();
  }

  async #sendUntilGone(endpoint: string, agent: Agent): Promise<void> {
    for (;;) {
      const count = 1 + Math.floor(this.#random() * 20);
      const data = someSpans(count, "span", this.#next);
      this.#next += count;
      const names = spanNames(data);
      for (const name of names) this.offered.add(name);
      const status = await post(`${endpoint}/v1/traces`, data.toBuffer(), agent);
      if (status === undefined) return;
      if (status !== 200) continue;
      for (const name of names) this.acknowledged.add(name);
      this.#answers++;
      this.#onAnswer();
    }
  }
}

/** The status of the answer; undefined when there is none. */
async function post(url: string, body: Buffer, agent: Agent): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const headers = { "content-type": "application/x-protobuf", "content-length": body.length };
    const call = request(url, { method: "POST", headers, agent }, (response) => {
      response.resume();
      response.on("error", () => resolve(undefined));
      response.on("close", () => resolve(response.complete ? response.statusCode : undefined));
    });
    call.on("error", () => resolve(undefined));
    call.end(body);
  });
}
