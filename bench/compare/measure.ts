import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuMs, type Daemon, freePorts, Helper, type Program, residentMb, startDaemon } from "./daemons.ts";
import type { LoadCommand, LoadCounts, SinkCommand, SinkCounts } from "./messages.ts";
import { configOf, loadOf, type Ports, type Scenario } from "./scenarios.ts";

/** One daemon under one load. */
export interface Measured {
  /** CPU microseconds of the daemon, all threads, user and system, for each item that was answered. */
  readonly cpuUsPerItem: number;
  readonly itemsPerSecond: number;
  /** Of its core. */
  readonly daemonLoad: number;
  readonly generatorLoad: number;
  readonly sinkLoad: number;
  /** Bytes of message bodies that reached the sink, for each item that left. */
  readonly bytesPerItem: number;
  readonly residentMb: number;
  readonly residentPeakMb: number;
  readonly refused: number;
  readonly unsent: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly sent: number;
  readonly arrived: number;
}

export interface Conditions {
  readonly warmupMs: number;
  readonly windowMs: number;
  /** As many as can be had when absent. */
  readonly itemsPerSecond?: number;
  /** What the sink takes; as many as come when absent. */
  readonly sinkItemsPerSecond?: number;
}

/** Load generator and sink, which outlive the daemons they are used with. */
export class Bench {
  readonly #folder = mkdtempSync(join(tmpdir(), "otelpipe-bench-compare-"));
  readonly #sink = new Helper<SinkCommand, SinkCounts>("sink.ts");
  readonly #load = new Helper<LoadCommand, LoadCounts>("load.ts");
  #sinkPort = 0;

  static async open(): Promise<Bench> {
    const bench = new Bench();
    bench.#sinkPort = (await bench.#sink.next<{ port: number }>()).port;
    return bench;
  }

  async close(): Promise<void> {
    await Promise.all([this.#sink.stop(), this.#load.stop()]);
    rmSync(this.#folder, { recursive: true });
  }

  /**
   * Starts `program`, loads it, looks at it for a while, and stops both.
   *
   * @throws Error when items are missing at the sink that were answered with success, or some came twice.
   */
  async measure(program: Program, scenario: Scenario, conditions: Conditions): Promise<Measured> {
    const [grpc = 0, http = 0, metrics = 0] = await freePorts(3);
    const ports: Ports = { grpc, http, metrics, sink: this.#sinkPort };
    const config = join(this.#folder, "config.yaml");
    writeFileSync(config, configOf(scenario, ports));
    const { sinkItemsPerSecond = 0, itemsPerSecond } = conditions;
    await this.#sink.ask({ kind: "reset", signal: scenario.shape.signal, itemsPerSecond: sinkItemsPerSecond });
    const daemon = await startDaemon(program, config, ports[scenario.protocol]);
    try {
      const load = { ...loadOf(scenario, ports), ...(itemsPerSecond === undefined ? {} : { itemsPerSecond }) };
      await this.#load.ask({ kind: "start", load });
      await sleep(conditions.warmupMs);
      const seen = await this.#window(daemon, conditions.windowMs);
      const ended = await this.#load.ask({ kind: "stop" });
      const arrived = await this.#settled(ended.items, scenario, program);
      return { ...seen, sent: ended.items, arrived };
    } finally {
      await daemon.stop();
    }
  }

  async #window({ pid }: Daemon, windowMs: number) {
    const before = await this.#look(pid);
    const resident: number[] = [];
    while (performance.now() - before.atMs < windowMs) {
      await sleep(Math.min(250, windowMs / 4));
      resident.push(residentMb(pid));
    }
    const after = await this.#look(pid);
    const tookMs = after.atMs - before.atMs;
    const items = after.load.items - before.load.items;
    const left = after.sink.items - before.sink.items;
    const latencies = after.load.latenciesMs.toSorted((one, other) => one - other);
    const quantile = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? 0;
    return {
      cpuUsPerItem: ((after.cpuMs - before.cpuMs) / items) * 1_000,
      itemsPerSecond: (items / tookMs) * 1_000,
      daemonLoad: (after.cpuMs - before.cpuMs) / tookMs,
      generatorLoad: (after.load.cpuMs - before.load.cpuMs) / tookMs,
      sinkLoad: (after.sink.cpuMs - before.sink.cpuMs) / tookMs,
      bytesPerItem: left === 0 ? 0 : (after.sink.bytes - before.sink.bytes) / left,
      residentMb: resident.toSorted((one, other) => one - other)[resident.length >> 1] ?? 0,
      residentPeakMb: Math.max(...resident),
      refused: after.load.refused - before.load.refused,
      unsent: after.load.unsent - before.load.unsent,
      latencyP50Ms: quantile(0.5),
      latencyP99Ms: quantile(0.99),
    };
  }

  async #look(pid: number) {
    const [load, sink] = await Promise.all([this.#load.ask({ kind: "read" }), this.#sink.ask({ kind: "read" })]);
    return { load, sink, cpuMs: cpuMs(pid), atMs: performance.now() };
  }

  /** Waits for what daemons still hold, and compares what came with what was answered. */
  async #settled(sent: number, { name, leaving: [least, most] }: Scenario, program: Program): Promise<number> {
    let arrived = 0;
    for (let tries = 0; tries < 50; tries++) {
      ({ items: arrived } = await this.#sink.ask({ kind: "read" }));
      if (arrived >= sent * least) break;
      await sleep(200);
    }
    if (sent > 0 && arrived >= sent * least && arrived <= sent * most) return arrived;
    throw new Error(`${name}, ${program.name}: ${sent} items were answered with success and ${arrived} arrived`);
  }
}
