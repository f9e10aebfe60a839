import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { extension, type Lifecycle } from "../../pipeline/component.ts";
import { z } from "../../pipeline/config/schema.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import { type Listening, listen } from "../../pipeline/net/listener.ts";
import { ProcessProfiler } from "./profiler.ts";
import { PprofRoutes } from "./routes.ts";

const config = z.strictObject({
  endpoint: z.string().default("localhost:1777").describe("Where to listen: host:port."),
  dialer: z.unknown().optional().describe("Accepted without effect."),
  block_profile_fraction: z.int().default(0).describe("Accepted without effect: nothing blocks in Node."),
  mutex_profile_fraction: z.int().default(0).describe("Accepted without effect: there are no locks to wait for."),
  save_to_file: z
    .string()
    .default("")
    .describe("A file for a CPU profile of the whole run, written at shutdown; /debug/pprof/profile is busy then."),
});

type Settings = z.output<typeof config>;

export default extension({
  type: "pprof",
  stability: "beta",
  summary: "Serves CPU and heap profiles of this process in pprof's format.",
  config,
  examples: [
    { title: "For `go tool pprof http://localhost:1777/debug/pprof/profile`", yaml: "pprof: {}" },
    { title: "The whole run in a file", yaml: "pprof: { save_to_file: /tmp/cpu.pb.gz }" },
  ],
  create: (settings, host) => new Pprof(settings, host),
});

class Pprof implements Lifecycle {
  readonly #settings: Settings;
  readonly #host: ExtensionHost;
  readonly #profiler: ProcessProfiler;
  readonly #routes: PprofRoutes;
  #listening: Listening | undefined;

  constructor(settings: Settings, host: ExtensionHost) {
    this.#settings = settings;
    this.#host = host;
    this.#profiler = new ProcessProfiler(host.clock);
    this.#routes = new PprofRoutes(this.#profiler, host.clock);
  }

  async start(): Promise<void> {
    if (this.#listening !== undefined) return;
    const { endpoint, save_to_file } = this.#settings;
    this.#listening = await listen({ endpoint, transport: "tcp" }, () => this.#makeServer(), this.#host);
    this.#host.logger.info({ endpoint: this.#listening.addresses.join(", ") }, "Starting net/http/pprof server");
    await this.#profiler.start();
    if (save_to_file === "") return;
    await writeFile(save_to_file, "");
    await this.#profiler.startCpu();
  }

  async stop(): Promise<void> {
    if (this.#listening === undefined) return;
    this.#listening.close();
    this.#routes.stop();
    this.#listening.destroyConnections();
    this.#listening = undefined;
    const { save_to_file } = this.#settings;
    try {
      if (save_to_file !== "") await writeFile(save_to_file, await this.#profiler.stopCpu());
    } finally {
      this.#profiler.stop();
    }
  }

  #makeServer(): Server {
    return createServer((request, response) => void this.#routes.answer(request, response));
  }
}
