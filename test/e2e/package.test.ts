import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Command, Daemon } from "../support/daemon.ts";
import { someSpans } from "../support/traces.ts";
import { commandLineSuite } from "./command_line_suite.ts";
import { configsSuite } from "./configs_suite.ts";
import { crashSuite } from "./crash_suite.ts";
import { daemonSuite } from "./daemon_suite.ts";
import { lostLogSuite } from "./lost_log_suite.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "otelpipe-package-"));
const installed = join(folder, "global/lib/node_modules/otelpipe");
const command: Command = { program: process.execPath, args: [join(installed, "bin/otelpipe.js")] };

function otelpipe(...args: string[]) {
  return spawnSync(command.program, [...command.args, ...args], { encoding: "utf8", cwd: folder });
}

describe("the packed tarball", () => {
  before(() => {
    const quiet = ["--loglevel=error", "--no-audit", "--no-fund"];
    execFileSync("npm", ["pack", "--pack-destination", folder, ...quiet], { cwd: root, stdio: "pipe" });
    const tarball = join(
      folder,
      `otelpipe-${JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version}.tgz`,
    );
    execFileSync("npm", ["install", "--global", "--prefix", join(folder, "global"), "--offline", ...quiet, tarball], {
      cwd: folder,
      stdio: "pipe",
    });
  });

  it("installs without any dependency, development or other", () => {
    assert.equal(existsSync(join(installed, "node_modules")), false);
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    assert.deepEqual([dependencies, optionalDependencies], [undefined, undefined]);
    assert.equal(existsSync(join(installed, "test")), false);
    assert.equal(existsSync(join(installed, "cmd")), false);
  });

  it("carries the notices of what it bundles", () => {
    const notices = readFileSync(join(installed, "THIRD_PARTY_NOTICES.md"), "utf8");
    for (const name of ["rxjs", "zod", "yaml", "@grpc/grpc-js", "plotly.js-cartesian-dist-min"]) {
      assert.match(notices, new RegExp(`^- ${name}: `, "m"));
    }
  });

  it("says its version, and its commands need no other file of the checkout", () => {
    assert.match(otelpipe("--version").stdout, /^otelpipe version \d+\.\d+\.\d+\n$/);
    assert.match(otelpipe("components").stdout, /name: otlp_grpc/);
    assert.match(otelpipe("docs", "processor", "batch").stdout, /send_batch_size/);
    assert.equal(otelpipe("validate", "--config", join(installed, "configs/quickstart.yaml")).status, 0);
  });

  it("explains an old Node in one line", () => {
    const pretend = join(folder, "old_node.cjs");
    writeFileSync(
      pretend,
      `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.11.1" } });
       Object.defineProperty(process, "version", { value: "v20.11.1" });`,
    );
    const { status, stderr } = spawnSync(process.execPath, ["--require", pretend, ...command.args, "--version"], {
      encoding: "utf8",
    });
    assert.equal(status, 1);
    assert.equal(stderr, "otelpipe needs Node 22.22.2 or newer 22, or 24.14.1 or newer; this is v20.11.1.\n");
  });

  // Scenario: the installed package runs the quickstart config on free ports, gets traces, serves its page and is stopped.
  // Guarantees: everything works without the checkout: bundle, .proto files, the dashboard's assets.
  it("runs the quickstart config", async () => {
    const ports = ["GRPC", "HTTP", "HEALTH", "DASHBOARD", "METRICS"].map((name) => [`OTELPIPE_${name}_PORT`, "0"]);
    const daemon = await Daemon.start({
      command,
      args: ["--config", join(installed, "configs/quickstart.yaml")],
      env: Object.fromEntries(ports),
    });
    const body = new Uint8Array(someSpans(5).toBuffer());
    const headers = { "content-type": "application/x-protobuf" };
    assert.equal((await fetch(`${daemon.http}/v1/traces`, { method: "POST", headers, body })).status, 200);
    const line = daemon.lines().find(({ caller }) => caller === "extension/dashboard");
    const page = await fetch(String(line?.fields["url"]));
    assert.match(await page.text(), /<!doctype html>/);
    const { code, books } = await daemon.stop();
    assert.equal(code, 0);
    assert.equal(books["exporter:traces:graphistry"]?.out, 5);
    assert.equal(books["receiver:otlp"]?.out, 5);
  });

  describe("runs as a daemon", () => {
    daemonSuite(command);
    crashSuite(command);
    lostLogSuite(command);
  });

  describe("runs the configs it brings:", () => configsSuite(command, join(installed, "configs")));

  describe("has the command line", () => commandLineSuite(command));
});
