import type { HttpReply } from "./transport.ts";

/** How often a request is sent on at most, as Go's client does it. */
export const mostRedirects = 10;

/**
 * Where `reply` sends the request on; undefined when it does not. Only 307 and 308 leave a POST what it is (RFC 9110,
 * 15.4.8 and 15.4.9), and nothing that was to be encrypted is sent in clear.
 */
export function redirectTarget(url: URL, reply: HttpReply): URL | undefined {
  const location = reply.header("location");
  if ((reply.status !== 307 && reply.status !== 308) || location === undefined) return undefined;
  const target = URL.parse(location, url);
  if (target?.protocol === "https:") return target;
  return target?.protocol === "http:" && url.protocol === "http:" ? target : undefined;
}

/** What describes the body, and this program: everything else may hold keys. */
const harmless: ReadonlySet<string> = new Set(["content-type", "content-encoding", "content-length", "user-agent"]);

/** The headers to send on to `target`: another host than that of `url`, or one below it, gets none that may hold a secret. */
export function headersTowards<H extends Readonly<Record<string, string>>>(target: URL, url: URL, headers: H) {
  if (target.hostname === url.hostname || target.hostname.endsWith(`.${url.hostname}`)) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => harmless.has(name)));
}
