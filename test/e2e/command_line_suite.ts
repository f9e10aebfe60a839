import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { it } from "node:test";
import { type Command, Daemon } from "../support/daemon.ts";
import { someSpans } from "../support/traces.ts";

const yaml = `
receivers: { otlp: { protocols: { http: { endpoint: "localhost:0" } } } }
processors: { batch: { timeout: 100s } }
exporters: { otlp_http: { endpoint: "http://127.0.0.1:1", retry_on_failure: { max_elapsed_time: 1000s } } }
extensions: { health_check: { endpoint: "localhost:0" } }
service:
  extensions: [health_check]
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], processors: [batch], exporters: [otlp_http] } }
`;

/** Runs a command to its end. */
async function run({ program, args }: Command, ...more: readonly string[]) {
  const child = spawn(program, [...args, ...more], { stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** What the command line must do, however otelpipe was installed. */
export function commandLineSuite(command: Command): void {
  it("runs a configuration from the network, with settings over it, and says where each value is from", async (test) => {
    const server = createServer(({ url }, response) => {
      if (url === "/part") response.end("{ send_batch_size: 7 }");
      else response.end(yaml.replace("{ timeout: 100s }", `"\${http://127.0.0.1:${port}/part}"`));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    test.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const config = ["--config", `http://127.0.0.1:${port}/config`, "--set", "processors.batch.timeout=3s"];
    const printed = await run(command, "print-config", "--origin", ...config);
    assert.equal(printed.code, 0, printed.stderr);
    assert.match(printed.stdout, /timeout: 3s # --set processors\.batch\.timeout:1$/m);
    assert.match(printed.stdout, new RegExp(`endpoint: localhost:0 # http://127\\.0\\.0\\.1:${port}/config:2$`, "m"));
    const daemon = await Daemon.start({ command, args: config });
    assert.equal((await daemon.stop()).code, 0);
    assert.equal((await run(command, "validate", "--config", "http://127.0.0.1:1/x")).code, 1);
  });

  it("says which GPUs there are and which engine would aggregate", async () => {
    const { code, stdout } = await run(command, "gpu", "check", "--config", "configs/gpu-aggregation.yaml");
    assert.equal(code, 0);
    assert.match(stdout, /^(There is no NVIDIA GPU\.|There is no NVIDIA driver|NVIDIA driver)/);
    assert.match(stdout, /^aggregate\/gpu: engine auto, device 1: (cpu|rapids) computes/m);
  });

  it("lists components and feature gates, and takes gates", async () => {
    assert.match((await run(command, "components")).stdout, /^ {4}- scheme: https$/m);
    assert.match((await run(command, "featuregate")).stdout, /^service\.profilesSupport +false +Alpha/m);
    const refused = await run(command, "validate", "--config", "yaml:", "--feature-gates", "nope");
    assert.match(refused.stderr, /unknown feature gate nope/);
  });

  it("logs what starts and stops in the Collector's order", async () => {
    const daemon = await Daemon.start({ command, yaml });
    assert.equal((await daemon.stop()).code, 0);
    const messages = [
      "Starting otelpipe...",
      "Starting extensions...",
      "Extension is starting...",
      "Extension started.",
      "Starting HTTP server",
      "Everything is ready. Begin running and processing data.",
      "Received signal from OS",
      "Starting shutdown...",
      "Stopping extensions...",
      "Shutdown complete.",
    ];
    const logged = daemon.lines().map(({ message }) => message);
    assert.deepEqual(
      logged.filter((message) => messages.includes(message)),
      messages,
    );
  });

  // Scenario: a terminal and npm both pass Ctrl-C on, at once.
  // Guarantees: it drains and leaves its books, as after one signal.
  it("drains when the same signal comes twice", async () => {
    const daemon = await Daemon.start({ command, yaml });
    daemon.signal("SIGINT");
    daemon.signal("SIGINT");
    const { code } = await daemon.stop("SIGINT");
    assert.equal(code, 0);
  });

  // Scenario: nothing takes what is held, so the drain would last its twenty seconds; a second signal comes.
  // Guarantees: the process ends at once, with an exit code that says it was not a clean end.
  it("exits at once on a second signal, unless that is Ctrl-C reaching it twice", async () => {
    const daemon = await Daemon.start({ command, yaml });
    const body = new Uint8Array(someSpans(1).toBuffer());
    const headers = { "content-type": "application/x-protobuf" };
    assert.equal((await fetch(`${daemon.http}/v1/traces`, { method: "POST", headers, body })).status, 200);
    daemon.signal("SIGTERM");
    await daemon.waitFor("Starting shutdown...");
    // Those of the first second count as one; the drain that is waited for would take twenty.
    const again = setInterval(() => daemon.signal("SIGINT"), 100);
    assert.equal(await daemon.ended(), 130);
    clearInterval(again);
    assert.doesNotMatch(daemon.log, /Shutdown complete/);
  });
}
