import type { IncomingHttpHeaders } from "node:http";

/** What the `cors` block says; an empty list of origins means that CORS is off. */
export interface CorsSettings {
  readonly allowed_origins: readonly string[];
  readonly allowed_headers: readonly string[];
  readonly exposed_headers: readonly string[];
  readonly max_age: number;
}

/** Allowed when `allowed_headers` is empty, and only then. */
const standardHeaders = ["accept", "content-type", "x-requested-with"];
const allowedMethods: ReadonlySet<string> = new Set(["GET", "POST", "HEAD", "OPTIONS"]);

/** Whether a browser asks beforehand what it may send. */
export function isPreflight(request: { readonly method: string; readonly headers: IncomingHttpHeaders }): boolean {
  return request.method === "OPTIONS" && (request.headers["access-control-request-method"] ?? "") !== "";
}

/**
 * Headers of the answer to a request that is not a preflight; none that allow anything for a foreign origin.
 * @see Go: `github.com/rs/cors`, which the Collector asks.
 */
export function corsHeaders(cors: CorsSettings, method: string, headers: IncomingHttpHeaders): Record<string, string> {
  const { origin = "" } = headers;
  if (origin === "" || !isAllowed(cors, origin) || !allowedMethods.has(method)) return { vary: "Origin" };
  const exposed = cors.exposed_headers.map(canonical).join(", ");
  return {
    vary: "Origin",
    ...allowOrigin(cors, origin),
    ...(exposed !== "" && { "access-control-expose-headers": exposed }),
  };
}

/** Headers of the answer to a preflight: what it asks for when all of that is allowed, else nothing. */
export function preflightHeaders(cors: CorsSettings, headers: IncomingHttpHeaders): Record<string, string> {
  const vary = { vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers" };
  const { origin = "" } = headers;
  const method = String(headers["access-control-request-method"]);
  const asked = headers["access-control-request-headers"];
  if (origin === "" || !isAllowed(cors, origin) || !allowedMethods.has(method)) return vary;
  if (asked !== undefined && !areAllowed(cors, asked)) return vary;
  return {
    ...vary,
    ...allowOrigin(cors, origin),
    "access-control-allow-methods": method,
    ...(asked && { "access-control-allow-headers": asked }),
    ...(cors.max_age !== 0 && { "access-control-max-age": String(Math.max(cors.max_age, 0)) }),
  };
}

function allowOrigin(cors: CorsSettings, origin: string): Record<string, string> {
  const allowed = cors.allowed_origins.includes("*") ? "*" : origin;
  return { "access-control-allow-origin": allowed, "access-control-allow-credentials": "true" };
}

/** Whether headers a browser asks for are allowed: it names them in lower case, sorted, each once. */
function areAllowed(cors: CorsSettings, asked: string): boolean {
  if (cors.allowed_headers.includes("*")) return true;
  const own = cors.allowed_headers.map((name) => name.toLowerCase());
  const allowed = new Set(own.length === 0 ? standardHeaders : own);
  const names = asked.split(",").map((name) => name.replace(/^[ \t]|[ \t]$/g, ""));
  const given = names.filter((name) => name !== "");
  return given.every((name, index) => allowed.has(name) && (index === 0 || (given[index - 1] as string) < name));
}

/** Whether one of the patterns matches the whole origin, in any case; the first `*` stands for any characters. */
function isAllowed(cors: CorsSettings, origin: string): boolean {
  return cors.allowed_origins.some((pattern) => matches(pattern.toLowerCase(), origin.toLowerCase()));
}

function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === text;
  const [start, end] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
}

/** A header's name as Go writes it: `X-Request-Id`. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
