import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { loadConfig } from "../../../pipeline/config/load.ts";
import { ConfigError, renderProblems } from "../../../pipeline/config/problem.ts";
import { testCatalog } from "./catalog.ts";

const folder = new URL("testdata/errors/", import.meta.url);

const environment = {
  HOST: "localhost",
  WORD: "many",
  SECRET: "hunter2",
  SAMPLER: "{ percentage: 200, mode: exact }",
  LOOP: `\${env:LOOP}`,
};

/** The whole error text of a configuration that must be refused. */
async function errorOf(text: string, name = "pipeline.yaml"): Promise<ConfigError> {
  const surroundings = { environment, readFile: () => text };
  const error = await loadConfig([name], testCatalog, surroundings).then(
    () => assert.fail("the configuration was accepted"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ConfigError, String(error));
  return error;
}

// Scenario: each testdata/errors/<name>.yaml is loaded; <name>.txt holds the exact text a person gets to see.
// Guarantees: every error of a file is reported at once, at its place, with what is accepted.
describe("a wrong configuration says", () => {
  const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  for (const name of names.map((file) => file.replace(/\.yaml$/, ""))) {
    it(name.replaceAll("_", " "), async () => {
      const text = readFileSync(new URL(`${name}.yaml`, folder), "utf8");
      const want = readFileSync(new URL(`${name}.txt`, folder), "utf8");
      assert.equal(`${(await errorOf(text)).message}\n`, want);
    });
  }
});

const valid = `receivers: { otlp: { protocols: { grpc: } } }
exporters: { debug: }
service: { pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }
`;

it("counts lines that end with CRLF, and does not print the CR", async () => {
  const text = `${valid}processors:\n  batch:\n    timout: 1s\n`.replaceAll("\n", "\r\n");
  assert.equal(
    (await errorOf(text)).message,
    `pipeline.yaml:6:5: processors.batch: unknown key "timout"
   5 |   batch:
   6 |     timout: 1s
     |     ^^^^^^ did you mean "timeout"?
  batch accepts: timeout, send_batch_size, send_batch_max_size, metadata_keys
  otelpipe docs processor batch`,
  );
});

it("keeps the carets below the key where tabs stand before it", async () => {
  const text = `${valid}processors: {\t"batch":\t{\ttimout: 1s } }\n`;
  assert.equal(
    (await errorOf(text)).message,
    `pipeline.yaml:4:26: processors.batch: unknown key "timout"
   3 | service: { pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }
   4 | processors: {\t"batch":\t{\ttimout: 1s } }
     |              \t        \t \t^^^^^^ did you mean "timeout"?
  batch accepts: timeout, send_batch_size, send_batch_max_size, metadata_keys
  otelpipe docs processor batch`,
  );
});

it("names tabs that indent", async () => {
  assert.equal(
    (await errorOf(`receivers:\n\totlp:\n`)).message,
    `pipeline.yaml:2:1: not valid YAML: tabs are not allowed as indentation
   1 | receivers:
   2 | \totlp:
     | ^`,
  );
});

it("shows the piece of a long line that is meant, and of the line before it", async () => {
  const names = Array.from({ length: 100 }, (_, index) => `batch/${index}: { timeout: 1s }`);
  const text = `${valid}# ${"before ".repeat(600)}\nprocessors: { ${names.join(", ")}, batch: { timout: 1s }, ${names.join(", ").replaceAll("h/", "h/x")} }\n`;
  const [head, before = "", line = "", carets = ""] = (await errorOf(text)).message.split("\n");
  assert.match(head ?? "", /^pipeline\.yaml:5:\d{4}: processors\.batch: unknown key "timout"$/);
  assert.match(before, /^ {3}4 \| ….{140}…$/);
  assert.match(line, /^ {3}5 \| ….{140}…$/);
  assert.match(carets, /^ {5}\| {62}\^{6} did you mean "timeout"\?$/);
  assert.equal(line.indexOf("timout"), carets.indexOf("^"));
});

for (const { name, text } of [
  { name: "flow mappings, more than the parser can take", text: `x: ${"{a: ".repeat(9000)}1${"}".repeat(9000)}` },
  { name: "lists the parser can take", text: `x: ${"[".repeat(250)}1${"]".repeat(250)}` },
]) {
  it(`says in its own words that ${name} are nested too deeply`, async () => {
    const [head] = (await errorOf(`${valid}${text}\n`)).message.split("\n");
    assert.match(head ?? "", /^pipeline\.yaml:4:\d+: more than 200 levels inside each other$/);
  });
}

it("counts columns in characters, not in UTF-16 units", async () => {
  const text = `${valid}processors: { "batch/😀é": { timout: 1s } }\n`;
  const error = await errorOf(text.replace("😀", "日本"));
  assert.match(error.message, /^pipeline\.yaml:4:30: processors\.batch\/日本é: unknown key "timout"$/m);
});

it("shows the problems of several sources in the order they are given", async () => {
  const files: Record<string, string> = { "a.yaml": "receivers: { nope: }\n", "b.yaml": "exporters: { nope: }\n" };
  const surroundings = { environment: {}, readFile: (path: string) => files[path] ?? assert.fail(path) };
  await assert.rejects(loadConfig(["a.yaml", "b.yaml"], testCatalog, surroundings), (error: ConfigError) => {
    const places = error.problems.map(({ place }) => `${place.source.name}:${place.start}`);
    assert.deepEqual(places, ["a.yaml:13", "b.yaml:0", "b.yaml:13"]);
    return true;
  });
});

it("colours the place, the message and the hint when asked to", async () => {
  const error = await errorOf(`${valid}processors: { batch: { timout: 1s } }\n`);
  const text = renderProblems(error.problems, { color: true });
  assert.ok(text.startsWith("\u001b[1mpipeline.yaml:4:24:\u001b[0m processors.batch: \u001b[31munknown key"), text);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape of a colour
  assert.equal(text.replaceAll(/\u001b\[\d+m/g, ""), error.message);
});

it("never prints what came out of a variable", async () => {
  const text = readFileSync(new URL("inside_an_expansion.yaml", folder), "utf8");
  const { message } = await errorOf(text);
  assert.doesNotMatch(message, /hunter2|many/);
});
