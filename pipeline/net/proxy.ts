/** Which proxy requests go through, in the form that `node:http` agents take. */
export interface ProxyEnvironment {
  readonly HTTP_PROXY?: string;
  readonly HTTPS_PROXY?: string;
  readonly NO_PROXY?: string;
}

/**
 * The proxy for requests to `url`: `proxyUrl` when it is set, else what the environment says, in upper or lower case; there
 * never for this machine itself, as in Go. Undefined is none.
 */
export function proxyFor(
  proxyUrl: string,
  url: Pick<URL, "hostname">,
  environment: NodeJS.ProcessEnv = process.env,
): ProxyEnvironment | undefined {
  if (proxyUrl !== "") return { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl };
  if (isThisMachine(url.hostname)) return undefined;
  const found = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) => {
    const value = environment[name] || environment[name.toLowerCase()];
    return value ? [[name, value]] : [];
  });
  const proxy: ProxyEnvironment = Object.fromEntries(found);
  return proxy.HTTP_PROXY === undefined && proxy.HTTPS_PROXY === undefined ? undefined : proxy;
}

function isThisMachine(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
