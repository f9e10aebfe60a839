import { randomUUID, sign } from "node:crypto";
import type { OAuth2Config } from "./config.ts";

const hashes = { "": "sha256", RS256: "sha256", RS384: "sha384", RS512: "sha512" } as const;
const lifeSeconds = 30 * 60;

/**
 * A signed statement of who asks for a token, for half an hour from `nowMs`.
 * @throws {Error} when `key` is no private key in PEM form.
 * @see RFC 7523.
 */
export function assertionOf(settings: OAuth2Config, clientId: string, key: string, nowMs: number): string {
  const { scopes, token_url, signature_algorithm, client_certificate_key_id } = settings;
  const issuedAt = Math.floor(nowMs / 1_000);
  const header = {
    alg: signature_algorithm || "RS256",
    typ: "JWT",
    ...(client_certificate_key_id !== "" && { kid: client_certificate_key_id }),
  };
  const claims = {
    iss: settings.iss || clientId,
    sub: clientId,
    jti: randomUUID(),
    aud: settings.audience || token_url,
    iat: issuedAt,
    exp: issuedAt + lifeSeconds,
    ...(scopes.length > 0 && { scope: scopes.join(" ") }),
    ...settings.claims,
  };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${sign(hashes[signature_algorithm], Buffer.from(signed), key).toString("base64url")}`;
}
