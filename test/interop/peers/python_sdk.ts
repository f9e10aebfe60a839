import { join } from "node:path";
import { buildTimeoutMs, ensurePeer, type Peer, run, type Skipped } from "./peer.ts";
import { type SendOptions, type Sent, sendFlags } from "./sent.ts";

const packages = [
  "opentelemetry-sdk==1.45.2",
  "opentelemetry-exporter-otlp-proto-grpc==1.45.2",
  "opentelemetry-exporter-otlp-proto-http==1.45.2",
  "graphistry==0.61.2",
  "plotly==7.1.0",
  "pandas==3.1.1",
  "pyarrow==26.0.1",
];

/** A virtual environment with the official Python SDK, its OTLP exporters, and the readers of what we write. */
export async function ensure(): Promise<Peer | Skipped> {
  return await ensurePeer({
    name: "python_sdk",
    version: packages.join(" "),
    tools: ["python3"],
    executable: join("venv", "bin", "python"),
    async install(folder) {
      await run("python3", ["-m", "venv", join(folder, "venv")]);
      const python = join(folder, "venv", "bin", "python");
      await run(python, ["-m", "pip", "install", "--quiet", ...packages], { timeoutMs: buildTimeoutMs });
    },
  });
}

/** Sends with the Python SDK and gives back what it sent, once its exporters have said that it arrived. */
export async function send(peer: Peer, options: SendOptions): Promise<Sent> {
  const script = join(import.meta.dirname, "python_sdk", "send.py");
  return JSON.parse(await run(peer.executable, [script, ...sendFlags(options, "python-sdk")]));
}
