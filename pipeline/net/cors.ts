import type { IncomingHttpHeaders } from "node:http";

/** What the `cors` block says; an empty list of origins means that CORS is off. */
export interface CorsSettings {
  readonly allowed_origins: readonly string[];
  readonly allowed_headers: readonly string[];
  readonly exposed_headers: readonly string[];
  readonly max_age: number;
}

const safeHeaders = ["accept", "content-type", "x-requested-with"];
const allowedMethods = new Set(["GET", "POST", "HEAD"]);

/** Whether a browser asks beforehand what it may send. */
export function isPreflight(request: { readonly method: string; readonly headers: IncomingHttpHeaders }): boolean {
  return request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
}

/** Headers of the answer to a request that is not a preflight; none to allow anything for a foreign origin. */
export function corsHeaders(cors: CorsSettings, headers: IncomingHttpHeaders): Record<string, string> {
  const { origin } = headers;
  if (origin === undefined || !isAllowed(cors.allowed_origins, origin)) return { vary: "Origin" };
  return {
    vary: "Origin",
    ...allowOrigin(origin),
    ...(cors.exposed_headers.length > 0 && { "access-control-expose-headers": cors.exposed_headers.join(", ") }),
  };
}

/** Headers of the answer to a preflight: what it asks for when all of that is allowed, else nothing. */
export function preflightHeaders(cors: CorsSettings, headers: IncomingHttpHeaders): Record<string, string> {
  const vary = { vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers" };
  const { origin } = headers;
  const method = String(headers["access-control-request-method"]);
  const asked = String(headers["access-control-request-headers"] ?? "");
  const names = asked.split(",").map((name) => name.trim().toLowerCase());
  const allowed = [...safeHeaders, ...cors.allowed_headers.map((name) => name.toLowerCase())];
  const fits = names.every((name) => name === "" || allowed.includes("*") || allowed.includes(name));
  if (origin === undefined || !isAllowed(cors.allowed_origins, origin) || !allowedMethods.has(method) || !fits)
    return vary;
  return {
    ...vary,
    ...allowOrigin(origin),
    "access-control-allow-methods": method,
    ...(asked !== "" && { "access-control-allow-headers": asked }),
    ...(cors.max_age > 0 && { "access-control-max-age": String(cors.max_age) }),
  };
}

function allowOrigin(origin: string): Record<string, string> {
  return { "access-control-allow-origin": origin, "access-control-allow-credentials": "true" };
}

/** Whether one of the patterns matches the whole origin, in any case; `*` stands for any characters. */
function isAllowed(patterns: readonly string[], origin: string): boolean {
  return patterns.some((pattern) => matches(pattern.toLowerCase(), origin.toLowerCase()));
}

function matches(pattern: string, text: string): boolean {
  const [start = "", ...parts] = pattern.split("*");
  const end = parts.pop();
  if (end === undefined) return pattern === text;
  if (!text.startsWith(start)) return false;
  let at = start.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - end.length >= at && text.endsWith(end);
}
