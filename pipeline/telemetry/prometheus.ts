import { createServer, type Server } from "node:http";
import { type Listening, listen } from "../net/listener.ts";
import type { Sample } from "./meter.ts";

/**
 * Serves own metrics as Prometheus text on `GET /metrics`.
 *
 * @throws {Error} in one line naming the endpoint, when it cannot be bound.
 */
export async function servePrometheus(endpoint: string, samples: () => Iterable<Sample>): Promise<Listening> {
  return await listen({ endpoint, transport: "tcp" }, () => metricsServer(samples));
}

function metricsServer(samples: () => Iterable<Sample>): Server {
  return createServer((request, response) => {
    if (request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found\n");
      return;
    }
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
    response.end(prometheusText(samples()));
  });
}

/** Samples in the Prometheus text format. Dots in names and labels become `_`; no suffix is added. */
export function prometheusText(samples: Iterable<Sample>): string {
  const families = new Map<string, string[]>();
  for (const sample of samples) {
    const name = plainName(sample.name);
    let lines = families.get(name);
    if (lines === undefined) {
      lines = [`# HELP ${name} ${escapeHelp(sample.description)}`, `# TYPE ${name} ${sample.type}`];
      families.set(name, lines);
    }
    lines.push(...sampleLines(name, sample));
  }
  return [...families.values()].map((lines) => `${lines.join("\n")}\n`).join("");
}

function* sampleLines(name: string, { labels, value, buckets }: Sample): Iterable<string> {
  if (buckets === undefined) {
    yield `${name}${labelText(labels)} ${numberText(value)}`;
    return;
  }
  let total = 0;
  for (const [index, count] of buckets.counts.entries()) {
    total += count;
    yield `${name}_bucket${labelText({ ...labels, le: numberText(buckets.bounds[index] ?? Infinity) })} ${total}`;
  }
  yield `${name}_sum${labelText(labels)} ${numberText(value)}`;
  yield `${name}_count${labelText(labels)} ${total}`;
}

function labelText(labels: Sample["labels"]): string {
  const parts = Object.entries(labels).map(([key, value]) => `${plainName(key)}="${escapeLabel(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function plainName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_:]/g, "_");
}

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

function escapeHelp(text: string): string {
  return text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replace(/"/g, '\\"');
}
