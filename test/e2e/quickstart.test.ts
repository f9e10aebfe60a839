import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { booksAtTheEnd, Daemon } from "../support/daemon.ts";
import { freePort } from "../support/free_port.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

async function environment(): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "otelpipe-quickstart-"));
  return {
    FIGURE_DIRECTORY: join(folder, "figures"),
    GRAPH_DIRECTORY: join(folder, "graph"),
    OTELPIPE_GRPC_PORT: String(await freePort()),
    OTELPIPE_DASHBOARD_PORT: String(await freePort()),
    OTELPIPE_HTTP_PORT: "0",
    OTELPIPE_HEALTH_PORT: "0",
    OTELPIPE_METRICS_PORT: "0",
  };
}

describe("the quickstart", () => {
  it("prints the dashboard's address, runs a workload, and on Ctrl-C drains and prints the books", async () => {
    const env = await environment();
    const daemon = await Daemon.start({ args: ["quickstart", "--rate", "500"], env });
    await daemon.waitFor(`http://localhost:${env["OTELPIPE_DASHBOARD_PORT"]}`);
    await daemon.waitFor("\tTraces\t");
    const { code, books } = await daemon.stop("SIGINT");
    assert.equal(code, 0);
    const received = books["receiver:otlp"]?.in ?? 0;
    assert.ok(received > 0);
    assert.match(daemon.stdout, /^received +otlp +[\d\u202f]+$/m);
    assert.match(daemon.stdout, /^dropped +probabilistic_sampler \(traces\/sampled\) +[\d\u202f]+ +sampled_out$/m);
    assert.match(daemon.stdout, /^exported +plotly \(traces\) +[\d\u202f]+$/m);
    assert.match(daemon.stdout, /^lost 0; in = out \+ dropped \+ refused everywhere\.$/m);
  });

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    it(`leaves no process behind when npm start ends by ${signal}`, async () => {
      const { npm, log } = await npmStart();
      npm.kill(signal);
      // The pipes end when the last process that holds them has ended: npm, its shell or the daemon.
      await once(npm, "close");
      assert.match(log(), /Shutdown complete/);
      booksAtTheEnd(log());
    });
  }

  // Scenario: a terminal sends Ctrl-C to npm, its shell and the daemon, and npm passes it on to the daemon as well.
  // Guarantees: it drains and prints what was received, dropped and exported.
  it("drains and prints the books when a terminal's Ctrl-C ends npm start", async () => {
    const { npm, log } = await npmStart();
    process.kill(-(npm.pid ?? 0), "SIGINT");
    await once(npm, "close");
    booksAtTheEnd(log());
    assert.match(log(), /^lost 0; in = out \+ dropped \+ refused everywhere\.$/m);
  });
});

/** `npm start` as the leader of a process group, once everything is ready. */
async function npmStart(): Promise<{ readonly npm: ChildProcess; log(): string }> {
  const npm = spawn("npm", ["start", "--silent"], {
    cwd: root,
    env: { ...process.env, ...(await environment()) },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let log = "";
  await new Promise<void>((resolve, reject) => {
    const read = (text: Buffer) => {
      log += String(text);
      if (log.includes("Everything is ready")) resolve();
    };
    npm.stdout.on("data", read);
    npm.stderr.on("data", read);
    npm.once("close", () => reject(new Error(`npm start ended early:\n${log}`)));
  });
  return { npm, log: () => log };
}
