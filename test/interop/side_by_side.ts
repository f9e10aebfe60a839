import { dirname, join } from "node:path";
import { post, type Request } from "./corpus.ts";
import { startOtelpipe } from "./otelpipe.ts";
import * as collector from "./peers/collector.ts";
import type { Peer } from "./peers/peer.ts";
import { withServers } from "./with_servers.ts";

/** Where what came out of each program lies, by the name of its pipeline. */
export interface Outputs {
  ours(name: string): string;
  theirs(name: string): string;
}

/** A pipeline's YAML parts; it takes every signal of `signals` from the one receiver. */
export interface PipelineParts {
  readonly name: string;
  /** Lines such as `batch/a: { timeout: 1s }`. */
  readonly processors?: readonly string[];
  /** One exporter, given the file it may write; a `file` exporter unless said. */
  readonly exporter?: (file: string) => string;
  readonly signals: readonly ("traces" | "metrics" | "logs")[];
}

/**
 * Runs one configuration on otelpipe and on a real Collector, sends both the same requests one after another, stops
 * them and says where the outputs are. Everything is drained by then.
 */
export async function sideBySide(
  peer: Peer,
  pipelines: readonly PipelineParts[],
  requests: readonly Request[],
): Promise<Outputs> {
  const config = (ports: collector.CollectorPorts, outputFile: string): string =>
    configOf(ports, dirname(outputFile), pipelines);
  return await withServers(async (started) => {
    const theirs = started(await collector.start(peer, { config }));
    const ours = started(await startOtelpipe(config));
    for (const { httpPort } of [ours, theirs]) await post(httpPort, requests);
    return {
      ours: (name) => join(dirname(ours.outputFile), `${name}.out`),
      theirs: (name) => join(dirname(theirs.outputFile), `${name}.out`),
    };
  });
}

function configOf(ports: collector.CollectorPorts, folder: string, pipelines: readonly PipelineParts[]): string {
  const processors = pipelines.flatMap((pipeline) => pipeline.processors ?? []);
  const exporters = pipelines.map(({ name, exporter = fileExporter(name) }) => exporter(join(folder, `${name}.out`)));
  const idsOf = (lines: readonly string[]): string => lines.map((line) => line.split(": ", 1)[0]).join(", ");
  const lines = pipelines.flatMap((pipeline, index) =>
    pipeline.signals.map((signal) => {
      const through = `processors: [${idsOf(pipeline.processors ?? [])}]`;
      return `${signal}/${pipeline.name}: { receivers: [otlp], ${through}, exporters: [${idsOf([exporters[index] ?? ""])}] }`;
    }),
  );
  return `receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${ports.httpPort}" } } }
processors:
${processors.map((line) => `  ${line}\n`).join("")}exporters:
${exporters.map((line) => `  ${line}\n`).join("")}extensions:
  health_check: { endpoint: "127.0.0.1:${ports.healthPort}" }
service:
  extensions: [health_check]
  telemetry: { metrics: { level: none } }
  pipelines:
${lines.map((line) => `    ${line}\n`).join("")}`;
}

function fileExporter(name: string): (file: string) => string {
  return (file) => `file/${name}: { path: ${JSON.stringify(file)}, flush_interval: 100ms }`;
}
