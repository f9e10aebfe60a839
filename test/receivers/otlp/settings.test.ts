import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { catalog } from "../../../cmd/catalog.ts";
import { loadConfig } from "../../../pipeline/config/load.ts";
import otlp, { type OtlpReceiver } from "../../../receivers/otlp/index.ts";
import { simulatedHost } from "../../support/simulated_host.ts";

const messages = (config: unknown) => otlp.config.safeParse(config).error?.issues.map((issue) => issue.message) ?? [];

it("defaults are the Collector's", () => {
  const { protocols } = otlp.config.parse({ protocols: { grpc: null, http: null } });
  const { grpc, http } = protocols;
  assert.deepEqual(
    [grpc?.endpoint, grpc?.transport, grpc?.max_recv_msg_size_mib, grpc?.read_buffer_size],
    ["localhost:4317", "tcp", 0, 524_288],
  );
  assert.deepEqual(
    [http?.endpoint, http?.traces_url_path, http?.read_header_timeout, http?.idle_timeout],
    ["localhost:4318", "/v1/traces", 0, 0],
  );
});

it("a protocol that is not written is off", () => {
  assert.equal(otlp.config.parse({ protocols: { grpc: null } }).protocols.http, undefined);
});

describe("configurations that are refused", () => {
  for (const { config, want } of [
    { config: {}, want: ["must specify at least one protocol when using the OTLP receiver"] },
    { config: { protocols: {} }, want: ["must specify at least one protocol when using the OTLP receiver"] },
    {
      config: { protocols: { http: { traces_url_path: ":invalid" } } },
      want: ['invalid HTTP URL path set for signal: parse ":invalid": missing protocol scheme'],
    },
    { config: { protocols: { http: { profiles_url_path: "/p" } } }, want: ['Unrecognized key: "profiles_url_path"'] },
    { config: { protocols: { grpc: { transport: "udp" } } }, want: ['unsupported transport type "udp"'] },
    {
      config: { protocols: { grpc: { max_recv_msg_size_mib: -1 } } },
      want: ["invalid max_recv_msg_size_mib value, must be between 1 and 2047: -1"],
    },
    { config: { protocols: { grpc: { read_buffer_size: -1 } } }, want: ["invalid read_buffer_size value: -1"] },
    {
      config: { protocols: { http: { auth: { authenticator: " " } } } },
      want: ["id must not be empty"],
    },
    {
      config: { protocols: { http: { compression_algorithms: ["gzip", "br"] } } },
      want: ['compression_algorithms: "br" is not a known compression'],
    },
    {
      config: { protocols: { http: { tls: {} } } },
      want: ["TLS configuration must include both certificate and key for server connections"],
    },
    {
      config: { protocols: { grpc: { tls: { cert_file: "a" } } } },
      want: ["TLS configuration must include both certificate and key (cert_file/cert_pem and key_file/key_pem)"],
    },
    {
      config: { protocols: { grpc: { tls: { cert_file: "a", cert_pem: "b", key_file: "c", cipher_suites: ["X"] } } } },
      want: ["provide either cert_file or cert_pem, but not both", 'invalid TLS cipher suite: "X"'],
    },
    {
      config: {
        protocols: {
          grpc: { tls: { cert_file: "a", key_file: "c", curve_preferences: ["P512"], tpm: { enabled: true } } },
        },
      },
      want: [
        "invalid curve type: P512",
        "otelpipe cannot use private keys in a TPM: give the key as key_file or key_pem",
      ],
    },
    {
      config: {
        protocols: { grpc: { tls: { cert_file: "a", key_file: "c", min_version: "1.3", max_version: "1.2" } } },
      },
      want: ["invalid TLS configuration: min_version cannot be greater than max_version"],
    },
    {
      config: { protocols: { grpc: { tls: { cert_file: "a", key_file: "c", min_version: "asd" } } } },
      want: ['unsupported TLS version: "asd"'],
    },
  ]) {
    it(JSON.stringify(config), () => assert.deepEqual(messages(config), want));
  }
});

it("a port in use fails the start in one line and leaves nothing listening", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const address = taken.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const protocols = { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: `127.0.0.1:${port}` } };
  const receiver = otlp.create(otlp.config.parse({ protocols }), simulatedHost()) as OtlpReceiver;
  await assert.rejects(receiver.start(), { message: `cannot listen on 127.0.0.1:${port}: address already in use` });
  await receiver.stop();
  taken.close();
});

// Scenario: a file that has a setting of otelpipe's own, read as the Collector would read it.
// Guarantees: --strict-compat refuses what the Collector refuses; without it the setting is there.
it("conformance is refused under strict compatibility, where it is written", async () => {
  const yaml = `
receivers: { otlp: { protocols: { http: { conformance: specification } } } }
exporters: { nop: }
service: { pipelines: { traces: { receivers: [otlp], exporters: [nop] } } }
`;
  const surroundings = { environment: {}, readFile: () => yaml };
  await loadConfig(["pipeline.yaml"], catalog, surroundings);
  await assert.rejects(loadConfig(["pipeline.yaml"], catalog, surroundings, { strictCompat: true }), {
    message:
      /^pipeline\.yaml:2:56: receivers\.otlp\.protocols\.http\.conformance: the Collector has no setting "conformance"/,
  });
});
