import { STATUS_CODES } from "node:http";
import type { Clock } from "../../host.ts";

/** Answers as bytes, with the lines that `node:http` adds. Headers given again as the same object are not written anew. */
export class AnswerWriter {
  readonly #clock: Clock;
  readonly #keptLines: string;
  readonly #heads = new WeakMap<object, { readonly status: number; readonly text: string }>();
  #second = 0;
  #date = "";

  /** `idleMs`: how long a connection is kept; 0 is for ever. */
  constructor(clock: Clock, idleMs: number) {
    this.#clock = clock;
    this.#keptLines = `Connection: keep-alive\r\n${idleMs > 0 ? `Keep-Alive: timeout=${Math.floor(idleMs / 1000)}\r\n` : ""}`;
  }

  /** `isLast` says that the connection is closed behind it. */
  bytes(status: number, headers: Readonly<Record<string, string>>, body: Buffer | undefined, isLast: boolean): Buffer {
    const length = status === 204 ? "" : `content-length: ${body?.length ?? 0}\r\n`;
    const end = isLast ? `connection: close\r\n${this.#dateLine()}` : `${this.#dateLine()}${this.#keptLines}`;
    const head = `${this.#head(status, headers)}${length}${end}\r\n`;
    if (body === undefined || body.length === 0) return Buffer.from(head, "latin1");
    const bytes = Buffer.allocUnsafe(head.length + body.length);
    bytes.write(head, 0, "latin1");
    body.copy(bytes, head.length);
    return bytes;
  }

  #head(status: number, headers: Readonly<Record<string, string>>): string {
    const known = this.#heads.get(headers);
    if (known?.status === status) return known.text;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value.replace(unwritable, " ")}\r\n`);
    const text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n${lines.join("")}`;
    this.#heads.set(headers, { status, text });
    return text;
  }

  #dateLine(): string {
    const now = this.#clock.nowMs();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#date = `Date: ${new Date(now).toUTCString()}\r\n`;
    }
    return this.#date;
  }
}

/** What would end a header, or be none of its characters. */
const unwritable = /[^\t\x20-\x7e\x80-\xff]/g;
