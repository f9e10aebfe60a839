import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import tls from "node:tls";
import { messageOf } from "../error_text.ts";
import type { Clock, Logger } from "../host.ts";
import { systemCertificates } from "./system_certificates.ts";
import { openSslCiphers, openSslCurves } from "./tls_names.ts";
import type { TlsClientSettings, TlsServerSettings } from "./tls_settings.ts";

type Shared = Omit<TlsServerSettings, "client_ca_file" | "client_ca_file_reload">;

/** How often `client_ca_file` is looked at, at most. */
const clientCaCheckMs = 1_000;

/** How long a handshake may take. */
const handshakeTimeoutMs = 20_000;

/** Options for a TLS server as its files are now. With `client_ca_file` a client without a certificate of that CA is refused. */
function serverOptions(settings: TlsServerSettings): tls.TlsOptions {
  const clientCa = readAuthorities(settings.client_ca_file, "");
  readAuthorities(settings.ca_file, settings.ca_pem); // a server asks nobody for it, yet it must be there, as for the Collector
  return {
    ...certificateOptions(settings),
    ...(clientCa !== undefined && { ca: [clientCa], requestCert: true, rejectUnauthorized: true }),
  };
}

function clientOptions(settings: TlsClientSettings): tls.SecureContextOptions {
  const ca = readAuthorities(settings.ca_file, settings.ca_pem);
  const system = ca === undefined || settings.include_system_ca_certs_pool ? systemCertificates() : [];
  return {
    ...certificateOptions(settings),
    ca: ca === undefined ? system : [...system, ca],
  };
}

function certificateOptions(settings: Shared): tls.SecureContextOptions {
  const cert = read(settings.cert_file, settings.cert_pem);
  const key = read(settings.key_file, settings.key_pem);
  const curves = openSslCurves(settings.curve_preferences);
  return {
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(settings.cipher_suites.length > 0 && { ciphers: openSslCiphers(settings.cipher_suites) }),
    ...(curves !== undefined && { ecdhCurve: curves }),
    minVersion: versionName(settings.min_version, "TLSv1.2"),
    maxVersion: versionName(settings.max_version, "TLSv1.3"),
  };
}

/** What a TLS server needs of its surroundings. */
interface TlsSurroundings {
  readonly clock: Clock;
  readonly logger?: Logger;
}

/** Options for making a TLS server that speaks one of `protocols`. @throws {Error} naming a file that cannot be read. */
export function tlsServerOptions(settings: TlsServerSettings, protocols: readonly string[]): tls.TlsOptions {
  return { ALPNProtocols: [...protocols], handshakeTimeout: handshakeTimeoutMs, ...serverOptions(settings) };
}

/**
 * Has a TLS server read its files again: the certificate when a connection comes and the last reading is older than
 * `reload_interval`, the client CA when its file has changed, for that connection and those after it. What cannot be
 * read or used leaves what was there before, with a line in the log.
 */
export function keepCertificatesFresh(server: tls.Server, settings: TlsServerSettings, around: TlsSurroundings): void {
  const isStale = staleness(settings, around.clock);
  if (isStale === undefined) return;
  server.prependListener("connection", () => {
    if (!isStale()) return;
    try {
      server.setSecureContext(serverOptions(settings));
    } catch (error) {
      warnOfReload(error, around);
    }
  });
}

function warnOfReload(error: unknown, { logger }: TlsSurroundings): void {
  const reason = messageOf(error);
  logger?.warn({ error: reason }, "Reading TLS certificates again failed; the old ones stay in use.");
}

/** Tells at each connection whether the files should be read again; undefined when they never should. */
function staleness(settings: TlsServerSettings, clock: Clock): (() => boolean) | undefined {
  const { cert_file, key_file, client_ca_file, client_ca_file_reload, reload_interval } = settings;
  const certificate = reload_interval > 0 && (cert_file !== "" || key_file !== "");
  const clientCa = client_ca_file_reload && client_ca_file !== "";
  if (!certificate && !clientCa) return undefined;
  let readMs = clock.monotonicMs();
  let checkedMs = readMs;
  let digest = clientCa ? digestOf(client_ca_file) : "";
  return () => {
    const nowMs = clock.monotonicMs();
    const isOld = certificate && nowMs - readMs > reload_interval;
    if (isOld) readMs = nowMs;
    if (!clientCa || nowMs - checkedMs < clientCaCheckMs) return isOld;
    checkedMs = nowMs;
    const before = digest;
    digest = digestOf(client_ca_file);
    return isOld || digest !== before;
  };
}

function digestOf(file: string): string {
  try {
    return createHash("sha256").update(readFileSync(file)).digest("hex");
  } catch {
    return "";
  }
}

/** What a client shows and whom it trusts, as a context for its connections. */
export class ClientIdentity {
  readonly #settings: TlsClientSettings;
  readonly #surroundings: TlsSurroundings;
  #readMs: number;
  #options: tls.SecureContextOptions;
  #context: tls.SecureContext;

  /** @throws {Error} when a file cannot be read or holds nothing of use. */
  constructor(settings: TlsClientSettings, surroundings: TlsSurroundings) {
    this.#settings = settings;
    this.#surroundings = surroundings;
    this.#readMs = surroundings.clock.monotonicMs();
    this.#options = clientOptions(settings);
    this.#context = tls.createSecureContext(this.#options);
  }

  /**
   * The context for a new connection. Its files are read again when that was done longer ago than `reload_interval`; the
   * object is the same until one has changed. What cannot be used leaves the one before, with a line in the log.
   */
  get context(): tls.SecureContext {
    const { reload_interval, cert_file, key_file } = this.#settings;
    const nowMs = this.#surroundings.clock.monotonicMs();
    if (reload_interval === 0 || (cert_file === "" && key_file === "")) return this.#context;
    if (nowMs - this.#readMs <= reload_interval) return this.#context;
    this.#readMs = nowMs;
    try {
      const fresh = clientOptions(this.#settings);
      if (fresh.cert === this.#options.cert && fresh.key === this.#options.key) return this.#context;
      this.#context = tls.createSecureContext(fresh);
      this.#options = fresh;
    } catch (error) {
      warnOfReload(error, this.#surroundings);
    }
    return this.#context;
  }
}

/** Whether a client with these settings speaks TLS to an endpoint that does not say so itself. */
export function wantsTls(settings: TlsClientSettings): boolean {
  return !settings.insecure || settings.ca_file !== "" || settings.ca_pem !== "";
}

/** The text of CA certificates. @throws {Error} when there is no certificate in it, which OpenSSL would take for "nobody". */
function readAuthorities(file: string, pem: string): string | undefined {
  const text = read(file, pem);
  if (text === undefined || text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new Error(`${file === "" ? "ca_pem" : file}: failed to parse cert`);
}

function read(file: string, pem: string): string | undefined {
  if (file === "") return pem === "" ? undefined : pem;
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new Error(`cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}

function versionName(version: Shared["min_version"], otherwise: tls.SecureVersion): tls.SecureVersion {
  if (version === "") return otherwise;
  return version === "1.0" ? "TLSv1" : `TLSv${version}`;
}
