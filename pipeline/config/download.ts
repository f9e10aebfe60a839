import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { getCACertificates } from "node:tls";

/** How long a document may take and how large it may be. */
export interface DownloadLimits {
  readonly deadlineMs: number;
  readonly maximumBytes: number;
}

const usualLimits: DownloadLimits = { deadlineMs: 10_000, maximumBytes: 16 * 1024 * 1024 };

const maximumRedirects = 10;

/**
 * The text behind an `http:` or `https:` URL: one GET, redirects followed, only status 200 accepted. Certificates are
 * checked against those of Node and of the system; `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of `environment` count.
 *
 * @throws {Error} saying why it cannot be had, without the URL.
 * @see Collector: `confmap/provider/internal/configurablehttpprovider`.
 */
export async function download(
  url: string,
  environment: NodeJS.ProcessEnv,
  { deadlineMs, maximumBytes }: DownloadLimits = usualLimits,
): Promise<string> {
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    let at = parsed(url);
    for (let redirects = 0; ; redirects += 1) {
      const response = await get(at, environment, signal);
      const target = redirectTarget(response, at);
      if (target === undefined) return await textOf(response, maximumBytes);
      response.destroy();
      if (redirects === maximumRedirects) throw new Error(`more than ${maximumRedirects} redirects`);
      at = target;
    }
  } catch (error) {
    if (signal.aborted) throw new Error(`no answer within ${deadlineMs / 1000} s`, { cause: error });
    throw new Error(reason(error), { cause: error });
  }
}

function parsed(url: string): URL {
  if (!URL.canParse(url)) throw new Error("not a valid URL");
  return new URL(url);
}

async function get(url: URL, environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<IncomingMessage> {
  const isSecure = url.protocol === "https:";
  const { request, Agent } = isSecure ? https : http;
  const agent = new Agent({ proxyEnv: environment, ...(isSecure && { ca: certificates() }) });
  return await new Promise((resolve, reject) => {
    request(url, { agent, signal, headers: { accept: "*/*", "user-agent": "otelpipe" } }, resolve)
      .on("error", reject)
      .end();
  });
}

function certificates(): string[] {
  return [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
}

/** Where an answer sends the reader on to; undefined for one that is no redirect. */
function redirectTarget({ statusCode = 0, headers: { location } }: IncomingMessage, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined) return undefined;
  const target = URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (target?.protocol === "http:" || target?.protocol === "https:") return target;
  throw new Error("it redirects to what is no http URL");
}

async function textOf(response: IncomingMessage, maximumBytes: number): Promise<string> {
  const { statusCode, statusMessage = "" } = response;
  if (statusCode !== 200) {
    response.destroy();
    throw new Error(`status ${statusCode} ${statusMessage}`.trimEnd());
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maximumBytes) throw new Error(`larger than ${maximumBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was closed",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name of the host cannot be looked up now",
};

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return ("code" in error ? reasons[String(error.code)] : undefined) ?? error.message;
}
