import { buildCollector, contrib, core, coreProviders, type Module } from "./collector_builds.ts";
import { ensurePeer, type Peer, type Skipped } from "./peer.ts";

/** The release of the `otelcol-contrib` distribution whose list is built. */
const beta = "v0.159.0";
const stable = "v1.65.0";
/** What the proxy lacks at `beta`, or lacks something for, is taken from here, against the same core. */
const older = "v0.158.0";

/**
 * Of the 231 components of contrib on its list the Go module proxy serves these, with all that they import. The others,
 * among them those of cloud vendors with large libraries, are left out: the whole list would make a larger program.
 */
const served = {
  extensions: "bearertokenauth encoding/otlpencodingextension healthcheck oidcauth pprof sigv4auth storage/filestorage",
  receivers: "filelog fluentforward hostmetrics kubeletstats prometheus statsd syslog tcplog udplog",
  processors:
    "attributes cumulativetodelta deltatocumulative deltatorate filter groupbyattrs groupbytrace interval k8sattributes metricsgeneration metricstarttime metricstransform probabilisticsampler redaction resourcedetection resource schema span tailsampling transform",
  exporters: "awsxray clickhouse file googlecloud kafka loadbalancing prometheus prometheusremotewrite",
  connectors: "spanmetrics",
} as const;

/** Those taken at `older`. */
const servedOlder = {
  extensions: "basicauth headerssetter oauth2clientauth opamp",
  receivers: "awsxray carbon github gitlab influxdb jaeger journald kafka nginx otlpjsonfile systemd zipkin",
  processors: "unroll",
  exporters: "coralogix zipkin",
  connectors: "count servicegraph signaltometrics",
} as const;

/** The contrib distribution as it is released, as far as it can be had. The first build takes twenty minutes. */
export async function ensureContrib(): Promise<Peer | Skipped> {
  return await ensurePeer({
    name: "collector_contrib",
    version: `opentelemetry-collector contrib list ${beta}, ${count} of 242 components`,
    tools: ["go"],
    executable: "source/otelcol-contrib",
    install: (folder) => buildCollector(folder, { name: "otelcol-contrib", version: beta, sections, replacements }),
  });
}

const ofCore = {
  extensions: ["zpagesextension"],
  receivers: ["otlpreceiver"],
  processors: ["batchprocessor", "memorylimiterprocessor"],
  exporters: ["debugexporter", "nopexporter", "otlpexporter", "otlphttpexporter"],
  connectors: ["forwardconnector"],
} as const;

const kinds = Object.keys(ofCore) as (keyof typeof ofCore)[];

const sections: Readonly<Record<string, readonly Module[]>> = {
  ...Object.fromEntries(kinds.map((kind) => [kind, modulesOf(kind)])),
  providers: coreProviders(["env", "file", "http", "https", "yaml"], stable),
};

const count = kinds.flatMap(modulesOf).length;

/** As the distribution's own list has it: the module it stands for is no longer kept up. */
const replacements = ["github.com/hamba/avro/v2 => github.com/iskorotkov/avro/v2 v2.33.0"];

function modulesOf(kind: keyof typeof ofCore): Module[] {
  const noun = kind.slice(0, -1);
  const path = (name: string) => `${contrib}/${noun}/${name.includes("/") ? name : `${name}${noun}`}`;
  const ofContrib = (names: string, version: string) => names.split(" ").map((name) => ({ path: path(name), version }));
  return [
    ...ofCore[kind].map((name) => ({ path: `${core}/${noun}/${name}`, version: beta })),
    ...ofContrib(served[kind], beta),
    ...ofContrib(servedOlder[kind], older),
  ];
}
