/** Cipher suites and curves by their names in Go, and what OpenSSL calls them. @see Go: `crypto/tls/cipher_suites.go`. */

/** Of TLS 1.3: always on, as in Go. Their names are the same everywhere. */
const tls13Suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

const secureSuites: ReadonlyMap<string, string> = new Map([
  ["TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"],
  ["TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"],
  ["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"],
  ["TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"],
  ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"],
  ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"],
  ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
  ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"],
  ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"],
  ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"],
]);

const insecureSuites: ReadonlyMap<string, string> = new Map([
  ["TLS_RSA_WITH_RC4_128_SHA", "RC4-SHA"],
  ["TLS_RSA_WITH_3DES_EDE_CBC_SHA", "DES-CBC3-SHA"],
  ["TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"],
  ["TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"],
  ["TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"],
  ["TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"],
  ["TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"],
  ["TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "ECDHE-ECDSA-RC4-SHA"],
  ["TLS_ECDHE_RSA_WITH_RC4_128_SHA", "ECDHE-RSA-RC4-SHA"],
  ["TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "ECDHE-RSA-DES-CBC3-SHA"],
  ["TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256"],
  ["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256"],
]);

/** Whether Go knows the suite; the weak ones only when they are asked for. */
export function isCipherSuite(name: string, includeInsecure: boolean): boolean {
  return tls13Suites.includes(name) || secureSuites.has(name) || (includeInsecure && insecureSuites.has(name));
}

/** The suites as OpenSSL lists them. Those that this OpenSSL was built without (RC4, 3DES) it leaves out itself. */
export function openSslCiphers(names: readonly string[]): string {
  const older = names.flatMap((name) => secureSuites.get(name) ?? insecureSuites.get(name) ?? []);
  return [...tls13Suites, ...older].join(":");
}

const curves = {
  P256: "P-256",
  P384: "P-384",
  P521: "P-521",
  X25519: "X25519",
  X25519MLKEM768: "X25519MLKEM768",
} as const;

export type Curve = keyof typeof curves;

/** The curves by Go's names. */
export const curveNames = Object.keys(curves) as [Curve, ...Curve[]];

/** The curves as OpenSSL lists them; undefined when none is left: X25519MLKEM768 came with OpenSSL 3.5. */
export function openSslCurves(names: readonly Curve[], openSslVersion = process.versions.openssl): string | undefined {
  const [major = 0, minor = 0] = openSslVersion.split(".").map(Number);
  const hasMlKem = major > 3 || (major === 3 && minor >= 5);
  const known = names.filter((name) => name !== "X25519MLKEM768" || hasMlKem);
  return known.length === 0 ? undefined : known.map((name) => curves[name]).join(":");
}
