import { acrossFields, optionalBlock, secret, z } from "../config/schema.ts";
import { nonNegativeDuration } from "./setting_fields.ts";
import { curveNames, isCipherSuite } from "./tls_names.ts";

const versions = ["1.0", "1.1", "1.2", "1.3"] as const;

function version() {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const text = typeof value === "number" ? value.toFixed(1) : value;
    if (text === "") return "" as const;
    const known = versions.find((candidate) => candidate === text);
    if (known !== undefined) return known;
    context.addIssue({ code: "custom", message: `unsupported TLS version: ${JSON.stringify(text)}` });
    return z.NEVER;
  });
}

const shared = () => ({
  ca_file: z
    .string()
    .default("")
    .describe("File with the CA certificates (PEM) that the other side's certificate is checked against."),
  ca_pem: secret().default("").describe("The same certificates as text. Excludes ca_file."),
  include_system_ca_certs_pool: z
    .boolean()
    .default(false)
    .describe("Trust the system's CAs as well when a CA is given."),
  cert_file: z.string().default("").describe("File with the certificate chain (PEM) to show."),
  cert_pem: secret().default("").describe("The same chain as text. Excludes cert_file."),
  key_file: z.string().default("").describe("File with the private key (PEM) of the certificate."),
  key_pem: secret().default("").describe("The same key as text. Excludes key_file."),
  min_version: version().prefault("1.2").describe("Lowest TLS version accepted."),
  max_version: version().prefault("").describe("Highest TLS version accepted; empty is the newest."),
  cipher_suites: z
    .array(z.string())
    .default([])
    .describe("Cipher suites up to TLS 1.2, by their Go names; those of TLS 1.3 are always on. Empty: a safe choice."),
  include_insecure_cipher_suites: z.boolean().default(false).describe("Allow weak suites in cipher_suites."),
  curve_preferences: z
    .array(z.enum(curveNames, { error: (issue) => `invalid curve type: ${String(issue.input)}` }))
    .default([])
    .describe("Elliptic curves in order of preference. Empty: a safe choice."),
  reload_interval: nonNegativeDuration(
    "0s",
    "Read certificate and key again for new connections when that was done longer ago than this; 0 is never. Connections stay.",
  ),
  tpm: tpmSettings(),
});

function tpmSettings() {
  return z
    .strictObject({
      enabled: z.boolean().default(false).describe("Refused: otelpipe cannot use keys in a TPM."),
      path: z.string().default("").describe("The device."),
      owner_auth: secret().default("").describe("Password of the owner."),
      auth: secret().default("").describe("Password of the key."),
    })
    .superRefine(({ enabled }, context) => {
      if (!enabled) return;
      const message = "otelpipe cannot use private keys in a TPM: give the key as key_file or key_pem";
      context.addIssue({ code: "custom", message, path: ["enabled"] });
    })
    .prefault({})
    .describe("A private key in a TPM.");
}

type SharedKeys = { [K in (typeof exclusive)[number][number]]: string } & {
  min_version: string;
  max_version: string;
  cipher_suites: readonly string[];
  include_insecure_cipher_suites: boolean;
};

const exclusive = [
  ["ca_file", "ca_pem"],
  ["cert_file", "cert_pem"],
  ["key_file", "key_pem"],
] as const;

function checkExclusive(settings: SharedKeys, context: z.RefinementCtx): void {
  for (const [file, pem] of exclusive) {
    if (settings[file] === "" || settings[pem] === "") continue;
    const message = `provide either ${file} or ${pem}, but not both`;
    context.addIssue({ code: "custom", message, path: [pem] });
  }
}

function checkPair(settings: SharedKeys, context: z.RefinementCtx): void {
  const hasCert = settings.cert_file !== "" || settings.cert_pem !== "";
  const hasKey = settings.key_file !== "" || settings.key_pem !== "";
  if (hasCert !== hasKey) {
    const message = "TLS configuration must include both certificate and key (cert_file/cert_pem and key_file/key_pem)";
    context.addIssue({ code: "custom", message });
  }
}

function checkVersions(settings: SharedKeys, context: z.RefinementCtx): void {
  if (settings.max_version !== "" && settings.min_version > settings.max_version) {
    context.addIssue({
      code: "custom",
      message: "invalid TLS configuration: min_version cannot be greater than max_version",
      path: ["min_version"],
    });
  }
}

function checkSuites(settings: SharedKeys, context: z.RefinementCtx): void {
  for (const [index, name] of settings.cipher_suites.entries()) {
    if (isCipherSuite(name, settings.include_insecure_cipher_suites)) continue;
    const message = `invalid TLS cipher suite: ${JSON.stringify(name)}`;
    context.addIssue({ code: "custom", message, path: ["cipher_suites", index] });
  }
}

/** A server's `tls` block, off unless it is written. */
export function tlsServerSettings() {
  const block = () =>
    z
      .strictObject({
        ...shared(),
        client_ca_file: z
          .string()
          .default("")
          .describe(
            "File with CA certificates (PEM). Set, every client must show a certificate signed by one of them.",
          ),
        client_ca_file_reload: z
          .boolean()
          .default(false)
          .describe("Read client_ca_file again for new connections when it has changed. Connections stay."),
      })
      .check(
        acrossFields(checkExclusive, checkPair, checkVersions, checkSuites, (settings, context) => {
          if (settings.cert_file !== "" || settings.cert_pem !== "") return;
          const message = "TLS configuration must include both certificate and key for server connections";
          context.addIssue({ code: "custom", message });
        }),
      );
  return optionalBlock(block, "none");
}

export type TlsServerSettings = NonNullable<z.output<ReturnType<typeof tlsServerSettings>>>;

/** A client's `tls` block. */
export function tlsClientSettings() {
  return z
    .strictObject({
      ...shared(),
      insecure: z.boolean().default(false).describe("No TLS at all, unless a CA is given."),
      insecure_skip_verify: z.boolean().default(false).describe("Accept any certificate of the server."),
      server_name_override: z
        .string()
        .default("")
        .describe("The server name to ask for and to check, instead of the endpoint's host."),
    })
    .check(acrossFields(checkExclusive, checkPair, checkVersions, checkSuites))
    .prefault({});
}

export type TlsClientSettings = z.output<ReturnType<typeof tlsClientSettings>>;
