import { Dictionary } from "../../pipeline/frame/builders.ts";
import type { ByteBudget } from "../../pipeline/host.ts";
import type { Share } from "../../pipeline/llm/nested_calls.ts";

/** Requests in a block: what is allocated, and what leaves the window, at once. */
export const requestsPerBlock = 4096;

/** Beside 0 and 1 in the column `failed`: a span that adds its tokens to those of the call below it, and no request. */
export const tokensOnly = 2;

/** What one request costs: start and duration 8 bytes each, two token counts 4 each, model 2, flags 1. */
export const bytesPerRequest = 8 + 8 + 4 + 4 + 2 + 1;

/** Models told apart by name; further ones share `otherModel`. */
const maxModels = 1000;

const otherModel = "other";

/** Longest model name kept, in characters. */
const longestModel = 200;

/** Consecutive arrivals in columns; the first `length` rows count. */
export class Block {
  readonly startUnixMs = new Float64Array(requestsPerBlock);
  readonly durationMs = new Float64Array(requestsPerBlock);
  readonly inputTokens = new Uint32Array(requestsPerBlock);
  readonly outputTokens = new Uint32Array(requestsPerBlock);
  readonly model = new Uint16Array(requestsPerBlock);
  /** 0, 1 or `tokensOnly`. */
  readonly failed = new Uint8Array(requestsPerBlock);
  /** The number of its first request, as `add` gives it. */
  readonly firstNumber: number;
  length = 0;
  latestStartUnixMs = Number.NEGATIVE_INFINITY;

  constructor(firstNumber = 0) {
    this.firstNumber = firstNumber;
  }
}

/** What a block's arrays hold. */
export const bytesPerBlock = requestsPerBlock * bytesPerRequest;

/**
 * The requests of a rolling window as a queue of blocks of typed arrays: `bytesPerRequest` bytes each, and at most one
 * block more than they need. A block goes when its youngest request has left the window, or when the store is full.
 */
export class RequestStore {
  readonly #budget: ByteBudget;
  readonly #maxBlocks: number;
  readonly #blocks: Block[] = [];
  readonly #models = new Dictionary();
  #displaced = 0;
  #added = 0;
  #readers = 0;
  /** What was taken back while somebody read. */
  #waiting: (readonly [number: number, share: Share])[] = [];

  /** @param maxRequests rounded up to whole blocks. */
  constructor(maxRequests: number, budget: ByteBudget) {
    this.#budget = budget;
    this.#maxBlocks = Math.ceil(maxRequests / requestsPerBlock);
  }

  /** Oldest arrivals first. */
  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  /** Bytes of all blocks. */
  get sizeBytes(): number {
    return this.#blocks.length * bytesPerBlock;
  }

  /** Requests that had to go before they left the window, because the store was full. */
  get displaced(): number {
    return this.#displaced;
  }

  /** The name behind a number in a block's `model` column. */
  modelName(model: number): string {
    return this.#models.texts[model] ?? otherModel;
  }

  /**
   * Keeps one request and returns its number. Tokens the span does not say are 0, a model it does not say is the empty
   * text. Positional, since this is called once per span.
   */
  add(
    startUnixMs: number,
    durationMs: number,
    inputTokens: number,
    outputTokens: number,
    failed: boolean,
    model: string,
  ): number {
    let block = this.#blocks.at(-1);
    if (block === undefined || block.length === requestsPerBlock) block = this.#newBlock();
    const row = block.length++;
    block.startUnixMs[row] = startUnixMs;
    block.durationMs[row] = durationMs;
    block.inputTokens[row] = inputTokens;
    block.outputTokens[row] = outputTokens;
    block.failed[row] = failed ? 1 : 0;
    block.model[row] = this.#modelNumber(model);
    if (startUnixMs > block.latestStartUnixMs) block.latestStartUnixMs = startUnixMs;
    return this.#added++;
  }

  /** Takes a request back that turns out to repeat another one: all of it, or all but its tokens. */
  takeBack(number: number, share: Share): void {
    if (this.#readers > 0) this.#waiting.push([number, share]);
    else this.#mark(number, share);
  }

  /** Runs `read`, which may pause: until it has settled, rows that are there stay as they are. */
  async reading<T>(read: () => Promise<T>): Promise<T> {
    this.#readers++;
    try {
      return await read();
    } finally {
      if (--this.#readers === 0) for (const [number, share] of this.#waiting.splice(0)) this.#mark(number, share);
    }
  }

  #mark(number: number, share: Share): void {
    const block = this.#blocks.findLast(({ firstNumber }) => firstNumber <= number);
    const row = number - (block?.firstNumber ?? 0);
    if (block === undefined || row >= block.length) return;
    if (share === "tokens") block.failed[row] = tokensOnly;
    else block.startUnixMs[row] = Number.NEGATIVE_INFINITY;
  }

  /** Gives up the blocks whose requests all started before `fromUnixMs`. */
  expire(fromUnixMs: number): void {
    for (let place = this.#blocks.length - 1; place >= 0; place--) {
      if (this.#blocks[place]!.latestStartUnixMs < fromUnixMs) this.#remove(place);
    }
  }

  clear(): void {
    while (this.#blocks.length > 0) this.#remove(0);
  }

  #newBlock(): Block {
    if (this.#blocks.length === this.#maxBlocks) {
      this.#displaced += this.#blocks[0]!.length;
      this.#remove(0);
    }
    const block = new Block(this.#added);
    this.#budget.take(bytesPerBlock);
    this.#blocks.push(block);
    return block;
  }

  #remove(place: number): void {
    this.#blocks.splice(place, 1);
    this.#budget.give(bytesPerBlock);
  }

  #modelNumber(model: string): number {
    const name = model.slice(0, longestModel);
    const known = this.#models.find(name);
    if (known !== -1) return known;
    return this.#models.texts.length < maxModels ? this.#models.code(name) : maxModels;
  }
}
