import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { readOptions } from "../../../cmd/generate/options.ts";
import { progressText } from "../../../cmd/generate/progress.ts";
import type { Truth } from "../../../cmd/generate/truth.ts";
import { UsageError } from "../../../cmd/usage_error.ts";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import { startReceiver, stopReceivers } from "../../receivers/otlp/harness.ts";
import { seed } from "./collect.ts";

const folder = await mkdtemp(join(tmpdir(), "otelpipe-generate-"));
after(async () => {
  await stopReceivers();
  await rm(folder, { recursive: true });
});

const program = join(import.meta.dirname, "../../../bin/otelpipe.js");

/** Runs the command; `signal` is sent once `onOutput` says so. */
function run(args: readonly string[], interruptAt?: RegExp) {
  const child = spawn(process.execPath, [program, "generate", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  let interrupted = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
    if (interrupted || interruptAt === undefined || !interruptAt.test(errors)) return;
    interrupted = true;
    child.kill("SIGINT");
  });
  return new Promise<{ code: number | null; output: string; errors: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, output, errors }));
  });
}

async function truthIn(file: string): Promise<Truth> {
  return JSON.parse(await readFile(file, "utf8")) as Truth;
}

describe("otelpipe generate", () => {
  it("sends what it was asked for, says so and writes the truth", async () => {
    const { grpc, offers } = await startReceiver();
    const file = join(folder, "limited.json");
    const args = [
      "--endpoint",
      grpc,
      "--failures",
      "0",
      "--spans",
      "700",
      "--rate",
      "100000",
      "--send",
      "whole",
      "--seed",
      String(seed),
    ];
    const { code, errors } = await run([...args, "--truth", file, "--quiet"]);
    assert.equal(code, 0, errors);
    const arrived = offers
      .filter(({ signal }) => signal === "traces")
      .reduce((sum, { data }) => sum + data.itemCount, 0);
    const truth = await truthIn(file);
    assert.equal(truth.spans, arrived);
    assert.equal(truth.seed, seed);
    assert.ok(arrived >= 700);
    assert.match(errors, /^Sent [\d\u202f]+ spans in .*: [\d\u202f]+ accepted, 0 refused\.\n.* requests to models/);
  });

  it("ends cleanly on Ctrl-C, with the truth until then", async () => {
    const { http, offers } = await startReceiver();
    const file = join(folder, "interrupted.json");
    const args = ["--protocol", "http", "--endpoint", `http://${http}`, "--rate", "300", "--truth", file];
    const { code, errors } = await run(args, /[1-9]\d* accepted/);
    assert.equal(code, 0, errors);
    const arrived = offers
      .filter(({ signal }) => signal === "traces")
      .reduce((sum, { data }) => sum + data.itemCount, 0);
    assert.equal((await truthIn(file)).spans, arrived);
    assert.ok(arrived > 0);
  });

  it("says in one line that nothing could be sent, with exit code 1", async () => {
    const { receiver, grpc } = await startReceiver();
    await receiver.stop();
    const { code, errors } = await run(["--endpoint", grpc, "--retry-for", "100ms", "--quiet"]);
    assert.equal(code, 1);
    assert.match(errors, /^Error: nothing could be sent: .*connection refused.*\n$/);
  });

  // Scenario: the second batch of spans is refused for good, and so are all metrics.
  // Guarantees: how much and why stands in the last line, the truth holds the rest, and the exit code is 1.
  it("ends with exit code 1 when part of the data was refused for good", async () => {
    let count = 0;
    const wrong = new ConsumeError("wrong", { retryable: false });
    const { grpc } = await startReceiver({
      answer: ({ signal }, answer) => answer(signal === "metrics" || ++count === 2 ? wrong : undefined),
    });
    const file = join(folder, "refused.json");
    const limits = ["--failures", "0", "--spans", "3000", "--rate", "100000", "--send", "whole", "--quiet"];
    const { code, errors } = await run(["--endpoint", grpc, "--truth", file, ...limits]);
    assert.equal(code, 1);
    const [, spans] = /accepted, ([\d\u202f]+) refused\./.exec(errors) ?? [];
    assert.match(
      errors,
      new RegExp(`\nError: refused for good: ${spans} spans and \\d+ metric data points .*: .*wrong\n$`),
    );
    assert.ok((await truthIn(file)).spans > 0);
  });

  it("says how to send HTTP where gRPC found an HTTP server", async () => {
    const { http } = await startReceiver();
    const { code, errors } = await run(["--endpoint", `http://${http}`, "--retry-for", "100ms", "--quiet"]);
    assert.equal(code, 1);
    assert.match(
      errors,
      /^Error: nothing could be sent: .* \(sent as gRPC; for OTLP over HTTP add --protocol http\)\n$/,
    );
  });

  it("explains itself", async () => {
    const { code, output } = await run(["--help"]);
    assert.equal(code, 0);
    for (const flag of ["--endpoint", "--rate", "--truth", "--dialects", "--failures"])
      assert.ok(output.includes(flag));
  });
});

describe("flags", () => {
  it("become options", () => {
    const { workload, truthFile, quiet } = readOptions({
      rate: "20",
      duration: "1m",
      dialects: "current=60, older=40",
      failures: "0.5",
      day: "10m",
      truth: "truth.json",
      quiet: true,
    });
    assert.equal(workload.spansPerSecond, 20);
    assert.equal(workload.durationMs, 60_000);
    assert.equal(workload.daySeconds, 600);
    assert.deepEqual(
      Object.entries(workload.dialects ?? {}).filter(([, share]) => share > 0),
      [
        ["current", 60],
        ["older", 40],
      ],
    );
    assert.deepEqual([truthFile, quiet], ["truth.json", true]);
  });

  for (const { values, protocol, endpoint, inferred } of [
    { values: {}, protocol: "grpc", endpoint: undefined, inferred: false },
    { values: { endpoint: "host:4317" }, protocol: "grpc", endpoint: "host:4317", inferred: false },
    { values: { endpoint: "http://host:4317" }, protocol: "grpc", endpoint: "http://host:4317", inferred: false },
    { values: { endpoint: "http://host:4318" }, protocol: "http", endpoint: "http://host:4318", inferred: true },
    { values: { endpoint: "https://host:4318/" }, protocol: "http", endpoint: "https://host:4318/", inferred: true },
    { values: { endpoint: "host:4318" }, protocol: "http", endpoint: "http://host:4318", inferred: true },
    { values: { endpoint: "h:4318", protocol: "grpc" }, protocol: "grpc", endpoint: "h:4318", inferred: false },
  ]) {
    it(`send ${protocol} for ${JSON.stringify(values)}${inferred ? ", and say so" : ""}`, () => {
      const options = readOptions(values);
      assert.deepEqual([options.workload.protocol, options.workload.endpoint], [protocol, endpoint]);
      assert.equal(options.inferred !== undefined, inferred);
    });
  }

  for (const [values, message] of [
    [{ rate: "-1" }, '--rate takes a number from 0.001, not "-1"'],
    [{ rate: "fast" }, '--rate takes a number from 0.001, not "fast"'],
    [{ failures: "2" }, '--failures takes a number from 0 to 1, not "2"'],
    [{ duration: "10" }, '--duration takes a duration such as 30s or 5m, not "10"'],
    [{ protocol: "udp" }, '--protocol takes grpc, http, http/json, not "udp"'],
    [{ dialects: "curent=1" }, "unknown dialect curent, did you mean current?"],
    [{ dialects: "current=0" }, "--dialects leaves no dialect"],
    [{ "bad-service": "web-chatt" }, /^unknown service web-chatt, did you mean web-chat\?/],
  ] as const) {
    it(`refuse ${JSON.stringify(values)}`, () => {
      assert.throws(
        () => readOptions(values),
        (error: Error) => {
          assert.ok(error instanceof UsageError);
          if (typeof message === "string") assert.equal(error.message, message);
          else assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});

it("the progress line has the rate of the last second", () => {
  const before = {
    elapsedSeconds: 10,
    sent: 100,
    accepted: 100,
    refused: 0,
    refusedPoints: 0,
    retries: 0,
    delayedSeconds: 0,
    error: undefined,
  };
  const now = { ...before, elapsedSeconds: 12, accepted: 12_100, refused: 7, retries: 2 };
  assert.equal(progressText(before, now), "12 s  6\u202f000 spans/s  12\u202f100 accepted, 7 refused  2 retries");
});
