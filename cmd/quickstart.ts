import { loadConfig } from "../pipeline/config/load.ts";
import { packageFile } from "../pipeline/process/package_file.ts";
import { parseArguments } from "./arguments.ts";
import { booksText } from "./books_text.ts";
import { catalog } from "./catalog.ts";
import { startWorkload } from "./generate/workload.ts";
import { run } from "./run.ts";

/** `otelpipe quickstart`: the quickstart config and a synthetic workload in one process, until Ctrl-C. */
export async function quickstart(args: readonly string[]): Promise<number> {
  const { values } = parseArguments("quickstart", args, {
    "no-workload": { type: "boolean", default: false },
    rate: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
  });
  const source = packageFile("configs/quickstart.yaml");
  const load = () => loadConfig([source], catalog);
  const grpcPort = process.env["OTELPIPE_GRPC_PORT"] ?? "4317";
  const dashboardPort = process.env["OTELPIPE_DASHBOARD_PORT"] ?? "13140";
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  return run({
    config: await load(),
    load,
    configSources: ["configs/quickstart.yaml"],
    onReady: () => {
      say(
        `\n  Dashboard  http://localhost:${dashboardPort}\n  OTLP       localhost:${grpcPort} (gRPC)\n  Ctrl-C     stops and prints the books\n`,
      );
      const watch = endWithNpm();
      if (values["no-workload"]) return async () => clearInterval(watch);
      const workload = startWorkload({
        endpoint: `localhost:${grpcPort}`,
        protocol: "grpc",
        spansPerSecond: Number(values.rate),
        seed: Number(values.seed),
      });
      return async () => {
        clearInterval(watch);
        await workload.stop();
      };
    },
    onStopped: (report) => say(booksText(report)),
  });
}

const watchEveryMs = 500;

/** `npm start` that was killed outright cannot pass the signal on: notices that npm is gone and stops as on SIGTERM. */
function endWithNpm(): NodeJS.Timeout | undefined {
  if (process.env["npm_lifecycle_event"] !== "start") return undefined;
  const npm = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, watchEveryMs);
  return watch.unref();
}
