import { parseHostPort } from "./listener.ts";

/**
 * What `@grpc/grpc-js` should dial for an endpoint, and whether its scheme asks for TLS.
 * @throws {Error} as the Collector, for an endpoint without a port or without a socket path.
 */
export function parseGrpcEndpoint(endpoint: string): { target: string; secure: boolean } {
  const [, scheme = "", rest = ""] = /^(?:([a-z]+):\/\/)?(.*)$/s.exec(endpoint) ?? [];
  if (scheme === "unix") {
    if (rest === "") throw new Error("unix socket path cannot be empty");
    return { target: `unix:${rest}`, secure: false };
  }
  const address = scheme === "dns" || scheme === "passthrough" ? rest.replace(/^[^/]*\//, "") : rest;
  checkPort(address);
  return { target: `dns:${address}`, secure: scheme === "https" };
}

function checkPort(address: string): void {
  const port = /:([^:\]]*)$/.exec(address)?.[1];
  if (port === undefined) throw new Error(`address ${address}: missing port in address`);
  if (!/^\d+$/.test(port)) throw new Error(`invalid port ${JSON.stringify(port)}`);
  parseHostPort(address);
}
