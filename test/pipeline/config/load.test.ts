// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a configuration are written like this
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadConfig, readConfig, resolveConfig } from "../../../pipeline/config/load.ts";
import { ConfigError } from "../../../pipeline/config/problem.ts";
import { testCatalog, testRegistry } from "./catalog.ts";

const service = "service: { pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }\n";
const base = `receivers: { otlp: { protocols: { grpc: } } }\nexporters: { debug: }\n${service}`;

/** Loads `files` in order; a single text is one file. */
function load(files: string | Record<string, string>, environment: Record<string, string> = {}) {
  const all = typeof files === "string" ? { "p.yaml": files } : files;
  const readFile = (path: string) => all[path] ?? assert.fail(`no file ${path}`);
  return loadConfig(Object.keys(all), testCatalog, { environment, readFile });
}

it("gives components with their decoded settings, and pipelines with their ids", async () => {
  const config = await load(`
receivers: { otlp/in: { protocols: { grpc: } } }
processors: { batch: { timeout: 1s }, batch/unused: }
exporters: { " debug / a ": , debug: }
connectors: { count: }
extensions: { health_check: }
service:
  extensions: [health_check, health_check]
  pipelines:
    traces / a: { receivers: [otlp/in, otlp/in], processors: [batch], exporters: ["debug /a", count, debug, debug] }
    metrics: { receivers: [count], exporters: [debug] }
`);
  assert.deepEqual(config.receivers.get("otlp/in")?.config, {
    protocols: { grpc: { endpoint: "localhost:4317", include_metadata: false } },
  });
  assert.deepEqual(config.processors.get("batch")?.config, {
    timeout: 1000,
    send_batch_size: 8192,
    send_batch_max_size: 0,
    metadata_keys: [],
  });
  assert.deepEqual([...config.processors.keys()], ["batch", "batch/unused"]);
  assert.deepEqual([...config.exporters.keys()], ["debug/a", "debug"]);
  assert.equal(config.exporters.get("debug/a")?.definition.type, "debug");
  assert.deepEqual(config.service.extensions, ["health_check"]);
  const { place: _place, ...traces } = config.service.pipelines.get("traces/a") ?? assert.fail("no pipeline");
  assert.deepEqual(traces, {
    id: "traces/a",
    signal: "traces",
    receivers: ["otlp/in"],
    processors: ["batch"],
    exporters: ["debug/a", "count", "debug"],
  });
  assert.equal(config.service.telemetry.logs.level, "info");
  assert.deepEqual(config.warnings, []);
});

it("keeps the id that was written for an old name, and says so once for each id", async () => {
  const config = await load(
    `${base}
processors: { batch: }
`.replace("debug: }", "debug: , otlp: { endpoint: a:1 }, otlp/two: { endpoint: a:1 }, otlp_grpc: { endpoint: a:1 } }"),
  );
  const written = [...config.exporters.values()].map(({ id, definition, aliasUsed }) => [
    id,
    definition.type,
    aliasUsed,
  ]);
  assert.deepEqual(written, [
    ["debug", "debug", undefined],
    ["otlp", "otlp_grpc", "otlp"],
    ["otlp/two", "otlp_grpc", "otlp"],
    ["otlp_grpc", "otlp_grpc", undefined],
  ]);
  const warning = '"otlp" alias is deprecated; use "otlp_grpc" instead';
  assert.deepEqual(config.warnings, [warning, warning]);
});

it("imports only the components that the configuration names", async () => {
  const unwanted = () => assert.fail("imported");
  const registry = {
    ...testRegistry,
    processors: { batch: unwanted, sampler: unwanted },
    connectors: { count: unwanted },
  };
  const config = await loadConfig(["p.yaml"], { ...testCatalog, registry }, { environment: {}, readFile: () => base });
  assert.equal(config.exporters.size, 1);
});

it("merges later sources over earlier ones: mappings by key, everything else whole", async () => {
  const config = await load({
    "a.yaml": `${base}processors: { batch: { timeout: 1s, metadata_keys: [a, b] }, sampler: { percentage: 1 } }\n`,
    "b.yaml":
      "processors: { batch: { metadata_keys: [c] } }\nservice: { pipelines: { traces: { processors: [batch] } } }\n",
    "empty.yaml": "# nothing\n",
  });
  assert.deepEqual(config.processors.get("batch")?.settings, { timeout: "1s", metadata_keys: ["c"] });
  assert.deepEqual(config.service.pipelines.get("traces")?.receivers, ["otlp"]);
  assert.deepEqual(config.service.pipelines.get("traces")?.processors, ["batch"]);
});

it("takes files, variables and texts as sources", async () => {
  const surroundings = {
    environment: { BASE: base },
    readFile: (path: string) => (path === "b.yaml" ? "processors: { batch: }\n" : assert.fail(path)),
  };
  const uris = ["env:BASE", "file:b.yaml", "yaml:processors::batch::timeout: 2s"];
  const config = await loadConfig(uris, testCatalog, surroundings);
  assert.deepEqual(config.processors.get("batch")?.settings, { timeout: "2s" });
});

describe("a source is refused", () => {
  for (const { uris, message } of [
    { uris: [], message: "at least one config flag must be provided" },
    { uris: ["gone.yaml"], message: "cannot read the file gone.yaml: no such file" },
    { uris: ["file:gone.yaml"], message: "cannot read the file gone.yaml: no such file" },
    { uris: ["c:x"], message: "cannot read the file c:x: no such file" },
    { uris: ["1x:y"], message: 'invalid URI "1x:y": it begins with no scheme' },
    { uris: ["a.yaml,b.yaml"], message: "cannot read the file a.yaml,b.yaml: no such file" },
    {
      uris: ["gone.yaml", "ftp:x", "gone.yaml"],
      message: 'cannot read the file gone.yaml: no such file\nscheme "ftp" is not supported',
    },
    { uris: ["http://u:p@h/x"], message: "cannot fetch http://…@h/x: no network" },
    { uris: ["ftp:x"], message: 'scheme "ftp" is not supported' },
  ]) {
    it(JSON.stringify(uris), async () => {
      const readFile = () => {
        throw Object.assign(new Error("ENOENT"), { code: "ENOENT" });
      };
      await assert.rejects(readConfig(uris, { environment: {}, readFile }), { message });
    });
  }
});

it("takes a variable that is not set as an empty source, with a warning", async () => {
  const surroundings = { environment: {}, readFile: () => base };
  const { warnings } = await loadConfig(["p.yaml", "env:GONE", "env:GONE:-# x"], testCatalog, surroundings);
  assert.deepEqual(warnings, ["environment variable GONE is not set"]);
  await assert.rejects(loadConfig(["env:GONE"], testCatalog, surroundings), (error: ConfigError) => {
    assert.deepEqual(error.warnings, ["environment variable GONE is not set"]);
    assert.match(error.message, /^env:GONE:1:1: empty configuration file/);
    return true;
  });
});

describe("from the network", () => {
  /** Loads `sources` where `pages` can be downloaded, and says what was, in order. */
  async function loadFrom(pages: Record<string, string>, sources: readonly string[]) {
    const asked: string[] = [];
    const download = async (url: string) => {
      asked.push(url);
      return pages[url] ?? Promise.reject(new Error("status 404 Not Found"));
    };
    const config = await loadConfig(sources, testCatalog, { environment: {}, readFile: () => base, download });
    return { config, asked };
  }

  it("takes whole sources and references, also those that a downloaded document names, each once", async () => {
    const pages = {
      "http://h/base": `${base}processors: { batch: "\${https://h/batch}", batch/two: "\${https://h/batch}" }\n`,
      "https://h/batch": "timeout: ${http://h/timeout}\nsend_batch_size: 5\n",
      "http://h/timeout": "3s",
    };
    const { config, asked } = await loadFrom(pages, ["http://h/base"]);
    assert.deepEqual(config.processors.get("batch")?.settings, { timeout: "3s", send_batch_size: 5 });
    assert.deepEqual(asked, ["http://h/base", "https://h/batch", "http://h/timeout"]);
  });

  it("downloads nothing for a configuration that is all local", async () => {
    assert.deepEqual((await loadFrom({}, ["p.yaml"])).asked, []);
  });

  it("says where a reference stands whose document cannot be had, and names each source that cannot", async () => {
    const broken = { "http://h/a": `${base}processors: { batch: { timeout: "\${http://h/x}" } }\n` };
    await assert.rejects(loadFrom(broken, ["http://h/a"]), (error: ConfigError) => {
      const place = "http://h/a:4:34: processors.batch.timeout";
      assert.ok(error.message.startsWith(`${place}: cannot fetch http://h/x: status 404 Not Found`), error.message);
      return true;
    });
    await assert.rejects(loadFrom({}, ["http://h/a", "https://h/b"]), {
      message: "cannot fetch http://h/a: status 404 Not Found\ncannot fetch https://h/b: status 404 Not Found",
    });
  });

  it("gives up on documents that name the next without end", async () => {
    const download = async (url: string) => `\${${url}x}`;
    const readFile = () => `${base}processors: { batch: { timeout: "\${http://h/}" } }\n`;
    await assert.rejects(
      loadConfig(["p.yaml"], testCatalog, { environment: {}, readFile, download }),
      (error: Error) => {
        assert.match(error.message, /cannot fetch http:\/\/h\/x{100}: more than 100 documents/);
        return true;
      },
    );
  });
});

describe("feature gates", () => {
  const gatesOf = (id: string) => ({ gates: new Set([id]) });
  const from = (...texts: string[]) => texts.map((text) => `yaml:${text}`);
  const surroundings = { environment: {}, readFile: () => base };

  it("add to lists of ids instead of replacing them", async () => {
    const lists = "traces: { receivers: [otlp], processors: [batch], exporters: [debug] }";
    const first = `receivers: { otlp: &otlp { protocols: { grpc: } }, otlp/b: *otlp }
exporters: { debug: , debug/b: }
processors: { batch: , sampler: { percentage: 1 } }
service: { pipelines: { ${lists} } }
`;
    const later = `service: { pipelines: { ${lists.replace("otlp]", "otlp/b, otlp]").replace("batch", "sampler").replace("debug", "debug/b")} } }`;
    const listsOf = async (gates: object) => {
      const { service } = await loadConfig(from(first, later), testCatalog, surroundings, gates);
      const { receivers, processors, exporters } = service.pipelines.get("traces") ?? assert.fail();
      return [receivers, processors, exporters];
    };
    const appended = gatesOf("confmap.enableMergeAppendOption");
    assert.deepEqual(await listsOf(appended), [["otlp", "otlp/b"], ["sampler"], ["debug", "debug/b"]]);
    assert.deepEqual(await listsOf({}), [["otlp/b", "otlp"], ["sampler"], ["debug/b"]]);
  });

  it("allow a configuration without pipelines", async () => {
    const sources = from("processors: { batch: }");
    await assert.rejects(loadConfig(sources, testCatalog, surroundings), ConfigError);
    const config = await loadConfig(sources, testCatalog, surroundings, gatesOf("service.AllowNoPipelines"));
    assert.equal(config.service.pipelines.size, 0);
  });
});

it("warns of further documents, which nobody reads", async () => {
  assert.deepEqual((await load(`${base}---\nnothing: 1\n`)).warnings, ["p.yaml: only the first YAML document is read"]);
});

it("gives the warnings along with the errors", async () => {
  await assert.rejects(load(`${base}processors: { batch: { timout: "\${UNSET}" } }\n`), (error: ConfigError) => {
    assert.deepEqual(error.warnings, ["p.yaml:4:33: environment variable UNSET is not set, so the value is empty"]);
    return true;
  });
});

it("leaves out the checks between components when asked to", async () => {
  const readFile = () => "receivers: { otlp: { protocols: { grpc: } } }\n";
  const expanded = await readConfig(["p.yaml"], { environment: {}, readFile });
  assert.equal((await resolveConfig(expanded, testCatalog, { check: false })).receivers.size, 1);
  await assert.rejects(resolveConfig(expanded, testCatalog), ConfigError);
});

// Scenario: values that the Collector's decoder takes although their YAML type is another one.
describe("settings are decoded as the Collector decodes them:", () => {
  const environment = {
    DIGITS: "0123",
    YES: "true",
    NOTHING: "",
    LIST: "[a, 1]",
    MAP: "{ timeout: 3s }",
    NULL: "null",
  };
  const otlp = (settings: string) =>
    `${base.replace("debug: }", `debug: , otlp_grpc: { endpoint: a:1, ${settings} } }`)}`;
  for (const { name, yaml, section, id, want } of [
    { name: "a number out of a variable as a string", yaml: otlp('token: "${DIGITS}"'), want: { token: "0123" } },
    { name: "true out of a variable as a string", yaml: otlp('token: "${YES}"'), want: { token: "true" } },
    { name: "a list out of a variable as a string", yaml: otlp('token: "${LIST}"'), want: { token: "[a, 1]" } },
    {
      name: "header values out of variables",
      yaml: otlp('headers: { a: "${DIGITS}" }'),
      want: { headers: { a: "0123" } },
    },
    {
      name: "true out of a variable as a boolean",
      yaml: otlp('tls: { insecure: "${YES}" }'),
      want: { tls: { insecure: true } },
    },
    {
      name: "a number out of a variable as an integer",
      yaml: otlp('sending_queue: { queue_size: "${DIGITS}" }'),
      want: { sending_queue: { queue_size: 83 } },
    },
    { name: "an empty variable as the empty string", yaml: otlp('user_agent: "${NOTHING}"'), want: { user_agent: "" } },
    {
      name: "an empty variable as false, not the default",
      yaml: otlp('tls: { insecure: "${NOTHING}" }'),
      want: { tls: { insecure: false } },
    },
    {
      name: "an empty variable as a duration of 0, not the default",
      yaml: otlp('timeout: "${NOTHING}"'),
      want: { timeout: 0 },
    },
    {
      name: "an unset variable as 0, not the default",
      yaml: `${base}processors: { batch: { send_batch_size: "\${UNSET}" } }`,
      section: "processors",
      id: "batch",
      want: { send_batch_size: 0 },
    },
    {
      name: "an empty variable as the empty list",
      yaml: `${base}processors: { batch: { metadata_keys: "\${NOTHING}" } }`,
      section: "processors",
      id: "batch",
      want: { metadata_keys: [] },
    },
    {
      name: "a whole mapping out of a variable",
      yaml: `${base}processors: { batch: "\${MAP}" }`,
      section: "processors",
      id: "batch",
      want: { timeout: 3000 },
    },
    {
      name: "an empty value as 0, false and the empty string, not the default",
      yaml: otlp("timeout: , tls: { insecure: }, user_agent: null"),
      want: { timeout: 0, tls: { insecure: false }, user_agent: "" },
    },
    {
      name: "an empty block, map or list as its default",
      yaml: otlp("tls: , sending_queue: , headers: null"),
      want: { tls: { insecure: false }, sending_queue: { queue_size: 1000 }, headers: {} },
    },
    { name: "an empty optional setting as one that is not there", yaml: otlp("token: "), want: { token: undefined } },
    {
      name: "null out of a variable as the text null",
      yaml: otlp('user_agent: "${NULL}"'),
      want: { user_agent: "null" },
    },
    {
      name: "a fraction cut off where a whole number is wanted",
      yaml: otlp("sending_queue: { queue_size: 5.9 }"),
      want: { sending_queue: { queue_size: 5 } },
    },
    {
      name: "an empty component as its defaults",
      yaml: `${base}processors: { batch: }`,
      section: "processors",
      id: "batch",
      want: { timeout: 200 },
    },
    { name: "a bare number as nanoseconds", yaml: otlp("timeout: 1500000"), want: { timeout: 1.5 } },
    {
      name: "enabled: false as no block at all",
      yaml: otlp("sending_queue: { enabled: false }"),
      want: { sending_queue: undefined },
    },
  ] as { name: string; yaml: string; section?: "processors"; id?: string; want: object }[]) {
    it(name, async () => {
      const config = await load(yaml, environment);
      const decoded = config[section ?? "exporters"].get(id ?? "otlp_grpc")?.config as Record<string, unknown>;
      assert.deepEqual(Object.fromEntries(Object.keys(want).map((key) => [key, decoded[key]])), want);
    });
  }
});

describe("service::workers", () => {
  const withWorkers = (workers: string) => base.replace("service: {", `service: { workers: ${workers},`);

  for (const { written, want } of [
    { written: "3", want: 3 },
    { written: "auto", want: "auto" },
    { written: '"${THREADS}"', want: 2 },
  ]) {
    it(`may be ${written}`, async () => {
      assert.equal((await load(withWorkers(written), { THREADS: "2" })).service.workers, want);
    });
  }

  it("is 1 when nothing is said", async () => assert.equal((await load(base)).service.workers, 1));

  for (const written of ["0", "1.5", "many", "257"]) {
    it(`may not be ${written}`, async () => {
      await assert.rejects(load(withWorkers(written)), { message: /^p\.yaml:3:21: service\.workers: / });
    });
  }

  it("is refused under strict compatibility: the Collector has no such setting", async () => {
    const surroundings = { environment: {}, readFile: () => withWorkers("2") };
    await assert.rejects(loadConfig(["p.yaml"], testCatalog, surroundings, { strictCompat: true }), {
      message: /^p\.yaml:3:12: service\.workers: the Collector has no setting "workers"/,
    });
  });
});
