import type { Span } from "../pdata/index.ts";
import { isOtherOperation, requestKind } from "./request.ts";

/**
 * What a request adds to sums when it is not the innermost of its call: nothing (`repeats`), or its tokens because those
 * below do not report any (`tokens`). It may go from the second to the first, never back.
 */
export type Share = "tokens" | "repeats";

/** Spans that are remembered: those of the last 13 s at 20 000 a second. A power of two. */
const capacity = 1 << 18;
const buckets = 1 << 17;

/** What the arrays of a `NestedCalls` hold: four columns of 4 bytes, two of 8 and three of 1, and the buckets. */
export const bytesOfNestedCalls = capacity * (4 * 4 + 2 * 8 + 3 * 1) + buckets * 8;

/** Bits of `own`, beside those of `requestKind`. */
const barrier = 8;
const reportsTokens = 16;
const seen = 32;
const kinds = 3;

/**
 * Finds the spans of one call of a model when an SDK, a gateway and a framework each trace it, one below the other: the
 * innermost counts. A request repeats the call of a request below it when both ask for the same kind (text or
 * embeddings) and no span between them is an operation of another kind, such as a tool's or an agent's: a model that is
 * called by a tool that a model called is a call of its own. Several attempts below one request count each, as they
 * would without it. Where only an outer span reports tokens, these count once.
 *
 * Spans may come in any order, as long as no more than the last 262 144 lie between them. An instance holds 10 MB.
 */
export class NestedCalls {
  readonly #onShare: (row: number, share: Share) => void;
  /** Hashes of trace and span id, of the span and of its parent: 64 bits each. */
  readonly #keyA = new Int32Array(capacity);
  readonly #keyB = new Int32Array(capacity);
  readonly #parentA = new Int32Array(capacity);
  readonly #parentB = new Int32Array(capacity);
  /** The entry before this one in its bucket, by number; numbers rise for ever, older ones than `capacity` are gone. */
  readonly #before = new Float64Array(capacity);
  readonly #latest = new Float64Array(buckets).fill(-1);
  readonly #row = new Float64Array(capacity);
  readonly #own = new Uint8Array(capacity);
  /** Kinds of requests below, and of those the ones that report tokens. */
  readonly #below = new Uint8Array(capacity);
  readonly #tokensBelow = new Uint8Array(capacity);
  #count = 0;

  /** @param onShare called for a request that is not the innermost, when that is known, and again when its share changes. */
  constructor(onShare: (row: number, share: Share) => void) {
    this.#onShare = onShare;
  }

  /** Takes a span. @param row the caller's number of a request; -1 for a span that is none. */
  add(span: Span, row: number, hasTokens: boolean): void {
    const trace = span.traceId.fnv1a(0);
    const entry = this.#entry(span.spanId.fnv1a(trace), span.spanId.fnv1a(~trace));
    const hasParent = !span.parentSpanId.isEmpty && !span.parentSpanId.equals(span.spanId);
    this.#parentA[entry] = hasParent ? span.parentSpanId.fnv1a(trace) : 0;
    this.#parentB[entry] = hasParent ? span.parentSpanId.fnv1a(~trace) : 0;
    this.#row[entry] = row;
    const kind = row === -1 ? 0 : requestKind(span);
    this.#own[entry] = seen | kind | (hasTokens ? reportsTokens : 0) | (isOtherOperation(span) ? barrier : 0);
    if (kind !== 0) this.#tell(entry);
    this.#passUp(entry);
  }

  /** Tells those above `entry` what lies below them, as far up as that is new. */
  #passUp(entry: number): void {
    for (;;) {
      const own = this.#own[entry]!;
      const kind = own & kinds;
      const below = this.#below[entry]! | kind;
      const tokens = this.#tokensBelow[entry]! | ((own & reportsTokens) === 0 ? 0 : kind);
      const hasParent = this.#parentA[entry] !== 0 || this.#parentB[entry] !== 0;
      if (below === 0 || !hasParent || (own & barrier) !== 0) return;
      const parent = this.#entry(this.#parentA[entry]!, this.#parentB[entry]!);
      const isKnown = (this.#below[parent]! & below) === below && (this.#tokensBelow[parent]! & tokens) === tokens;
      if (isKnown) return;
      this.#below[parent]! |= below;
      this.#tokensBelow[parent]! |= tokens;
      if ((this.#own[parent]! & seen) === 0) return;
      if ((this.#own[parent]! & kinds) !== 0) this.#tell(parent);
      entry = parent;
    }
  }

  #tell(entry: number): void {
    const own = this.#own[entry]!;
    const kind = own & kinds;
    if ((this.#below[entry]! & kind) === 0) return;
    const isLost = (own & reportsTokens) !== 0 && (this.#tokensBelow[entry]! & kind) === 0;
    this.#onShare(this.#row[entry]!, isLost ? "tokens" : "repeats");
  }

  /** The place of a span, made when it has none: a parent may come after its children. */
  #entry(hashA: number, hashB: number): number {
    const [keyA, keyB] = [hashA | 0, hashB | 0];
    const bucket = (keyA ^ keyB) & (buckets - 1);
    const latest = this.#latest[bucket]!;
    for (let number = latest; number >= 0 && number >= this.#count - capacity; ) {
      const entry = number % capacity;
      if (this.#keyA[entry] === keyA && this.#keyB[entry] === keyB) return entry;
      number = this.#before[entry]!;
    }
    const number = this.#count++;
    const entry = number % capacity;
    this.#latest[bucket] = number;
    this.#before[entry] = latest;
    this.#keyA[entry] = keyA;
    this.#keyB[entry] = keyB;
    this.#parentA[entry] = 0;
    this.#parentB[entry] = 0;
    this.#own[entry] = 0;
    this.#below[entry] = 0;
    this.#tokensBelow[entry] = 0;
    return entry;
  }
}
