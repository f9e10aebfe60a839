/** A token as it is sent. Times are of the monotonic clock. */
export interface Token {
  /** `Bearer`, as the header's scheme. */
  readonly type: string;
  readonly value: string;
  readonly sinceMs: number;
  /** Infinite when the server did not say. */
  readonly untilMs: number;
}

/** Why there is no token, in words that hold nothing of what was sent. */
export class TokenError extends Error {}

const typeByName: ReadonlyMap<string, string> = new Map([
  ["bearer", "Bearer"],
  ["mac", "MAC"],
  ["basic", "Basic"],
]);

/**
 * Reads a token server's answer: JSON, or a form where its content type says so.
 * @throws {TokenError} when it holds no token.
 * @see RFC 6749, sections 5.1 and 5.2. Go: `golang.org/x/oauth2`, `internal/token.go`.
 */
export function readToken(status: number, contentType: string, body: string, nowMs: number): Token {
  const fields = fieldsOf(contentType, body);
  const text = (name: string) => (typeof fields?.[name] === "string" ? (fields[name] as string) : "");
  if (status < 200 || status > 299) {
    const code = text("error");
    if (code === "") throw new TokenError(`oauth2: cannot fetch token: HTTP status ${status}`);
    const description = text("error_description");
    throw new TokenError(
      `oauth2: ${JSON.stringify(code)}${description === "" ? "" : ` ${JSON.stringify(description)}`}`,
    );
  }
  if (fields === undefined) throw new TokenError("oauth2: cannot parse the token server's answer");
  const value = text("access_token");
  if (value === "") throw new TokenError("oauth2: server response missing access_token");
  const seconds = Number(fields["expires_in"] ?? 0);
  const untilMs = seconds > 0 ? nowMs + seconds * 1_000 : Number.POSITIVE_INFINITY;
  const type = text("token_type");
  return { type: typeByName.get(type.toLowerCase()) ?? (type || "Bearer"), value, sinceMs: nowMs, untilMs };
}

function fieldsOf(contentType: string, body: string): Readonly<Record<string, unknown>> | undefined {
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase();
  if (type === "application/x-www-form-urlencoded" || type === "text/plain") {
    return Object.fromEntries(new URLSearchParams(body));
  }
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
