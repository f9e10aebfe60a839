import type { HeaderFields } from "./hpack.ts";

/** What the header fields of a request or an answer mean, and whether they may be so. @see RFC 9113, section 8. */
export interface RequestFields {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  /** The other fields, names and values in turn. */
  readonly headers: readonly string[];
  /** Undefined when it is not given. */
  readonly contentLength: number | undefined;
}

/** Fields that must not be so: their stream is reset. */
export class MalformedError extends Error {
  override readonly name = "MalformedError";
}

const connectionHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** What a client asks for. The same fields give the same object. */
export function requestOf(fields: HeaderFields): RequestFields | MalformedError {
  fields.request ??= parseRequest(fields.list);
  return fields.request;
}

function parseRequest(list: readonly string[]): RequestFields | MalformedError {
  const pseudo = new Map<string, string>();
  const start = splitPseudo(list, [":method", ":scheme", ":path", ":authority"], pseudo);
  if (start instanceof MalformedError) return start;
  const headers = list.slice(start);
  const malformed = checkHeaders(headers);
  if (malformed !== undefined) return malformed;
  const method = pseudo.get(":method");
  const path = pseudo.get(":path");
  if (method === undefined || path === undefined || path === "" || !pseudo.has(":scheme")) {
    return new MalformedError("a request without :method, :scheme or :path");
  }
  const length = headerIn(headers, "content-length");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return new MalformedError("a content-length that is none");
  const authority = pseudo.get(":authority") ?? headerIn(headers, "host") ?? "";
  return { method, path, authority, headers, contentLength: length === undefined ? undefined : Number(length) };
}

/** Reads the pseudo fields in front into `into` and returns where the others begin. */
function splitPseudo(
  list: readonly string[],
  known: readonly string[],
  into: Map<string, string>,
): number | MalformedError {
  let at = 0;
  for (; at < list.length && (list[at] as string).startsWith(":"); at += 2) {
    const name = list[at] as string;
    if (!known.includes(name) || into.has(name)) return new MalformedError(`${name} is unknown or given twice`);
    into.set(name, list[at + 1] as string);
  }
  return at;
}

/** What is wrong with fields that are no pseudo fields: those of a head, or trailers. */
export function checkHeaders(headers: readonly string[]): MalformedError | undefined {
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    const value = headers[at + 1] as string;
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return new MalformedError("a name that is none, or not in front");
    if (/[\0\r\n]|^[ \t]|[ \t]$/.test(value)) return new MalformedError(`the value of ${name}`);
    if (connectionHeaders.has(name) || (name === "te" && value !== "trailers")) {
      return new MalformedError(`${name}, which is of a connection`);
    }
  }
  return undefined;
}

/** An answer's status; malformed when its fields must not be so. */
export function responseStatusOf(fields: HeaderFields): number | MalformedError {
  const pseudo = new Map<string, string>();
  const start = splitPseudo(fields.list, [":status"], pseudo);
  if (start instanceof MalformedError) return start;
  const status = pseudo.get(":status") ?? "";
  if (!/^\d{3}$/.test(status)) return new MalformedError("an answer without :status");
  return checkHeaders(fields.list.slice(start)) ?? Number(status);
}

/** The first value of a header, by its lower-case name. */
export function headerIn(headers: readonly string[], name: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return headers[at + 1];
  return undefined;
}
