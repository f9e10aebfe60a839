import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import packageJson from "../../package.json" with { type: "json" };
import { folderWith, otelpipe } from "./cli.ts";

const good = `receivers: { otlp: { protocols: { grpc: { endpoint: "localhost:0" } } } }
processors: { batch: { timeout: 1s } }
exporters: { otlp: { endpoint: "localhost:1", headers: { x-key: s3cret }, tls: { insecure: true } } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], processors: [batch], exporters: [otlp] } }
`;
const bad = good.replace("timeout", "timout");
const badText = `bad.yaml:2:24: processors.batch: unknown key "timout"
   1 | receivers: { otlp: { protocols: { grpc: { endpoint: "localhost:0" } } } }
   2 | processors: { batch: { timout: 1s } }
     |                        ^^^^^^ did you mean "timeout"?
  batch accepts: timeout, send_batch_size, send_batch_max_size, metadata_keys, metadata_cardinality_limit
  otelpipe docs processor batch
`;
const alias = '"otlp" alias is deprecated; use "otlp_grpc" instead';

describe("a command line that makes no sense ends with exit code 1 and one line on stderr:", () => {
  for (const { args, error } of [
    { args: [], error: "at least one config flag must be provided; otelpipe --help says more" },
    { args: ["validat"], error: "unknown command validat, did you mean validate?; otelpipe --help lists them" },
    { args: ["xyz"], error: "unknown command xyz; otelpipe --help lists them" },
    { args: ["toString"], error: "unknown command toString; otelpipe --help lists them" },
    { args: ["--confg", "x"], error: "unknown flag --confg, did you mean --config?" },
    { args: ["-x"], error: "unknown flag -x" },
    { args: ["--config"], error: "flag needs an argument: --config" },
    { args: ["validate"], error: "at least one config flag must be provided" },
    { args: ["validate", "x.yaml"], error: 'validate takes no argument "x.yaml"' },
    { args: ["validate", "--config", "/gone.yaml"], error: "cannot read the file /gone.yaml: no such file" },
    { args: ["validate", "--config", "s3:x"], error: 'scheme "s3" is not supported' },
    { args: ["components", "--config", "x"], error: "unknown flag --config" },
    { args: ["print-config", "--mode", "x"], error: "at least one config flag must be provided" },
    { args: ["print-config", "--config=yaml:", "--format", "xml"], error: "unrecognized print format: xml" },
    {
      args: ["print-config", "--config=yaml:", "--mode", "x"],
      error: 'invalid mode "x": modes are: redacted, unredacted',
    },
    {
      args: ["print-config", "--config=yaml:", "--validate=maybe"],
      error: 'invalid value "maybe" for --validate: true or false',
    },
    {
      args: ["print-config", "--config=yaml:", "--validate", "false"],
      error: 'print-config takes no argument "false"',
    },
    { args: ["validate", "--set", "key:v"], error: 'invalid value "key:v" for --set: missing equal sign' },
    { args: ["validate", "--set"], error: "flag needs an argument: --set" },
    { args: ["--config", "x.yaml", "more"], error: "unknown command more; otelpipe --help lists them" },
    { args: ["featuregate", "nope"], error: 'feature "nope" not found' },
    { args: ["featuregate", "a", "b"], error: 'featuregate takes no argument "b"' },
    {
      args: ["validate", "--feature-gates", "-ottl.PanicDuplicateName,,x"],
      error:
        'invalid value "-ottl.PanicDuplicateName,,x" for --feature-gates: feature gate "ottl.PanicDuplicateName" is stable, can not be disabled; empty feature gate identifier at index 1; unknown feature gate x (otelpipe featuregate lists them)',
    },
    { args: ["docs"], error: "docs takes a kind and a type: otelpipe docs processor batch" },
    { args: ["docs", "procesor", "batch"], error: "unknown kind procesor, did you mean processor?" },
    { args: ["docs", "processor", "batsh"], error: "unknown processor batsh, did you mean batch?" },
  ]) {
    it(`otelpipe ${args.join(" ")}`, async () => {
      assert.deepEqual(await otelpipe(args), { code: 1, stdout: "", stderr: `Error: ${error}\n` });
    });
  }
});

it("prints its version, and loads no library for it", async () => {
  const hook = new URL("print_loaded_modules.ts", import.meta.url).href;
  const { code, stdout, stderr } = await otelpipe(["--version"], { node: ["--import", hook] });
  assert.deepEqual({ code, stdout }, { code: 0, stdout: `otelpipe version ${packageJson.version}\n` });
  assert.match(stderr, /\/cmd\/main\.ts/);
  assert.doesNotMatch(stderr, /node_modules|\/pipeline\//);
  assert.equal((await otelpipe(["-v"])).stdout, stdout);
});

it("lists its commands and explains each", async () => {
  const { code, stdout } = await otelpipe(["--help"]);
  assert.equal(code, 0);
  for (const command of ["validate", "components", "print-config", "docs", "generate", "quickstart"]) {
    assert.match(stdout, new RegExp(`^  ${command} `, "m"));
  }
  const help = await otelpipe(["validate", "--help"]);
  assert.equal(
    help.stdout,
    `Check a configuration without running it.

Usage:
  otelpipe validate --config <uri>... [--set <key>=<value>]... [--feature-gates <ids>] [--strict-compat]
`,
  );
  assert.deepEqual(await otelpipe(["help", "validate"]), help);
});

describe("validate", () => {
  it("is silent about a good configuration but for warnings", async (test) => {
    const cwd = folderWith(test, { "good.yaml": good });
    const result = await otelpipe(["validate", "--config", "good.yaml"], { cwd });
    assert.deepEqual(result, { code: 0, stdout: "", stderr: `Warning: ${alias}\n` });
  });

  it("shows what is wrong, without colour where there is no terminal", async (test) => {
    const cwd = folderWith(test, { "bad.yaml": bad });
    const { code, stdout, stderr } = await otelpipe(["validate", "--config=bad.yaml"], { cwd });
    assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
    assert.equal(stderr, `Warning: ${alias}\n${badText}\nError: the configuration has 1 error\n`);
  });

  it("sets single values over all sources, wherever the flag stands", async (test) => {
    const cwd = folderWith(test, { "good.yaml": good });
    const set = ["--set", "processors.batch.timeout=[1]"];
    const { code, stderr } = await otelpipe([...set, "validate", "--config", "good.yaml"], { cwd });
    assert.equal(code, 1);
    assert.match(stderr, /^--set processors\.batch\.timeout:1:\d+: processors\.batch\.timeout: expected/m);
    const ok = await otelpipe(["--config=good.yaml", "validate", "--set=processors.batch.timeout = 5s "], { cwd });
    assert.equal(ok.code, 0, ok.stderr);
  });

  it("says on stdout that a stable feature gate is on anyway", async (test) => {
    const cwd = folderWith(test, { "good.yaml": good });
    const { code, stdout } = await otelpipe(
      ["validate", "--config=good.yaml", "--feature-gates", "-service.profilesSupport,ottl.PanicDuplicateName"],
      { cwd },
    );
    assert.equal(code, 0);
    assert.equal(
      stdout,
      'Feature gate "ottl.PanicDuplicateName" is stable and always on; naming it fails after v0.161.0.\n',
    );
  });

  it("refuses profiles under --strict-compat without their feature gate", async (test) => {
    const profiles = "service: { pipelines: { profiles: { receivers: [otlp], exporters: [otlp] } } }\n";
    const cwd = folderWith(test, { "good.yaml": good, "profiles.yaml": profiles });
    const args = ["validate", "--config=good.yaml", "--config=profiles.yaml"];
    assert.equal((await otelpipe(args, { cwd })).code, 0);
    const refused = await otelpipe([...args, "--strict-compat"], { cwd });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /profiles\.yaml:1:25: service\.pipelines\.profiles: .*service\.profilesSupport/);
    const gate = ["--strict-compat=true", "--feature-gates=service.profilesSupport"];
    assert.equal((await otelpipe([...args, ...gate], { cwd })).code, 0);
  });

  it("merges sources and reads variables", async (test) => {
    const cwd = folderWith(test, { "bad.yaml": bad });
    const args = ["validate", "--config", "bad.yaml", "--config", "env:MORE"];
    const { code, stderr } = await otelpipe(args, { cwd, environment: { MORE: "processors: { batch: 5 }" } });
    assert.equal(code, 1);
    assert.match(stderr, /^env:MORE:1:22: processors\.batch: expected a mapping, got a number$/m);
  });
});

describe("run", () => {
  it("starts, and ends with exit code 0 on SIGTERM", async (test) => {
    const cwd = folderWith(test, { "good.yaml": good });
    const { code, stderr } = await otelpipe(["--config", "good.yaml"], { cwd, stopAt: "Everything is ready" });
    assert.equal(code, 0, stderr);
    assert.ok(stderr.includes(alias), stderr);
    assert.match(stderr, /Shutdown complete\./);
  });

  it("starts nothing when the configuration is wrong", async (test) => {
    const cwd = folderWith(test, { "bad.yaml": bad });
    const { code, stderr } = await otelpipe(["--config", "bad.yaml"], { cwd });
    assert.equal(code, 1);
    assert.ok(stderr.includes(badText), stderr);
    assert.doesNotMatch(stderr, /Starting/);
  });
});

describe("components", () => {
  it("lists them in the Collector's shape, without old names, and imports none", async () => {
    const hook = new URL("print_loaded_modules.ts", import.meta.url).href;
    const { code, stdout, stderr } = await otelpipe(["components"], { node: ["--import", hook] });
    assert.equal(code, 0);
    const listed = parse(stdout);
    const sections = ["receivers", "processors", "exporters", "connectors", "extensions"];
    assert.deepEqual(Object.keys(listed), ["buildinfo", ...sections, "providers"]);
    assert.equal(listed.buildinfo.version, packageJson.version);
    const names = listed.exporters.map((component: { name: string }) => component.name);
    assert.ok(names.includes("otlp_grpc") && !names.includes("otlp"), names.join());
    assert.deepEqual(names, names.toSorted());
    const named = (section: string, name: string) =>
      listed[section].find((component: { name: string }) => component.name === name);
    assert.deepEqual(named("receivers", "otlp"), {
      name: "otlp",
      module: `otelpipe/receivers/otlp v${packageJson.version}`,
      stability: { logs: "Stable", metrics: "Stable", profiles: "Alpha", traces: "Stable" },
    });
    assert.equal(named("connectors", "aggregate").stability["traces-to-metrics"], "Alpha");
    assert.equal(named("connectors", "aggregate").stability["logs-to-logs"], "Undefined");
    assert.deepEqual(
      listed.providers.map((provider: { scheme: string }) => provider.scheme),
      ["env", "file", "http", "https", "yaml"],
    );
    assert.doesNotMatch(stderr, /\/(receivers|processors|exporters|connectors|extensions)\/|node_modules\/(zod|rxjs)/);
  });
});

it("lists the feature gates and describes each", async () => {
  const { code, stdout } = await otelpipe(["featuregate"]);
  assert.equal(code, 0);
  const [head, ...lines] = stdout.trimEnd().split("\n");
  assert.match(head ?? "", /^ID {40}Enabled {2}Stage {3}Description$/);
  const ids = lines.map((line) => line.split(" ", 1)[0]);
  assert.deepEqual(ids, ids.toSorted());
  assert.ok(
    lines.some((line) => /^service\.profilesSupport +false +Alpha +\S/.test(line)),
    stdout,
  );
  const one = await otelpipe(["featuregate", "ottl.PanicDuplicateName"]);
  assert.match(
    one.stdout,
    /^Feature: ottl\.PanicDuplicateName\nEnabled: true\nStage: Stable\nDescription: .+\nFrom Version: v0\.141\.0\nTo Version: v0\.161\.0\n$/,
  );
});

describe("print-config", () => {
  it("prints defaults and hides secrets", async (test) => {
    const cwd = folderWith(test, { "good.yaml": good });
    const { code, stdout } = await otelpipe(["print-config", "--config", "good.yaml"], { cwd });
    assert.equal(code, 0);
    const printed = parse(stdout);
    assert.deepEqual(printed.exporters.otlp.headers, [{ name: "x-key", value: "[REDACTED]" }]);
    assert.equal(printed.processors.batch.send_batch_size, 8192);
    assert.equal(printed.processors.batch.timeout, "1s");
    const again = await otelpipe(["print-initial-config", "--config", "good.yaml"], { cwd });
    assert.equal(again.stdout, stdout);
  });

  it("prints JSON with secrets when asked to", async (test) => {
    const cwd = folderWith(test, { "good.yaml": good });
    const args = ["print-config", "--config", "good.yaml", "--format", "JSON", "--mode", "unredacted", "--validate"];
    const printed = JSON.parse((await otelpipe(args, { cwd })).stdout);
    assert.deepEqual(printed.exporters.otlp.headers, [{ name: "x-key", value: "s3cret" }]);
    assert.equal(printed.processors.batch.timeout, 1_000_000_000);
  });

  it("says where each value came from when asked to", async (test) => {
    const cwd = folderWith(test, { "good.yaml": good, "more.yaml": "processors:\n  batch:\n    send_batch_size: 9\n" });
    const sources = ["--config", "good.yaml", "--config", "file:more.yaml", "--set", "exporters.otlp.timeout=3s"];
    const { code, stdout } = await otelpipe(["print-config", "--origin", ...sources], { cwd });
    assert.equal(code, 0);
    assert.match(stdout, /^ +timeout: 1s # good\.yaml:2$/m);
    assert.match(stdout, /^ +send_batch_size: 9 # more\.yaml:3$/m);
    assert.match(stdout, /^ +timeout: 3s # --set exporters\.otlp\.timeout:1$/m);
    assert.match(stdout, /^ +send_batch_max_size: 0 # default$/m);
    assert.doesNotMatch(stdout, /s3cret/);
    const json = await otelpipe(["print-config", "--origin", "--format=json", ...sources], { cwd });
    assert.equal(json.stderr, "Error: --origin prints YAML only\n");
  });

  it("prints half a configuration with --validate=false, but no wrong settings", async (test) => {
    const cwd = folderWith(test, { "half.yaml": "processors: { batch: }\n", "bad.yaml": bad });
    const half = await otelpipe(["print-config", "--config", "half.yaml", "--validate=false"], { cwd });
    assert.equal(parse(half.stdout).processors.batch.send_batch_size, 8192);
    assert.equal((await otelpipe(["print-config", "--config", "half.yaml"], { cwd })).code, 1);
    assert.equal((await otelpipe(["print-config", "--config", "bad.yaml", "--validate=false"], { cwd })).code, 1);
  });
});

describe("migrate", () => {
  const old = "exporters: { logging: } # text\n";

  it("prints the file for today with exit code 2, and says what was old", async (test) => {
    const cwd = folderWith(test, { "old.yaml": old });
    assert.deepEqual(await otelpipe(["migrate", "old.yaml"], { cwd }), {
      code: 2,
      stdout: "exporters: { debug: } # text\n",
      stderr: 'old.yaml:1:14: the exporter "logging" no longer exists: write "debug" for "logging"\n',
    });
    assert.equal(readFileSync(join(cwd, "old.yaml"), "utf8"), old);
  });

  it("replaces the file with --write, and has nothing to do the next time", async (test) => {
    const cwd = folderWith(test, { "old.yaml": old });
    const first = await otelpipe(["migrate", "--write", "old.yaml"], { cwd });
    assert.deepEqual({ code: first.code, stdout: first.stdout }, { code: 2, stdout: "" });
    assert.equal(readFileSync(join(cwd, "old.yaml"), "utf8"), "exporters: { debug: } # text\n");
    const again = await otelpipe(["migrate", "old.yaml", "--write"], { cwd });
    assert.deepEqual(again, { code: 0, stdout: "", stderr: "" });
  });

  it("needs a file that is there", async () => {
    assert.match((await otelpipe(["migrate"])).stderr, /^Error: migrate takes a file/);
    const gone = await otelpipe(["migrate", "/gone.yaml"]);
    assert.deepEqual(gone, { code: 1, stdout: "", stderr: "Error: cannot read the file /gone.yaml: no such file\n" });
  });
});

it("prints the reference page of a component, also by an old name", async () => {
  const { code, stdout } = await otelpipe(["docs", "exporter", "otlp"]);
  assert.equal(code, 0);
  assert.ok(stdout.startsWith("# otlp_grpc exporter\n"));
  assert.match(stdout, /^\| `sending_queue` \| block \| on \|/m);
});
