import { readFileSync } from "node:fs";
import tls from "node:tls";
import type { TlsClientSettings, TlsServerSettings } from "./tls_settings.ts";

type Shared = Omit<TlsServerSettings, "client_ca_file" | "client_ca_file_reload">;

/** The certificate, key, CAs and versions of a `tls` block, read from its files. @throws {Error} naming the unreadable file. */
export function secureContextOptions(settings: Shared): tls.SecureContextOptions {
  const ca = read(settings.ca_file, settings.ca_pem);
  const cert = read(settings.cert_file, settings.cert_pem);
  const key = read(settings.key_file, settings.key_pem);
  const cas =
    ca === undefined ? undefined : settings.include_system_ca_certs_pool ? [...tls.rootCertificates, ca] : [ca];
  return {
    ...(cas !== undefined && { ca: cas }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    minVersion: versionName(settings.min_version, "TLSv1.2"),
    maxVersion: versionName(settings.max_version, "TLSv1.3"),
  };
}

/** Options for a TLS server. With `client_ca_file` a client without a certificate of that CA is refused. */
export function tlsServerOptions(settings: TlsServerSettings, protocols: readonly string[]): tls.TlsOptions {
  const clientCa = read(settings.client_ca_file, "");
  return {
    ...secureContextOptions(settings),
    ALPNProtocols: [...protocols],
    handshakeTimeout: 20_000,
    ...(clientCa !== undefined && { ca: [clientCa], requestCert: true, rejectUnauthorized: true }),
  };
}

/** Whether a client with these settings speaks TLS to an endpoint that does not say so itself. */
export function wantsTls(settings: TlsClientSettings): boolean {
  return !settings.insecure || settings.ca_file !== "" || settings.ca_pem !== "";
}

function read(file: string, pem: string): string | undefined {
  if (file === "") return pem === "" ? undefined : pem;
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new Error(`cannot read ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function versionName(version: Shared["min_version"], otherwise: tls.SecureVersion): tls.SecureVersion {
  if (version === "") return otherwise;
  return version === "1.0" ? "TLSv1" : `TLSv${version}`;
}
