import { type Attribute, AttributeEdits, type AttributesEditor } from "./attribute_edits.ts";
import type { Chunk } from "./chunk.ts";
import { setText } from "./field_edits.ts";
import { rewrite } from "./filter.ts";
import type { Key } from "./keys.ts";
import type { Traces } from "./pdata.ts";
import { type Span, SpanCursor } from "./span.ts";
import { EventView, eventAttributeTag, eventTag } from "./span_parts.ts";
import type { Splices } from "./splices.ts";
import { sweep } from "./sweep.ts";
import type { DoubleValue, Value } from "./value.ts";
import { afterField } from "./wire.ts";

const attributeTag = 0x4a;

/** An event being edited; `name` reads as it arrived and may be assigned. */
export interface SpanEventEditor extends AttributesEditor {
  name: string;
  readonly timeUnixNano: bigint;
}

/** A span being edited: a cursor like `Span`, whose reads see the span as it arrived. */
export interface SpanEditor extends Span, AttributesEditor {
  /** Removes the span; whatever else is done to it is forgotten. */
  drop(): void;
  setName(name: string): void;
  setTraceState(traceState: string): void;
  editEvents(edit: (event: SpanEventEditor) => void): void;
}

/**
 * Edits every span in order. The same object comes back when nothing changed; unknown fields survive. The editor is
 * valid only inside the call.
 */
export function editSpans(data: Traces, edit: (span: SpanEditor) => void): Traces {
  return rewrite(data, (chunk, splices) => {
    const editor = new SpanEditCursor(chunk, splices);
    return sweep(chunk, splices, (index) => {
      editor.begin(index);
      edit(editor);
      return editor.finish();
    });
  });
}

class SpanEditCursor extends SpanCursor implements SpanEditor {
  readonly #edits: AttributeEdits;
  readonly #events: EventEditCursor[] = [];
  #eventCount = 0;
  #isDropped = false;

  constructor(chunk: Chunk, splices: Splices) {
    super(chunk);
    this.#edits = new AttributeEdits(chunk, splices);
  }

  begin(index: number): void {
    this.moveTo(index);
    this.#isDropped = false;
    this.#edits.open(this.start, this.end, this.attributesFrom, this.attributesTo, attributeTag);
  }

  /** Leaves the span's changes in the splices and says whether the span stays. */
  finish(): boolean {
    if (this.#isDropped) {
      this.#edits.discard();
      for (let index = 0; index < this.#eventCount; index++) this.#events[index]!.edits.discard();
      this.#eventCount = 0;
      return false;
    }
    if (this.#edits.isEmpty && this.#eventCount === 0) return true;
    const { splices } = this.#edits;
    const mark = splices.enter(this.start, this.end);
    // Events first: what is added at the end of an event comes before what is added at the end of the span.
    for (let index = 0; index < this.#eventCount; index++) this.#events[index]!.finish(splices);
    this.#eventCount = 0;
    this.#edits.flush();
    splices.sort(mark + 1);
    splices.leave(mark, this.start, this.end);
    return true;
  }

  drop(): void {
    this.#isDropped = true;
  }
  set(keyOrAttribute: Key | Attribute, value?: Value | DoubleValue): void {
    this.#edits.set(keyOrAttribute, value);
  }
  rename(key: Key, to: Key): void {
    this.#edits.rename(key, to);
  }
  delete(key: Key): void {
    this.#edits.delete(key);
  }
  setName(name: string): void {
    setText(this.#edits, 0x2a, name);
  }
  setTraceState(traceState: string): void {
    setText(this.#edits, 0x1a, traceState);
  }

  editEvents(edit: (event: SpanEventEditor) => void): void {
    if (this.#eventCount === 0) this.#openEvents();
    for (let index = 0; index < this.#eventCount; index++) edit(this.#events[index]!);
  }

  #openEvents(): void {
    const { bytes } = this.chunk;
    for (let at = this.start; at < this.end; at = afterField(bytes, at)) {
      if (bytes[at] !== eventTag) continue;
      if (this.#eventCount === this.#events.length) {
        this.#events.push(new EventEditCursor(this.chunk, this.#edits.splices));
      }
      this.#events[this.#eventCount]!.begin(at);
      this.#eventCount += 1;
    }
  }
}

class EventEditCursor extends EventView implements SpanEventEditor {
  readonly edits: AttributeEdits;

  constructor(chunk: Chunk, splices: Splices) {
    super(chunk);
    this.edits = new AttributeEdits(chunk, splices);
  }

  begin(at: number): void {
    this.moveTo(at);
    this.edits.open(this.start, this.end, this.from, this.to, eventAttributeTag);
  }

  finish(splices: Splices): void {
    if (this.edits.isEmpty) return;
    const mark = splices.enter(this.start, this.end);
    this.edits.flush();
    splices.sort(mark + 1);
    splices.leave(mark, this.start, this.end);
  }

  override get name(): string {
    return super.name;
  }
  override set name(name: string) {
    setText(this.edits, 0x12, name);
  }
  set(keyOrAttribute: Key | Attribute, value?: Value | DoubleValue): void {
    this.edits.set(keyOrAttribute, value);
  }
  rename(key: Key, to: Key): void {
    this.edits.rename(key, to);
  }
  delete(key: Key): void {
    this.edits.delete(key);
  }
}
