import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Daemon } from "../../../support/daemon.ts";
import { Backend } from "../../backend.ts";
import { freePorts, runFolder } from "../../peers/server.ts";
import type { Observations, Program } from "../../scenarios.ts";
import { type Answer, ask } from "../answers/ask.ts";
import { goodTraces } from "../answers/bodies.ts";
import { outageScenarios } from "./outage_scenarios.ts";

/** What a scenario plays with: a backend, the program before it, and a client. */
export interface Stage {
  readonly backend: Backend;
  readonly daemon: Daemon;
  /** Sends one span over HTTP, called `span-name.`, and resolves with the answer. */
  send(name: string): Promise<Answer>;
  /** Starts the program again with the same configuration, after it has ended. */
  restart(): Promise<void>;
}

/** One way for a backend to fail its senders, and what can be seen of it. */
export interface Outage {
  readonly name: string;
  /** Settings of the exporter beyond its endpoint. */
  readonly settings: string;
  /** There is a `file_storage`. */
  readonly storage?: true;
  play(stage: Stage): Promise<string>;
}

/** Plays every outage before an exporter of each protocol. */
export async function observeOutages(program: Program): Promise<Observations> {
  const seen: Record<string, string> = {};
  for (const exporter of ["otlp", "otlp_http"] as const) {
    for (const outage of outageScenarios) {
      const name = `backend over ${exporter === "otlp" ? "gRPC" : "HTTP"}: ${outage.name}`;
      seen[name] = await play(program, exporter, outage);
    }
  }
  return seen;
}

async function play({ command }: Program, exporter: string, outage: Outage): Promise<string> {
  const backend = await Backend.start();
  const [httpPort = 0] = await freePorts(1);
  const folder = await runFolder("outage");
  const file = join(folder, "config.yaml");
  await writeFile(file, config(exporter, outage, backend, httpPort, folder));
  const start = (): Promise<Daemon> => Daemon.start({ args: ["--config", file], command });
  const daemons = [await start()];
  try {
    return await outage.play({
      backend,
      daemon: daemons[0]!,
      send: (name) =>
        ask(
          { httpPort, grpcPort: 0 },
          {
            name,
            protocol: "http",
            path: "/v1/traces",
            headers: { "content-type": "application/x-protobuf" },
            body: goodTraces({ name: `span-${name}.` }),
          },
        ),
      restart: async () => void daemons.push(await start()),
    });
  } finally {
    backend.script = () => undefined;
    for (const daemon of daemons) daemon.signal("SIGKILL");
    await Promise.all(daemons.map((daemon) => daemon.ended()));
    await backend.stop();
  }
}

function config(exporter: string, outage: Outage, backend: Backend, httpPort: number, folder: string): string {
  const endpoint = exporter === "otlp" ? `127.0.0.1:${backend.grpcPort}` : `http://127.0.0.1:${backend.httpPort}`;
  const storage = { directory: join(folder, "queue"), create_directory: true };
  return `receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${httpPort}" } } }
exporters:
  ${exporter}: { endpoint: "${endpoint}", tls: { insecure: true }, compression: none, ${outage.settings} }
${outage.storage ? `extensions: { file_storage: ${JSON.stringify(storage)} }` : ""}
service:
  telemetry: { metrics: { level: none } }
  extensions: [${outage.storage ? "file_storage" : ""}]
  pipelines: { traces: { receivers: [otlp], exporters: [${exporter}] } }
`;
}
