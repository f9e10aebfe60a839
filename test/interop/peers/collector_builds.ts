import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildTimeoutMs, ensurePeer, goEnvironment, type Peer, run, type Skipped } from "./peer.ts";

/**
 * The newest release of which almost every module can be had: the proxy lacks contrib's `pkg/ottl/xottl` and
 * `pkg/ottl/contexts/xprofile` at v0.162.0, which the attributes and sampler processors import there.
 */
const beta = "v0.161.0";
const stable = "v1.67.0";
export const core = "go.opentelemetry.io/collector";
export const contrib = "github.com/open-telemetry/opentelemetry-collector-contrib";
const builder = `${core}/cmd/builder@${beta}`;

/** Modules that the proxy lacks at `beta`, or lacks something for: taken at an older version, against the same core. */
const older = "v0.158.0";
const takenOlder = [
  `${contrib}/receiver/hostmetricsreceiver`,
  `${contrib}/receiver/kafkareceiver`,
  `${contrib}/receiver/otlpjsonfilereceiver`,
  `${contrib}/exporter/kafkaexporter`,
  `${contrib}/extension/basicauthextension`,
  `${contrib}/extension/headerssetterextension`,
];

/** What each build differs from a release in, and why; for a person who reads what was built. */
export const buildNotes = [
  `Both builds are ${beta}: of later releases the Go module proxy does not serve every module.`,
  `The released build has the components of the \`otelcol\` distribution and those of contrib that otelpipe takes over. Contrib's other 200 are not in it: nothing here is compared with them. What it costs to be there is also measured beside contrib's own list, as far as that can be had.`,
  `In it ${takenOlder.map((module) => module.split("/").at(-1)).join(", ")} are ${older}: the proxy refuses them, or something they import, at ${beta}.`,
];

/** Modules by the section of the builder's manifest. */
type Components = Readonly<Record<"receivers" | "exporters" | "processors" | "connectors" | "extensions", string[]>>;

/** What a Collector is built of. */
export interface Manifest {
  readonly name: string;
  /** Of the core. */
  readonly version: string;
  readonly sections: Readonly<Record<string, readonly Module[]>>;
  /** What stands for another module, as `go.mod` writes it. */
  readonly replacements?: readonly string[];
}

export interface Module {
  readonly path: string;
  readonly version: string;
}

const minimal: Components = {
  receivers: [`${core}/receiver/otlpreceiver`],
  exporters: [
    `${core}/exporter/otlpexporter`,
    `${core}/exporter/otlphttpexporter`,
    `${core}/exporter/debugexporter`,
    `${contrib}/exporter/fileexporter`,
  ],
  processors: [
    `${core}/processor/batchprocessor`,
    `${core}/processor/memorylimiterprocessor`,
    `${contrib}/processor/attributesprocessor`,
    `${contrib}/processor/resourceprocessor`,
    `${contrib}/processor/probabilisticsamplerprocessor`,
  ],
  connectors: [],
  extensions: [`${contrib}/extension/healthcheckextension`],
};

const released: Components = {
  receivers: [
    ...minimal.receivers,
    `${core}/receiver/nopreceiver`,
    ...["hostmetrics", "jaeger", "kafka", "otlpjsonfile", "prometheus", "zipkin"].map(
      (name) => `${contrib}/receiver/${name}receiver`,
    ),
  ],
  exporters: [
    ...minimal.exporters,
    `${core}/exporter/nopexporter`,
    ...["kafka", "prometheus", "prometheusremotewrite", "zipkin"].map((name) => `${contrib}/exporter/${name}exporter`),
  ],
  processors: [...minimal.processors, ...["filter", "span"].map((name) => `${contrib}/processor/${name}processor`)],
  connectors: [`${core}/connector/forwardconnector`],
  extensions: [
    ...minimal.extensions,
    `${core}/extension/zpagesextension`,
    ...["basicauth", "bearertokenauth", "headerssetter", "oauth2clientauth", "pprof", "storage/filestorage"].map(
      (name) => `${contrib}/extension/${name}${name.includes("/") ? "" : "extension"}`,
    ),
  ],
};

/** The OpenTelemetry Collector with only the components we compare; the first build takes some minutes. */
export async function ensureMinimal(): Promise<Peer | Skipped> {
  return await ensurePeer({
    name: "collector",
    version: `opentelemetry-collector minimal ${beta}`,
    tools: ["go"],
    executable: "source/otelcol-minimal",
    install: (folder) => buildCollector(folder, manifestOf("otelcol-minimal", minimal, ["env", "file", "yaml"])),
  });
}

/** The Collector as it is released, and with what we take over: see `buildNotes`. The first build takes ten minutes. */
export async function ensureReleased(): Promise<Peer | Skipped> {
  return await ensurePeer({
    name: "collector_released",
    version: `opentelemetry-collector released list ${beta}`,
    tools: ["go"],
    executable: "source/otelcol",
    install: (folder) =>
      buildCollector(folder, manifestOf("otelcol", released, ["env", "file", "yaml", "http", "https"])),
  });
}

/** The Collector's load generator. */
export async function ensureTelemetrygen(): Promise<Peer | Skipped> {
  return await ensurePeer({
    name: "telemetrygen",
    version: `telemetrygen ${beta}`,
    tools: ["go"],
    executable: "telemetrygen",
    async install(folder) {
      const env = { ...goEnvironment, GOBIN: folder, GOFLAGS: "-buildvcs=false" };
      await run("go", ["install", `${contrib}/cmd/telemetrygen@${beta}`], {
        cwd: folder,
        env,
        timeoutMs: buildTimeoutMs,
      });
    },
  });
}

function manifestOf(name: string, components: Components, providers: readonly string[]): Manifest {
  const modules = (paths: readonly string[]) =>
    paths.map((path) => ({ path, version: takenOlder.includes(path) ? older : beta }));
  const sections = Object.entries(components).map(([section, paths]) => [section, modules(paths)]);
  return {
    name,
    version: beta,
    sections: { ...Object.fromEntries(sections), providers: coreProviders(providers, stable) },
  };
}

/** The modules of the core that read a configuration from where a URI of these schemes says. */
export function coreProviders(schemes: readonly string[], version: string): Module[] {
  return schemes.map((scheme) => ({ path: `${core}/confmap/provider/${scheme}provider`, version }));
}

/**
 * Lets the builder write the sources to `folder`, and builds them here: the builder gives up because it also downloads
 * modules that only tests and other systems need, of which the proxy lacks some.
 */
export async function buildCollector(folder: string, manifest: Manifest): Promise<void> {
  const { name, version, sections, replacements = [] } = manifest;
  await writeFile(join(folder, "builder.yaml"), builderManifest(manifest));
  // The builder must not inherit `-mod=mod` while it is compiled.
  const options = { cwd: folder, env: { ...goEnvironment, GOFLAGS: "-buildvcs=false" }, timeoutMs: buildTimeoutMs };
  await run("go", ["run", builder, "--config", "builder.yaml", "--skip-compilation", "--skip-get-modules"], options);
  const modules = [...Object.values(sections).flat(), { path: `${core}/otelcol`, version }];
  const lines = [
    `module ${name}`,
    "go 1.26",
    ...modules.map((module) => `require ${module.path} ${module.version}`),
    ...replacements.map((replacement) => `replace ${replacement}`),
  ];
  const source = { ...options, cwd: join(folder, "source"), env: goEnvironment };
  await writeFile(join(source.cwd, "go.mod"), `${lines.join("\n")}\n`);
  await run("go", ["build", "-trimpath", "-tags", "grpcnotrace", "-ldflags=-s -w", "-o", name, "."], source);
}

function builderManifest({ name, version, sections }: Manifest): string {
  const parts = Object.entries(sections)
    .filter(([, modules]) => modules.length > 0)
    .map(([section, modules]) => [
      `${section}:`,
      ...modules.map((module) => `  - gomod: ${module.path} ${module.version}`),
    ]);
  const head = ["dist:", `  name: ${name}`, "  description: OpenTelemetry Collector", "  output_path: ./source"];
  return [...head, `  version: ${version.slice(1)}`, ...parts.flat(), ""].join("\n");
}
