import { join } from "node:path";
import { Daemon } from "../../support/daemon.ts";
import { check, type Findings } from "../check.ts";
import { comparable, type Item, readItems } from "../otlp_items.ts";
import { receiveToFile } from "../peers/collector.ts";
import { type Peer, run } from "../peers/peer.ts";
import { freePorts, runFolder } from "../peers/server.ts";
import { compare, type Observations, type Program } from "../scenarios.ts";

/** The Collector's load generator sends so much, and so much is there in the end, of the same items. */
export const telemetrygen = check({
  name: "telemetrygen",
  area: "Real clients: telemetrygen",
  needs: ["collector", "telemetrygen"],
  run: (peers): Promise<Findings> => compare(peers.collector, (program) => observe(program, peers.telemetrygen)),
});

/** By signal, of each of two workers at full speed: 750 spans, 500 data points, 500 log records. */
const loads = {
  traces: ["--traces", "250", "--child-spans", "2", "--span-links", "1", "--status-code", "Error"],
  metrics: ["--metrics", "500", "--metric-type", "Histogram"],
  logs: ["--logs", "500", "--body", "a line", "--severity-text", "Error", "--severity-number", "17"],
} as const;

const attributes = ["--otlp-attributes", 'tenant="a"', "--telemetry-attributes", "size=7"];

const protocols = ["gRPC", "HTTP"] as const;

async function observe({ command }: Program, generator: Peer): Promise<Observations> {
  const seen: Record<string, string> = {};
  for (const [signal, load] of Object.entries(loads)) {
    for (const protocol of protocols) {
      const [grpcPort = 0, httpPort = 0, healthPort = 0] = await freePorts(3);
      const file = join(await runFolder("telemetrygen"), "received.jsonl");
      const daemon = await Daemon.start({ yaml: receiveToFile({ grpcPort, httpPort, healthPort }, file), command });
      const endpoint = ["--otlp-endpoint", `127.0.0.1:${protocol === "gRPC" ? grpcPort : httpPort}`, "--otlp-insecure"];
      const way = protocol === "gRPC" ? endpoint : [...endpoint, "--otlp-http"];
      await run(generator.executable, [signal, ...way, ...load, ...attributes, "--workers", "2", "--rate", "0"]);
      daemon.signal("SIGTERM");
      await daemon.ended();
      seen[`telemetrygen, ${signal}, ${protocol}`] = describe(await readItems(file));
    }
  }
  return seen;
}

/** How many items there are, and how many of each kind when what is of this run is left out. */
function describe(items: readonly Item[]): string {
  const counts = new Map<string, number>();
  for (const item of comparable(items)) {
    const kind = item.replaceAll(/"(?:\w*[tT]ime\w*|\w*[iI]d)":"[^"]*"/g, "").replaceAll(/,(?=[,}])|(?<=\{),/g, "");
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const kinds = [...counts].map(([kind, count]) => `${count} of ${kind}`).sort();
  return `${items.length} items of ${kinds.length} kinds: ${kinds.join("; ")}`;
}
