import { AttributeRange, type Attributes } from "./attributes.ts";
import type { Chunk } from "./chunk.ts";
import { textOf } from "./group_views.ts";
import { type Id, IdView } from "./id.ts";
import { readFixed64, readUnixMs } from "./number64.ts";
import { afterRun, findField } from "./rows.ts";
import { afterLength, afterVarint } from "./wire.ts";

/** An event of a span. */
export interface SpanEvent extends Attributes {
  readonly name: string;
  readonly timeUnixNano: bigint;
  readonly timeUnixMs: number;
}

/** A link of a span. */
export interface SpanLink extends Attributes {
  readonly traceId: Id;
  readonly spanId: Id;
  readonly traceState: string;
}

/** Tags of a span's events and links, and of the attributes in them. */
export const eventTag = 0x5a;
export const linkTag = 0x6a;
export const eventAttributeTag = 0x1a;
const linkAttributeTag = 0x22;

class SpanPart extends AttributeRange {
  protected start = 0;
  protected end = 0;

  /** Moves to the message whose tag stands at `at`. */
  protected enter(at: number, attributeTag: number): void {
    const { bytes } = this.chunk;
    this.start = afterVarint(bytes, at + 1);
    this.end = afterLength(bytes, at + 1);
    this.from = findField(bytes, this.start, this.end, attributeTag);
    this.to = this.from === 0 ? 0 : afterRun(bytes, this.from, this.end);
  }
}

/** A cursor over events. */
export class EventView extends SpanPart implements SpanEvent {
  moveTo(at: number): this {
    this.enter(at, eventAttributeTag);
    return this;
  }

  get name(): string {
    return textOf(this.chunk, this.start, this.end, 0x12);
  }
  get timeUnixNano(): bigint {
    return readFixed64(this.chunk.view, this.#time());
  }
  get timeUnixMs(): number {
    return readUnixMs(this.chunk.view, this.#time());
  }
  #time(): number {
    const at = findField(this.chunk.bytes, this.start, this.end, 0x09);
    return at === 0 ? 0 : at + 1;
  }
}

/** A cursor over links. */
export class LinkView extends SpanPart implements SpanLink {
  readonly #traceId: IdView;
  readonly #spanId: IdView;

  constructor(chunk: Chunk) {
    super(chunk);
    this.#traceId = new IdView(16, chunk);
    this.#spanId = new IdView(8, chunk);
  }

  moveTo(at: number): this {
    this.enter(at, linkAttributeTag);
    return this;
  }

  get traceId(): Id {
    this.#traceId.at = this.#idAt(0x0a);
    return this.#traceId;
  }
  get spanId(): Id {
    this.#spanId.at = this.#idAt(0x12);
    return this.#spanId;
  }
  get traceState(): string {
    return textOf(this.chunk, this.start, this.end, 0x1a);
  }
  #idAt(tag: number): number {
    const at = findField(this.chunk.bytes, this.start, this.end, tag);
    return at === 0 || this.chunk.bytes[at + 1] === 0 ? 0 : at + 2;
  }
}
