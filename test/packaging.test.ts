import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments } from "yaml";
import { Daemon } from "./support/daemon.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const packaging = (file: string): string => readFileSync(join(root, "packaging", file), "utf8");

/** The part of a Kubernetes object that is looked at here. */
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: the schemas of Kubernetes check the shape, in `npm run test:interop`
  readonly spec: any;
}

const manifests = parseAllDocuments(packaging("kubernetes/otelpipe.yaml")).map((each) => each.toJS() as Manifest);
const manifest = (kind: string): Manifest => {
  const found = manifests.find((each) => each.kind === kind);
  assert.ok(found, kind);
  return found;
};

/** Runs a config on free ports of loopback until it is ready, sends it two spans, and stops it. */
async function runs(config: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const onFreePorts = [
    "receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0",
    "receivers.otlp.protocols.http.endpoint=127.0.0.1:0",
    "extensions.health_check.endpoint=127.0.0.1:0",
    "service.telemetry.metrics.level=none",
  ];
  const args = ["--config", config, ...onFreePorts.flatMap((value) => ["--set", value])];
  const daemon = await Daemon.start({ args, env });
  const response = await fetch(`${daemon.http}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ name: "first" }, { name: "second" }] }] }] }),
  });
  assert.equal(response.status, 200);
  const { code, books } = await daemon.stop();
  assert.equal(code, 0);
  assert.equal(books["exporter:traces:debug"]?.out, 2);
}

describe("the container recipe", () => {
  const instructions = packaging("container/Dockerfile")
    .replaceAll("\\\n", "")
    .split("\n")
    .filter((line) => /^[A-Z]+ /.test(line));
  const last = (name: string): string =>
    instructions.findLast((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? "";

  it("starts as the Collector's image does: entry point, arguments, user", () => {
    assert.deepEqual(JSON.parse(last("ENTRYPOINT")), ["/otelcol"]);
    assert.deepEqual(JSON.parse(last("CMD")), ["--config", "/etc/otelcol/config.yaml"]);
    assert.equal(last("USER"), `\${USER_UID}:\${USER_GID}`);
    assert.ok(instructions.includes("ARG USER_UID=10001") && instructions.includes("ARG USER_GID=10001"));
  });

  it("exposes what its config listens on", () => {
    const { receivers, extensions } = parse(packaging("container/config.yaml"));
    const { grpc, http } = receivers.otlp.protocols;
    const endpoints: string[] = [grpc.endpoint, http.endpoint, extensions.health_check.endpoint];
    assert.deepEqual(
      endpoints,
      last("EXPOSE")
        .split(" ")
        .map((port) => `0.0.0.0:${port}`),
    );
  });

  it("has a config that runs", async () => await runs(join(root, "packaging/container/config.yaml")));
});

describe("the Kubernetes manifest", () => {
  const pod = manifest("Deployment").spec.template;
  const [container] = pod.spec.containers;
  const configMap = manifest("ConfigMap");
  const [[key, config] = ["", ""]] = Object.entries(configMap.data);

  it("mounts the config where the arguments look for it", () => {
    const volume = pod.spec.volumes.find((each: { configMap?: unknown }) => each.configMap !== undefined);
    const mount = container.volumeMounts.find((each: { name: string }) => each.name === volume.name);
    assert.equal(volume.configMap.name, configMap.metadata.name);
    assert.equal(volume.configMap.items[0].key, key);
    assert.deepEqual(container.args, [`--config=${mount.mountPath}/${volume.configMap.items[0].path}`]);
  });

  it("names every port its config listens on, and probes the one of health_check", () => {
    const { receivers, extensions, service } = parse(config);
    const { grpc, http } = receivers.otlp.protocols;
    const pull = service.telemetry.metrics.readers[0].pull.exporter.prometheus;
    const port = (endpoint: string): number => Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
    const named: Record<string, number> = Object.fromEntries(
      container.ports.map((each: { name: string; containerPort: number }) => [each.name, each.containerPort]),
    );
    assert.deepEqual(
      { ...named },
      {
        "otlp-grpc": port(grpc.endpoint),
        "otlp-http": port(http.endpoint),
        health: port(extensions.health_check.endpoint),
        metrics: pull.port,
      },
    );
    assert.equal(container.readinessProbe.httpGet.port, "health");
    assert.equal(container.livenessProbe.httpGet.port, "health");
    for (const each of manifest("Service").spec.ports) assert.equal(each.port, named[each.targetPort], each.name);
  });

  it("selects its own pods and lets them drain", () => {
    for (const selector of [manifest("Deployment").spec.selector.matchLabels, manifest("Service").spec.selector])
      for (const [label, value] of Object.entries(selector)) assert.equal(pod.metadata.labels[label], value);
    assert.ok(pod.spec.terminationGracePeriodSeconds > 20);
  });

  it("has a config that runs", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "otelpipe-manifest-")), "otel-collector-config.yaml");
    // Its backend is a name in a cluster; the config must run anyway, and the spans need somewhere to go.
    writeFileSync(
      file,
      config.replace(/otlp_grpc:\n +endpoint: .*\n +tls: .*\n/, "debug:\n").replace("[otlp_grpc]", "[debug]"),
    );
    await runs(file, { MY_POD_IP: "127.0.0.1" });
  });
});

describe("the systemd unit", () => {
  const unit = packaging("systemd/otelpipe.service");

  it("takes its command line from the Collector's file of options", () => {
    const [, name] = /ExecStart=.* \$(\w+)$/m.exec(unit) ?? [];
    assert.equal(name, "OTELCOL_OPTIONS");
    assert.match(packaging("systemd/otelpipe.conf"), /^OTELCOL_OPTIONS="--config=\/etc\/otelcol\/config.yaml"$/m);
    assert.match(unit, /^EnvironmentFile=\/etc\/otelcol\/otelcol.conf$/m);
  });

  it("reloads with SIGHUP and waits for the drain", () => {
    assert.match(unit, /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
    assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) > 20);
  });
});
