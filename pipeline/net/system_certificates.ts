import { existsSync, readFileSync } from "node:fs";
import tls from "node:tls";

/** Where Linux distributions keep all CAs in one file, in the order Go looks for them. */
const bundleFiles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * The CAs this machine trusts, as PEM: its bundle (or `SSL_CERT_FILE`, `SSL_CERT_DIR`), those of `NODE_EXTRA_CA_CERTS`,
 * and where the machine has none, as in a bare container, those that come with Node. A bundle is one text: asking
 * Node for the CAs one by one takes ten times as long.
 *
 * @see Go: `crypto/x509/root_unix.go`.
 */
export function systemCertificates(environment: NodeJS.ProcessEnv = process.env): string[] {
  const extra = tls.getCACertificates("extra");
  const file = environment["SSL_CERT_DIR"] ? undefined : bundleFile(environment);
  if (file !== undefined) return [readFileSync(file, "utf8"), ...extra];
  const system = tls.getCACertificates("system");
  return [...(system.length > 0 ? system : tls.getCACertificates("bundled")), ...extra];
}

function bundleFile(environment: NodeJS.ProcessEnv): string | undefined {
  if (process.platform !== "linux") return undefined;
  return [environment["SSL_CERT_FILE"] ?? "", ...bundleFiles].find((path) => path !== "" && existsSync(path));
}
