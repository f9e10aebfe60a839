import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import definition from "../../../exporters/debug/index.ts";
import { recordedDelivery, simulatedHost } from "../../support/simulated_host.ts";
import { logs, metrics, profiles, traces } from "./data.ts";

function configured(settings: object) {
  return definition.config.parse(settings);
}

describe("debug", () => {
  it("logs one line of counts per batch of any signal, and answers at once", () => {
    const host = simulatedHost({ id: "debug" });
    const config = configured({});
    const answers = [
      [definition.traces!(config, host), recordedDelivery(traces)] as const,
      [definition.metrics!(config, host), recordedDelivery(metrics)] as const,
      [definition.logs!(config, host), recordedDelivery(logs)] as const,
      [definition.profiles!(config, host), recordedDelivery(profiles)] as const,
    ].map(([exporter, { delivery, answers: given }]) => {
      exporter.consume(delivery as never);
      return given;
    });
    assert.deepEqual(answers, [["ack"], ["ack"], ["ack"], ["ack"]]);
    assert.deepEqual(
      host.logs.map(({ level, message, fields }) => [level, message, fields]),
      [
        ["info", "Traces", { "resource spans": 2, spans: 2 }],
        ["info", "Metrics", { "resource metrics": 1, metrics: 6, "data points": 6 }],
        ["info", "Logs", { "resource logs": 1, "log records": 2 }],
        ["info", "Profiles", { "resource profiles": 1, "sample records": 2 }],
      ],
    );
    assert.equal(host.books.sent, 2 + 6 + 2 + 2);
  });

  it("logs the content as a second message when asked for more", () => {
    for (const [verbosity, start] of [
      ["normal", "ResourceTraces #0"],
      ["Detailed", "ResourceSpans #0"],
    ] as const) {
      const host = simulatedHost();
      definition.traces!(configured({ verbosity }), host).consume(recordedDelivery(traces).delivery);
      assert.equal(host.logs[0]?.message, "Traces");
      assert.ok(host.logs[1]?.message.startsWith(start));
    }
  });

  // Scenario: nine equal batches within a second, then one in the next; two pass first, then every third.
  // Guarantees: messages are let through by their text and second, as the Collector's logger does; every batch is answered.
  it("leaves out equal messages beyond sampling_initial, but for every nth", () => {
    const host = simulatedHost();
    const exporter = definition.traces!(configured({ sampling_initial: 2, sampling_thereafter: 3 }), host);
    const logged = Array.from({ length: 10 }, (_, index) => {
      if (index === 9) host.advance(1000);
      const before = host.logs.length;
      const { delivery, answers } = recordedDelivery(traces);
      exporter.consume(delivery);
      assert.deepEqual(answers, ["ack"]);
      return host.logs.length - before;
    });
    assert.deepEqual(logged, [1, 1, 0, 0, 1, 0, 0, 1, 0, 1]);
  });

  it("writes bare messages to files of its own, without the service's log", async () => {
    const folder = await mkdtemp(join(tmpdir(), "otelpipe-debug-"));
    const path = join(folder, "out.txt");
    const host = simulatedHost();
    const settings = { use_internal_logger: false, output_paths: [path], verbosity: "normal" };
    const exporter = definition.traces!(configured(settings), host);
    await exporter.start?.();
    const answered = Promise.withResolvers<void>();
    exporter.consume({ ...recordedDelivery(traces).delivery, ack: answered.resolve });
    await answered.promise;
    await exporter.stop?.();
    await exporter.stop?.();
    const written = await readFile(path, "utf8");
    assert.ok(written.startsWith('Traces\t{"resource spans": 2, "spans": 2}\nResourceTraces #0 '), written);
    assert.ok(written.endsWith("ResourceTraces #1\n\n"));
    assert.deepEqual(host.logs, []);
    await rm(folder, { recursive: true });
  });

  it("refuses retryably what it cannot write", async () => {
    const host = simulatedHost();
    const settings = { use_internal_logger: false, output_paths: ["/nonexistent/out.txt"] };
    const exporter = definition.traces!(configured(settings), host);
    await assert.rejects(async () => exporter.start?.(), /ENOENT/);
    const answered = Promise.withResolvers<boolean>();
    exporter.consume({ ...recordedDelivery(traces).delivery, nack: (error) => answered.resolve(error.retryable) });
    assert.equal(await answered.promise, true);
  });

  for (const { settings, message } of [
    {
      settings: { output_paths: ["stdout"] },
      message: "output_paths is not supported when use_internal_logger is true",
    },
    {
      settings: { use_internal_logger: false, output_paths: [] },
      message: "output_paths must not be empty when use_internal_logger is false",
    },
  ]) {
    it(`refuses ${JSON.stringify(settings)}`, () => {
      assert.deepEqual(
        definition.config.safeParse(settings).error?.issues.map((issue) => issue.message),
        [message],
      );
    });
  }

  it("refuses a verbosity it does not know", () => {
    assert.equal(definition.config.safeParse({ verbosity: "none" }).success, false);
  });
});
