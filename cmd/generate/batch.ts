import type { Parcel } from "./generator.ts";
import type { Span } from "./span.ts";

/** Spans of one parcel in a batch. */
export interface Portion {
  readonly parcel: Parcel;
  readonly spans: Span[];
  /** Whether the parcel is complete with them. */
  last: boolean;
}

/** Spans a request holds at most, and about how many bytes: servers take 4 MiB by default. */
const mostSpans = 512;
const mostBytes = 2 * 1024 * 1024;

/** Collects spans for one request. */
export class Batch {
  readonly portions: Portion[] = [];
  #spans = 0;
  #bytes = 0;

  get spanCount(): number {
    return this.#spans;
  }

  /** Adds spans of a parcel from the one at `from` as long as they fit. Returns where to go on in the next batch. */
  add(parcel: Parcel, from: number): number {
    const portion: Portion = { parcel, spans: [], last: false };
    let at = from;
    for (; at < parcel.spans.length; at++) {
      const span = parcel.spans[at]!;
      const bytes = sizeOf(span);
      if (this.#spans > 0 && (this.#spans === mostSpans || this.#bytes + bytes > mostBytes)) break;
      portion.spans.push(span);
      this.#spans++;
      this.#bytes += bytes;
    }
    portion.last = at === parcel.spans.length;
    if (portion.spans.length > 0) this.portions.push(portion);
    return at;
  }
}

/** About the bytes of a span: its texts, and a little for each attribute. */
function sizeOf({ text }: Span): number {
  let bytes = 120;
  for (const key in text.attributes) {
    const value = text.attributes[key];
    bytes += key.length + 12 + (typeof value === "string" ? value.length : 0);
  }
  return bytes;
}
