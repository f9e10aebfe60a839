import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Daemon } from "../../../support/daemon.ts";
import { readItems } from "../../otlp_items.ts";
import { eventually, freePorts, runFolder } from "../../peers/server.ts";
import type { Observations, Program } from "../../scenarios.ts";
import { ask } from "../answers/ask.ts";
import { goodTraces } from "../answers/bodies.ts";

/** What a configuration of these scenarios says. */
export interface Setup {
  readonly httpPort: number;
  /** Where what was received is written: a name within the folder. */
  readonly file: string;
  readonly processors?: string;
  /** Lines at the end, such as a mistake. */
  readonly more?: string;
}

/** A program that runs, and what can be done to it. */
export interface Stage {
  readonly daemon: Daemon;
  /** Two free ports; the program listens on the first. */
  readonly ports: readonly [number, number];
  /** Sends a span and resolves with the status, or `refused` when nothing listens. */
  send(name: string, port?: number): Promise<string>;
  /** Writes another configuration where the program reads it. */
  configure(setup: Partial<Setup>): Promise<void>;
  /** The names of the spans in a file, once there are so many. */
  written(file: string, count: number): Promise<string>;
  /** Sends SIGHUP and waits until the program has dealt with it, or has ended. */
  reload(): Promise<void>;
  /** `runs`, or the exit code. */
  state(): Promise<string>;
}

export interface Scenario {
  readonly name: string;
  readonly processors?: string;
  play(stage: Stage): Promise<string>;
}

/** Plays each scenario with a program of its own. */
export async function observe({ command }: Program, scenarios: readonly Scenario[]): Promise<Observations> {
  const seen: Record<string, string> = {};
  for (const scenario of scenarios) {
    const folder = await runFolder("signals");
    const [httpPort = 0, otherPort = 0] = await freePorts(2);
    const setup = { httpPort, file: "first", ...(scenario.processors && { processors: scenario.processors }) };
    const file = join(folder, "config.yaml");
    await writeFile(file, config(setup, folder));
    const daemon = await Daemon.start({ args: ["--config", file], command });
    // The Collector says that it is ready before it listens to signals.
    await sleep(200);
    try {
      seen[scenario.name] = await scenario.play({
        daemon,
        ports: [httpPort, otherPort],
        send: (name, port = httpPort) => send(name, port),
        configure: (changes) => writeFile(file, config({ ...setup, ...changes }, folder)),
        written: (name, count) => written(join(folder, `${name}.jsonl`), count),
        reload: () => reload(daemon),
        state: () => stateOf(daemon),
      });
    } finally {
      daemon.signal("SIGKILL");
      await daemon.ended();
    }
  }
  return seen;
}

async function send(name: string, httpPort: number): Promise<string> {
  const headers = { "content-type": "application/x-protobuf" };
  const question = { name, protocol: "http", path: "/v1/traces", headers, body: goodTraces({ name }) } as const;
  return await ask({ httpPort, grpcPort: 0 }, question).then(
    ({ status }) => `${status}`,
    () => "refused",
  );
}

async function written(path: string, count: number): Promise<string> {
  const names = async (): Promise<string[]> => (await readItems(path)).map(({ item }) => String(item["name"]));
  await eventually(async () => (await names()).length >= count || undefined, 5_000).catch(() => undefined);
  return (await names()).join(", ") || "nothing";
}

async function reload(daemon: Daemon): Promise<void> {
  const before = daemon.log.length;
  daemon.signal("SIGHUP");
  const isDone = async (): Promise<true | undefined> => {
    if ((await stateOf(daemon)) !== "runs") return true;
    // The Collector starts anew and says so; otelpipe says what came of it.
    const said = daemon.log.slice(before);
    return /Everything is ready|changed while running|nothing changes|old one runs on/.test(said) || undefined;
  };
  await eventually(isDone, 5_000).catch(() => undefined);
}

async function stateOf(daemon: Daemon): Promise<string> {
  const code = await Promise.race([daemon.ended(), sleep(100, "runs" as const)]);
  return code === "runs" ? "runs" : `exit code ${code}`;
}

function config({ httpPort, file, processors = "", more = "" }: Setup, folder: string): string {
  const id = processors.split(":", 1)[0];
  return `receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${httpPort}" } } }
processors: { ${processors} }
exporters:
  file: { path: ${JSON.stringify(join(folder, `${file}.jsonl`))}, append: true, flush_interval: 50ms }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], processors: [${id}], exporters: [file] } }
${more}
`;
}
