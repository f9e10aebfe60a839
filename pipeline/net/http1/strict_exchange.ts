import type { IncomingHttpHeaders } from "node:http";
import type { AnswerOptions, BodyTaker, Exchange } from "../exchange.ts";
import type { StrictHead } from "./strict_head.ts";

/** What an exchange needs of its connection. */
export interface ExchangeConnection {
  readonly peer: string;
  /** The body has got its taker. */
  wanted(): void;
  /** An answer was given, to be sent in its turn. */
  answered(): void;
}

/** What was answered, to be sent in its turn. */
export interface WrittenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  readonly isLast: boolean;
  /** Whether the body was still coming. */
  readonly isCut: boolean;
}

const nobody: BodyTaker = { arrived: () => false, complete: () => {}, gone: () => {} };

/** A request of the strict form, whose body has a known length. */
export class StrictExchange implements Exchange {
  readonly version = "1.1";
  readonly method = "POST";
  readonly #head: StrictHead;
  readonly #connection: ExchangeConnection;
  readonly #isAllHere: boolean;
  #left: number;
  #body: Buffer | undefined;
  #taker: BodyTaker | undefined;
  #runs: ((delivered: boolean) => void)[] = [];
  #isClosed = false;
  answerGiven: WrittenAnswer | undefined;

  /** `available`: how many bytes behind the head have come with it. */
  constructor(head: StrictHead, connection: ExchangeConnection, available: number) {
    this.#head = head;
    this.#connection = connection;
    this.#left = head.contentLength;
    this.#isAllHere = available >= head.contentLength;
  }

  get url(): string {
    return this.#head.url;
  }

  get headers(): IncomingHttpHeaders {
    return this.#head.headers;
  }

  get allHeaders(): ReadonlyMap<string, readonly string[]> {
    return allHeadersOf(this.#head);
  }

  get peer(): string {
    return this.#connection.peer;
  }

  get isOver(): boolean {
    return this.answerGiven !== undefined || this.#isClosed;
  }

  /** Whether bytes of the body that come now have somewhere to go. */
  get isWanted(): boolean {
    return this.#taker !== undefined || this.isOver;
  }

  get isBodyComplete(): boolean {
    return this.#left === 0;
  }

  takeBody(taker: BodyTaker): void {
    this.#taker = taker;
    if (this.#left === 0) taker.complete(Buffer.alloc(0));
    else this.#connection.wanted();
  }

  /** Takes of `bytes` what belongs to the body, copies it, and gives back where the rest starts. */
  receive(bytes: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.#left);
    const { contentLength } = this.#head;
    const had = contentLength - this.#left;
    this.#left -= stop - start;
    const taker = this.#taker ?? nobody;
    if (!taker.arrived(had + stop - start)) {
      this.#taker = nobody;
      this.#body = undefined;
      return stop;
    }
    this.#body ??= Buffer.allocUnsafe(contentLength);
    bytes.copy(this.#body, had, start, stop);
    if (this.#left === 0) {
      const body = this.#body;
      this.#body = undefined;
      taker.complete(body);
    }
    return stop;
  }

  answer(
    status: number,
    headers: Readonly<Record<string, string>>,
    body: Buffer | undefined,
    { isLast }: AnswerOptions,
  ): void {
    if (this.isOver) return;
    const isCut = this.#left > 0 && !this.#isAllHere;
    this.answerGiven = { status, headers, body, isLast: isLast || isCut, isCut };
    this.#connection.answered();
  }

  onClose(run: (delivered: boolean) => void): void {
    this.#runs.push(run);
  }

  /** The answer is on its way, or never will be. */
  close(delivered: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#left > 0) this.#taker?.gone();
    const runs = this.#runs;
    this.#runs = [];
    for (const run of runs) run(delivered);
  }
}

const allHeaders = new WeakMap<StrictHead, ReadonlyMap<string, readonly string[]>>();

function allHeadersOf(head: StrictHead): ReadonlyMap<string, readonly string[]> {
  let all = allHeaders.get(head);
  if (all === undefined) {
    all = new Map(Object.entries(head.headers).map(([name, value]) => [name, [String(value)]]));
    allHeaders.set(head, all);
  }
  return all;
}
