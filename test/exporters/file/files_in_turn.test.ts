import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import definition from "../../../exporters/file/index.ts";
import { Exclusives } from "../../../pipeline/graph/exclusives.ts";
import { fromJson } from "../../../pipeline/pdata/index.ts";
import { recordedDelivery, simulatedHost } from "../../support/simulated_host.ts";
import { someSpans, spanNames } from "../../support/traces.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "otelpipe-file-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Exporters of one service, each configured anew in the place of the one before. */
function successors() {
  const exclusives = new Exclusives();
  const answers = new Map<string, string>();
  const make = (settings: object) => {
    const host = simulatedHost({ exclusives, id: "file" });
    const exporter = definition.traces!(definition.config.parse(settings), host);
    const send = (name: string) => {
      const ack = () => void answers.set(name, "ack");
      const nack = ({ message }: Error) => void answers.set(name, message);
      exporter.consume({ ...recordedDelivery(someSpans(1, name)).delivery, ack, nack });
    };
    return { exporter, host, send };
  };
  return { make, answers };
}

async function namesAt(path: string): Promise<string[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  return lines.flatMap((line) => spanNames(fromJson("traces", Buffer.from(line))));
}

describe("a file exporter in the place of another one", () => {
  // Scenario: the second is started and has data while the first still has some; then the first is stopped.
  // Guarantees: all that was acknowledged is in the file, in order, though `append` is off.
  it("goes on where the first has ended", async () => {
    const path = join(folder, "goes-on.json");
    const { make, answers } = successors();
    const first = make({ path });
    await first.exporter.start?.();
    first.send("a");
    first.host.tenure.isEnding = true;
    const second = make({ path, flush_interval: "2s" });
    await second.exporter.start?.();
    second.send("c");
    first.send("b");
    await second.exporter.start?.();
    assert.equal(answers.has("c"), false);
    await first.exporter.stop?.();
    await second.exporter.stop?.();
    assert.deepEqual([...answers.values()], ["ack", "ack", "ack"]);
    assert.deepEqual(await namesAt(path), ["a-1", "b-1", "c-1"]);
  });

  // Scenario: the new configuration is given up after its exporter was started.
  // Guarantees: the running exporter is not disturbed, and one that comes later takes its turn.
  it("leaves the first alone when it is given up", async () => {
    const path = join(folder, "given-up.json");
    const { make } = successors();
    const first = make({ path });
    await first.exporter.start?.();
    first.host.tenure.isEnding = true;
    const second = make({ path });
    await second.exporter.start?.();
    await second.exporter.stop?.();
    first.send("a");
    const third = make({ path });
    await third.exporter.start?.();
    third.send("b");
    await first.exporter.stop?.();
    await third.exporter.stop?.();
    assert.deepEqual(await namesAt(path), ["a-1", "b-1"]);
  });

  it("begins the file anew in another format", async () => {
    const path = join(folder, "format.json");
    const { make } = successors();
    const first = make({ path, format: "proto" });
    await first.exporter.start?.();
    first.send("a");
    first.host.tenure.isEnding = true;
    const second = make({ path });
    await second.exporter.start?.();
    second.send("b");
    await first.exporter.stop?.();
    await second.exporter.stop?.();
    assert.deepEqual(await namesAt(path), ["b-1"]);
  });
});

describe("two file exporters at one path", () => {
  it("both start", async () => {
    const { make, answers } = successors();
    const both = [make({ path: "/dev/null" }), make({ path: "/dev/null" })];
    for (const { exporter } of both) await exporter.start?.();
    for (const [at, { send }] of both.entries()) send(String(at));
    for (const { exporter } of both) await exporter.stop?.();
    assert.deepEqual([...answers.values()], ["ack", "ack"]);
  });
});
