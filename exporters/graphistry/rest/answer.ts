import { GraphistryError } from "./graphistry_error.ts";

/** What is read of an answer at most. */
const longestAnswerBytes = 1024 * 1024;

/** What is told of a server's own words, in characters. */
const longestExcerpt = 200;

/** An answer that was read whole; `body` is undefined unless it is a JSON object. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** The server's own words for an error message, shortened, without secrets: its usual fields, never a page. */
  readonly said: string;
}

/**
 * Reads an answer. Only what says that it is JSON is parsed: a crashed server answers with a page.
 *
 * @param redact takes secrets out of a text
 */
export async function readAnswer(response: Response, redact: (text: string) => string): Promise<Answer> {
  const contentType = response.headers.get("content-type") ?? "";
  const text = await readText(response);
  const isJson = /^application\/([\w.-]+\+)?json\b/i.test(contentType);
  const body = isJson ? parseObject(text) : undefined;
  const said = body === undefined ? pageText(contentType) : wordsOf(body, redact);
  return { status: response.status, retryAfter: response.headers.get("retry-after"), body, said };
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let left = longestAnswerBytes;
  for await (const part of response.body ?? []) {
    left -= part.length;
    if (left < 0) return ""; // leaving the loop cancels the body
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function parseObject(text: string): Answer["body"] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The error behind an answer that is not a success. */
export function answerError(what: string, answer: Answer, nowMs: number): GraphistryError {
  const { status, said } = answer;
  const where =
    status >= 300 && status < 400 ? ": it redirects, which is not followed; set server to its address" : said;
  return new GraphistryError(`Graphistry answered ${status} to ${what}${where}`, {
    status,
    isRetryable: status === 429 || status >= 500,
    retryAfterMs: retryAfterMs(answer.retryAfter, nowMs),
  });
}

/** The error behind a successful answer that lacks what it should say. */
export function contentError(what: string, answer: Answer, missing: string): GraphistryError {
  const { status, said } = answer;
  return new GraphistryError(`Graphistry answered ${status} to ${what} without ${missing}${said}`, { status });
}

function pageText(contentType: string): string {
  return contentType === "" ? "" : ` (${contentType.split(";")[0]})`;
}

function wordsOf(body: Readonly<Record<string, unknown>>, redact: (text: string) => string): string {
  for (const key of ["detail", "message", "non_field_errors", "errors", "error", "data"]) {
    const value = body[key];
    if (value === undefined || value === null || value === "") continue;
    const text = redact(typeof value === "string" ? value : JSON.stringify(value)).replace(/\p{C}+/gu, " ");
    return `: ${text.length > longestExcerpt ? `${text.slice(0, longestExcerpt)}…` : text}`;
  }
  return "";
}

function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const delayMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(delayMs) ? Math.max(0, delayMs) : undefined;
}
