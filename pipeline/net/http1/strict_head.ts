import type { IncomingHttpHeaders } from "node:http";

/**
 * The head of a request in the one form that exporters send: POST, HTTP/1.1, one `host`, one `content-length`. Whatever
 * is not written exactly so is not read here at all, so that no two readers ever judge the same request.
 */
export interface StrictHead {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly contentLength: number;
}

/** What a head with its last line may be long, as `node:http` has it. */
export const mostHeadBytes = 16 * 1024;

const mostHeaders = 100;

const target = /^\/[!"$-~]*$/; // visible ASCII without "#"
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const text = /^[\t\x20-\x7e\x80-\xff]*$/;
const length = /^\d{1,12}$/;

/** Headers that say how a message is framed or a connection goes on: all but these two values are another reader's business. */
const others = new Set([
  "transfer-encoding",
  "expect",
  "upgrade",
  "te",
  "trailer",
  "proxy-connection",
  "http2-settings",
]);

/** Reads a head, up to its empty line. Undefined: not of the strict form. */
export function readStrictHead(head: string): StrictHead | undefined {
  const [first = "", ...lines] = head.split("\r\n");
  if (!first.startsWith("POST ") || !first.endsWith(" HTTP/1.1")) return undefined;
  const url = first.slice("POST ".length, -" HTTP/1.1".length);
  if (!target.test(url) || lines.length > mostHeaders) return undefined;
  const headers = Object.create(null) as IncomingHttpHeaders;
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    const value = withoutBlanks(line, colon + 1);
    if (!token.test(name) || !text.test(value) || name in headers || others.has(name)) return undefined;
    if (name === "connection" && value.toLowerCase() !== "keep-alive") return undefined;
    headers[name] = value;
  }
  const announced = headers["content-length"] ?? "";
  if (headers.host === undefined || !length.test(announced)) return undefined;
  return { url, headers, contentLength: Number(announced) };
}

function withoutBlanks(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

export interface FoundHead {
  readonly head: StrictHead;
  /** Where the body starts. */
  readonly end: number;
}

const emptyLine = Buffer.from("\r\n\r\n");
const lengthName = /\r\ncontent-length:[\t ]*(?=\d)/i;

/**
 * Finds the heads of one connection. A sender's are all alike but for the length, so one that is like the last one is
 * compared and not read.
 */
export class HeadFinder {
  #last: StrictHead | undefined;
  /** The bytes of the last head before the digits of its length, and those behind them. */
  #before = Buffer.alloc(0);
  #behind = Buffer.alloc(0);

  /** The head at `start`; "partial" while it has no end, "other" when it is not of the strict form. */
  find(bytes: Buffer, start: number, end: number): FoundHead | "partial" | "other" {
    return this.#again(bytes, start, end) ?? this.#read(bytes, start, end);
  }

  #again(bytes: Buffer, start: number, end: number): FoundHead | undefined {
    const last = this.#last;
    const digits = start + this.#before.length;
    if (last === undefined || digits >= end) return undefined;
    let at = digits;
    let contentLength = 0;
    for (; at < end && at - digits < 12 && isDigit(bytes[at] as number); at++)
      contentLength = contentLength * 10 + (bytes[at] as number) - 0x30;
    const bodyAt = at + this.#behind.length;
    if (at === digits || bodyAt > end) return undefined;
    if (bytes.compare(this.#behind, 0, this.#behind.length, at, bodyAt) !== 0) return undefined;
    if (bytes.compare(this.#before, 0, this.#before.length, start, digits) !== 0) return undefined;
    if (contentLength !== last.contentLength) {
      const headers = { ...last.headers, "content-length": bytes.toString("latin1", digits, at) };
      this.#last = { url: last.url, headers: Object.setPrototypeOf(headers, null), contentLength };
    }
    return { head: this.#last as StrictHead, end: bodyAt };
  }

  #read(bytes: Buffer, start: number, end: number): FoundHead | "partial" | "other" {
    const most = Math.min(end, start + mostHeadBytes);
    const found = bytes.subarray(start, most).indexOf(emptyLine);
    if (found < 0) return end - start >= mostHeadBytes || !mayBecomeHead(bytes, start, most) ? "other" : "partial";
    const bodyAt = start + found + emptyLine.length;
    const whole = bytes.toString("latin1", start, bodyAt);
    const head = readStrictHead(whole.slice(0, -emptyLine.length));
    if (head === undefined) return "other";
    const digits = lengthName.exec(whole);
    if (digits === null) return "other";
    const before = digits.index + digits[0].length;
    this.#last = head;
    this.#before = Buffer.from(whole.slice(0, before), "latin1");
    this.#behind = Buffer.from(whole.slice(before).replace(/^\d+/, ""), "latin1");
    return { head, end: bodyAt };
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

const firstBytes = Buffer.from("POST /");

/** Whether what has come can be the start of a strict head: a line that ends otherwise would never complete one. */
function mayBecomeHead(bytes: Buffer, start: number, end: number): boolean {
  const known = Math.min(end - start, firstBytes.length);
  if (bytes.compare(firstBytes, 0, known, start, start + known) !== 0) return false;
  for (let at = start + known; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === 0x0a && bytes[at - 1] !== 0x0d) return false;
    if (bytes[at - 1] === 0x0d && byte !== 0x0a) return false;
    if (byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return false;
  }
  return true;
}
