/** What an `Authorization: Basic …` header says; `raw` is its base64. */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
  readonly raw: string;
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Reads the value of an Authorization header. Problems in contrib's words. */
export function parseBasic(header: string): BasicCredentials | { readonly problem: string } {
  if (header === "") return { problem: "no basic auth provided" };
  if (header.slice(0, 6).toLowerCase() !== "basic ") return { problem: "invalid authorization scheme prefix" };
  const raw = header.slice(6);
  if (!base64.test(raw)) return { problem: "invalid authorization format" };
  const decoded = Buffer.from(raw, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon < 0) return { problem: "invalid authorization format" };
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1), raw };
}
