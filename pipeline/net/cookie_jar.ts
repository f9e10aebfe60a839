interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  readonly isHostOnly: boolean;
  readonly path: string;
  readonly isSecure: boolean;
  /** Milliseconds since the epoch; undefined is as long as the process lives. */
  readonly expiresMs: number | undefined;
}

/** Most cookies kept; the oldest go first. */
const mostCookies = 1_000;

/** Cookies that servers set, for later requests to them; in memory only. @see RFC 6265, 5.3 and 5.4 */
export class CookieJar {
  readonly #cookies = new Map<string, Cookie>();

  /** Keeps what the `Set-Cookie` headers of an answer from `url` say. */
  store(url: URL, setCookie: readonly string[], nowMs: number): void {
    for (const text of setCookie) {
      const cookie = parseCookie(text, url, nowMs);
      if (cookie === undefined) continue;
      const key = `${cookie.domain};${cookie.path};${cookie.name}`;
      this.#cookies.delete(key);
      if (cookie.expiresMs === undefined || cookie.expiresMs > nowMs) this.#cookies.set(key, cookie);
    }
    for (const key of this.#cookies.keys()) {
      if (this.#cookies.size <= mostCookies) break;
      this.#cookies.delete(key);
    }
  }

  /** The `Cookie` header for a request to `url`; undefined when no cookie is for it. */
  header(url: URL, nowMs: number): string | undefined {
    const meant = [...this.#cookies.values()]
      .filter((cookie) => isMeant(cookie, url, nowMs))
      .sort((left, right) => right.path.length - left.path.length);
    return meant.length === 0 ? undefined : meant.map(({ name, value }) => `${name}=${value}`).join("; ");
  }
}

function parseCookie(text: string, url: URL, nowMs: number): Cookie | undefined {
  const [pair = "", ...rest] = text.split(";");
  const [name, value] = cut(pair);
  if (name === "" || value === undefined) return undefined;
  const attributes = new Map(rest.map((part) => cut(part)).map(([key, each = ""]) => [key.toLowerCase(), each]));
  const domain = (attributes.get("domain") ?? "").replace(/^\./, "").toLowerCase();
  const host = url.hostname;
  if (domain !== "" && domain !== host && !(domain.includes(".") && host.endsWith(`.${domain}`))) return undefined;
  const path = attributes.get("path") ?? "";
  return {
    name,
    value,
    domain: domain === "" ? host : domain,
    isHostOnly: domain === "",
    path: path.startsWith("/") ? path : defaultPath(url),
    isSecure: attributes.has("secure"),
    expiresMs: expiryOf(attributes, nowMs),
  };
}

function cut(part: string): [string, string | undefined] {
  const at = part.indexOf("=");
  return at < 0 ? [part.trim(), undefined] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
}

function defaultPath({ pathname }: URL): string {
  return pathname.slice(0, pathname.lastIndexOf("/")) || "/";
}

function expiryOf(attributes: ReadonlyMap<string, string>, nowMs: number): number | undefined {
  const maxAge = attributes.get("max-age");
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return nowMs + Number(maxAge) * 1000;
  const expires = Date.parse(attributes.get("expires") ?? "");
  return Number.isNaN(expires) ? undefined : expires;
}

function isMeant({ domain, isHostOnly, path, isSecure, expiresMs }: Cookie, url: URL, nowMs: number): boolean {
  if (expiresMs !== undefined && expiresMs <= nowMs) return false;
  if (isSecure && url.protocol !== "https:") return false;
  if (url.hostname !== domain && (isHostOnly || !url.hostname.endsWith(`.${domain}`))) return false;
  return url.pathname === path || url.pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
}
