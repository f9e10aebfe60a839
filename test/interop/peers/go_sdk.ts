import { createHash } from "node:crypto";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildTimeoutMs, ensurePeer, goEnvironment, type Peer, run, type Skipped } from "./peer.ts";
import { type SendOptions, type Sent, sendFlags } from "./sent.ts";

/** The SDK and its trace and metric exporters; logs have their own number (the proxy lacks v0.23.0, which goes with v1.47). */
const version = "v1.46.0";
const logsVersion = "v0.22.0";
const otel = "go.opentelemetry.io/otel";
const modules = [
  `${otel}@${version}`,
  `${otel}/sdk@${version}`,
  `${otel}/sdk/metric@${version}`,
  `${otel}/exporters/otlp/otlptrace/otlptracegrpc@${version}`,
  `${otel}/exporters/otlp/otlptrace/otlptracehttp@${version}`,
  `${otel}/exporters/otlp/otlpmetric/otlpmetricgrpc@${version}`,
  `${otel}/exporters/otlp/otlpmetric/otlpmetrichttp@${version}`,
  `${otel}/log@${logsVersion}`,
  `${otel}/sdk/log@${logsVersion}`,
  `${otel}/exporters/otlp/otlplog/otlploggrpc@${logsVersion}`,
  `${otel}/exporters/otlp/otlplog/otlploghttp@${logsVersion}`,
];

const files = ["main.go", "exporters.go"];

/** A program that sends with the official Go SDK, built from `go_sdk/`. */
export async function ensure(): Promise<Peer | Skipped> {
  const source = join(import.meta.dirname, "go_sdk");
  const code = await Promise.all(files.map((file) => readFile(join(source, file))));
  const digest = createHash("sha256").update(Buffer.concat(code)).digest("hex").slice(0, 12);
  return await ensurePeer({
    name: "go_sdk",
    version: `opentelemetry-go ${version}, logs ${logsVersion}, program ${digest}`,
    tools: ["go"],
    executable: "go_sdk",
    async install(folder) {
      const options = { cwd: folder, env: goEnvironment, timeoutMs: buildTimeoutMs };
      await Promise.all(files.map((file) => cp(join(source, file), join(folder, file))));
      await run("go", ["mod", "init", "example.test/go_sdk"], options);
      await run("go", ["get", ...modules], options);
      await run("go", ["build", "-o", "go_sdk", "."], options);
    },
  });
}

/** Sends with the Go SDK and gives back what it sent, once its exporters have said that it arrived. */
export async function send(peer: Peer, options: SendOptions): Promise<Sent> {
  return JSON.parse(await run(peer.executable, sendFlags(options, "go-sdk")));
}
