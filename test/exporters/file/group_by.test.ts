import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, describe, it } from "node:test";
import { groupPaths } from "../../../exporters/file/group_path.ts";
import definition from "../../../exporters/file/index.ts";
import type { ExporterHost } from "../../../pipeline/host.ts";
import { decode, encode, fromJson, type Pdata, type Profiles, type Signal } from "../../../pipeline/pdata/index.ts";
import { recordedDelivery, simulatedHost } from "../../support/simulated_host.ts";
import { spanNames } from "../../support/traces.ts";
import { eventually } from "../../support/turns.ts";

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "otelpipe-groups-"));
  folders.push(folder);
  return folder;
}

type Tenant = string | number | undefined;

function resourceOf(tenant: Tenant) {
  const value = typeof tenant === "number" ? { intValue: BigInt(tenant) } : { stringValue: tenant };
  return { attributes: tenant === undefined ? [] : [{ key: "tenant", value }] };
}

/** One span for each tenant, of its name. */
function spansOf(...tenants: readonly Tenant[]): Pdata {
  return encode("traces", {
    resourceSpans: tenants.map((tenant) => ({
      resource: resourceOf(tenant),
      scopeSpans: [{ spans: [{ name: String(tenant) }] }],
    })),
  } as never);
}

async function exporterOf(path: string, settings: object = {}, signal: Signal = "traces") {
  const host = simulatedHost({ id: "file", signal });
  const group_by = {
    enabled: true,
    resource_attribute: "tenant",
    ...("group_by" in settings ? (settings.group_by as object) : {}),
  };
  const config = definition.config.parse({ path, ...settings, group_by });
  const create = definition[signal] as unknown as (
    config: object,
    host: ExporterHost,
  ) => ReturnType<NonNullable<typeof definition.traces>>;
  const exporter = create(config, host);
  await exporter.start?.();
  return {
    host,
    async send(data: Pdata) {
      const { delivery, answers } = recordedDelivery(data);
      exporter.consume(delivery as never);
      await eventually(() => answers.length > 0);
      return answers[0];
    },
    stop: async () => await exporter.stop?.(),
  };
}

async function namesIn(path: string): Promise<string[]> {
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  return lines.flatMap((line) => spanNames(fromJson("traces", Buffer.from(line))));
}

describe("group_by of the file exporter", () => {
  it("writes a file for each value of the attribute, and makes the folders", async () => {
    const folder = emptyFolder();
    const { send, stop, host } = await exporterOf(join(folder, "out/*/spans.json"));
    assert.equal(await send(spansOf("a", "b", "a")), "ack");
    assert.equal(await send(spansOf("b/c")), "ack");
    await stop();
    assert.deepEqual(await namesIn(join(folder, "out/a/spans.json")), ["a", "a"]);
    assert.deepEqual(await namesIn(join(folder, "out/b/spans.json")), ["b"]);
    assert.deepEqual(await namesIn(join(folder, "out/b/c/spans.json")), ["b/c"]);
    assert.equal(host.books.sent, 4);
  });

  it("drops and counts what has no such text", async () => {
    const folder = emptyFolder();
    const { send, stop, host } = await exporterOf(join(folder, "*.json"));
    assert.equal(await send(spansOf("a", undefined, 5)), "ack");
    assert.equal(await send(spansOf(undefined)), "ack");
    await stop();
    assert.deepEqual(await readdir(folder), ["a.json"]);
    assert.deepEqual([host.books.sent, [...host.dropped]], [1, [["no_path_segment", 3]]]);
  });

  it("has no more files open than told, and loses nothing when it opens one again", async () => {
    const folder = emptyFolder();
    await writeFile(join(folder, "a.json"), "of another run\n");
    const { send, stop, host } = await exporterOf(join(folder, "*.json"), { group_by: { max_open_files: 2 } });
    const tenants = ["a", "b", "c", "d"];
    const rounds = Array.from({ length: 5 }, () => tenants).flat();
    for (const answer of await Promise.all(rounds.map((tenant) => send(spansOf(tenant))))) assert.equal(answer, "ack");
    for (const tenant of rounds) assert.equal(await send(spansOf(tenant)), "ack");
    await stop();
    for (const tenant of tenants) {
      assert.deepEqual(
        await namesIn(join(folder, `${tenant}.json`)),
        Array.from({ length: 10 }, () => tenant),
      );
    }
    assert.equal(host.books.sent, 40);
  });

  it("drops and counts the data of a group whose file cannot be, and writes the others", async () => {
    const folder = emptyFolder();
    const { send, stop, host } = await exporterOf(join(folder, "*.json"));
    assert.equal(await send(spansOf("a", "x".repeat(5000), "nul\0", "b")), "ack");
    await stop();
    assert.deepEqual((await readdir(folder)).sort(), ["a.json", "b.json"]);
    assert.deepEqual([host.books.sent, [...host.dropped]], [2, [["unwritable_path", 2]]]);
    assert.ok(host.logs.every(({ fields }) => !JSON.stringify(fields).includes("xxx")));
  });

  it("rotates, compresses and formats each file as one alone", async () => {
    const folder = emptyFolder();
    const settings = { format: "proto", rotation: { max_megabytes: 1e-5 } };
    const { send, stop } = await exporterOf(join(folder, "*.bin"), settings);
    for (const tenant of ["a", "b", "a", "b"]) await send(spansOf(tenant));
    await stop();
    const files = (await readdir(folder)).sort();
    assert.equal(files.length, 4, files.join());
    for (const file of files) {
      const bytes = await readFile(join(folder, file));
      assert.equal(bytes.readUInt32BE(0), bytes.length - 4);
    }
  });

  it("cuts profiles with the dictionary that all share", async () => {
    const folder = emptyFolder();
    const { send, stop } = await exporterOf(join(folder, "*.json"), {}, "profiles");
    const request = {
      resourceProfiles: ["a", "b"].map((tenant) => ({
        resource: resourceOf(tenant),
        scopeProfiles: [{ profiles: [{ samples: [{}] }] }],
      })),
      dictionary: { stringTable: ["", "cpu"] },
    };
    assert.equal(await send(encode("profiles", request as never)), "ack");
    await stop();
    for (const tenant of ["a", "b"]) {
      const text = await readFile(join(folder, `${tenant}.json`));
      const { resourceProfiles, dictionary } = decode(fromJson("profiles", text) as Profiles);
      assert.equal(resourceProfiles.length, 1);
      assert.deepEqual(dictionary?.stringTable, ["", "cpu"]);
    }
  });
});

describe("the path of a group", () => {
  for (const { pattern, segment, want } of [
    { pattern: "/data/*.json", segment: "a", want: "/data/a.json" },
    { pattern: "/data/*.json", segment: "a/b", want: "/data/a/b.json" },
    { pattern: "/data/*.json", segment: "./a", want: "/data/a.json" },
    { pattern: "/data/*.json", segment: "../a", want: "/data/a.json" },
    { pattern: "/data/*.json", segment: "../../etc/passwd", want: "/data/etc/passwd.json" },
    { pattern: "/data/*.json", segment: "a/../../../etc/passwd", want: "/data/etc/passwd.json" },
    { pattern: "/data/*.json", segment: "/etc/passwd", want: "/data/etc/passwd.json" },
    { pattern: "/data/*/logs.json", segment: "..", want: "/data/logs.json" },
    { pattern: "/data/*/logs.json", segment: "", want: "/data/logs.json" },
    { pattern: "/data/app-*.json", segment: "../../x", want: "/data/app-/x.json" },
    { pattern: "./out/*.json", segment: "../../../x", want: "out/x.json" },
  ]) {
    it(`${pattern} with ${JSON.stringify(segment)} is ${want}`, () => {
      assert.equal(groupPaths(pattern)(segment), want);
    });
  }

  // Scenario: values of dots, slashes and letters in every order, up to six of them.
  // Guarantees: no file lies anywhere but where the path of the settings begins.
  it("never leaves the folder", () => {
    const pieces = ["..", ".", "/", "a", "data"];
    const values = [""];
    for (let length = 0, from = 0; length < 6; length++) {
      const to = values.length;
      for (; from < to; from++) for (const piece of pieces) values.push((values[from] as string) + piece);
    }
    for (const pattern of ["/data/in/*.json", "/data/in/*", "/data/in/x-*.json"]) {
      const pathOf = groupPaths(pattern);
      const prefix = pattern.slice(0, pattern.indexOf("*"));
      for (const value of values) {
        const path = pathOf(value);
        assert.ok(path.startsWith(prefix) || `${path}/` === prefix, `${pattern} with ${value}: ${path}`);
        assert.equal(path, resolve(path));
      }
    }
  });
});
