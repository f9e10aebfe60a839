import { isIP } from "node:net";

/** What of a request decides whether it comes from the dashboard's own page. Header values as sent. */
export interface Asking {
  readonly method: string;
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
}

/**
 * Which host names a dashboard answers to: those of its own machine and the configured one. A name that an attacker's
 * DNS points here (rebinding) is none of them. Bound to all addresses it also answers to any bare IP address.
 */
export function allowedHosts(configuredHost: string): (name: string) => boolean {
  const names = new Set(["localhost", "127.0.0.1", "::1", configuredHost.toLowerCase()].filter((name) => name !== ""));
  const everywhere = ["", "0.0.0.0", "::"].includes(configuredHost);
  return (name) => names.has(name) || (everywhere && isIP(name) !== 0);
}

/** Why a request is refused, in one line for a 403; undefined when it is fine. */
export function refusal(asking: Asking, isAllowed: (name: string) => boolean): string | undefined {
  const host = asking.host ?? "";
  const name = hostName(host);
  if (name === undefined || !isAllowed(name)) {
    return `host ${JSON.stringify(host)} is not a name of this dashboard; open it as localhost or by its configured endpoint`;
  }
  if (isNavigation(asking)) return undefined;
  if (asking.origin !== undefined && asking.origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    return `origin ${JSON.stringify(asking.origin)} is another site; only the dashboard's own page may ask`;
  }
  if (asking.fetchSite !== undefined && !["same-origin", "none"].includes(asking.fetchSite)) {
    return `a ${asking.fetchSite} request; only the dashboard's own page may ask`;
  }
  const reads = asking.method === "GET" || asking.method === "HEAD";
  if (!reads && asking.origin === undefined) return "a request that is not a read must name its origin";
  return undefined;
}

/** A link to the page followed from anywhere: it shows the reader his own page and tells the other site nothing. */
function isNavigation(asking: Asking): boolean {
  return asking.method === "GET" && asking.path === "/" && asking.fetchMode === "navigate";
}

/** The name in a Host header, without port and brackets, in lower case; undefined when it is not one. */
function hostName(host: string): string | undefined {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host);
  return (parts?.[1] ?? parts?.[2])?.toLowerCase();
}
