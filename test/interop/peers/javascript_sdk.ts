import { createHash } from "node:crypto";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildTimeoutMs, ensurePeer, type Peer, run, type Skipped } from "./peer.ts";
import { type SendOptions, type Sent, sendFlags } from "./sent.ts";

const stable = "2.12.1";
const experimental = "0.223.0";
const otel = "@opentelemetry";
const packages = [
  `${otel}/api@1.9.1`,
  ...["resources", "sdk-metrics", "sdk-trace-base"].map((name) => `${otel}/${name}@${stable}`),
  ...["api-logs", "sdk-logs"].map((name) => `${otel}/${name}@${experimental}`),
  ...["trace", "metrics", "logs"].flatMap((signal) =>
    ["proto", "grpc"].map((protocol) => `${otel}/exporter-${signal}-otlp-${protocol}@${experimental}`),
  ),
];

/** A program that sends with the official JavaScript SDK, `javascript_sdk/send.js`, beside the packages it imports. */
export async function ensure(): Promise<Peer | Skipped> {
  const source = join(import.meta.dirname, "javascript_sdk", "send.js");
  const digest = createHash("sha256")
    .update(await readFile(source))
    .digest("hex")
    .slice(0, 12);
  return await ensurePeer({
    name: "javascript_sdk",
    version: `opentelemetry-js ${stable}, ${experimental}, program ${digest}`,
    tools: ["npm"],
    executable: "send.js",
    async install(folder) {
      await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
      const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
      await run("npm", ["install", ...quiet, ...packages], { cwd: folder, timeoutMs: buildTimeoutMs });
      await cp(source, join(folder, "send.js"));
    },
  });
}

/** Sends with the JavaScript SDK and gives back what it sent, once its exporters have said that it arrived. */
export async function send(peer: Peer, options: SendOptions): Promise<Sent> {
  return JSON.parse(await run(process.execPath, [peer.executable, ...sendFlags(options, "javascript-sdk")]));
}
