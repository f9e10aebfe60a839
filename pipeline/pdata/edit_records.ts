import { type Attribute, AttributeEdits, type AttributesEditor } from "./attribute_edits.ts";
import type { Chunk } from "./chunk.ts";
import { setText, setVarint } from "./field_edits.ts";
import { rewrite } from "./filter.ts";
import type { Key } from "./keys.ts";
import type { Logs } from "./pdata.ts";
import { type LogRecord, RecordCursor } from "./record.ts";
import { recordColumn } from "./rows_logs.ts";
import type { Splices } from "./splices.ts";
import { sweep } from "./sweep.ts";
import type { DoubleValue, Value } from "./value.ts";
import { valueSize, writeValue } from "./value_writer.ts";
import { afterLength, varintSize, writeVarint } from "./wire.ts";

const attributeTag = 0x32;
const bodyTag = 0x2a;

/** A log record being edited: a cursor like `LogRecord`, whose reads see the record as it arrived. */
export interface LogRecordEditor extends LogRecord, AttributesEditor {
  /** Removes the record; whatever else is done to it is forgotten. */
  drop(): void;
  setBody(body: Value | DoubleValue): void;
  setSeverityNumber(severityNumber: number): void;
  setSeverityText(severityText: string): void;
  setEventName(eventName: string): void;
}

/** Edits every log record in order; see `editSpans`. */
export function editRecords(data: Logs, edit: (record: LogRecordEditor) => void): Logs {
  return rewrite(data, (chunk, splices) => {
    const editor = new RecordEditCursor(chunk, splices);
    return sweep(chunk, splices, (index) => {
      editor.begin(index);
      edit(editor);
      return editor.finish();
    });
  });
}

class RecordEditCursor extends RecordCursor implements LogRecordEditor {
  readonly #edits: AttributeEdits;
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

  /** Leaves the record's changes in the splices and says whether the record stays. */
  finish(): boolean {
    if (this.#isDropped) this.#edits.discard();
    else finishItem(this.#edits, this.start, this.end);
    return !this.#isDropped;
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
  setBody(body: Value | DoubleValue): void {
    const { arena } = this.#edits.splices;
    const inner = valueSize(body);
    const size = 1 + varintSize(inner) + inner;
    const piece = arena.reserve(size);
    arena.bytes[piece] = bodyTag;
    writeValue(arena.bytes, writeVarint(arena.bytes, piece + 1, inner), body);
    const lengthAt = this.items[this.row + recordColumn.body]!;
    if (lengthAt === 0) this.#edits.replaceField(0, 0, piece, size, bodyTag);
    else this.#edits.replaceField(lengthAt - 1, afterLength(this.chunk.bytes, lengthAt), piece, size, bodyTag);
  }
  setSeverityNumber(severityNumber: number): void {
    setVarint(this.#edits, 0x10, severityNumber);
  }
  setSeverityText(severityText: string): void {
    setText(this.#edits, 0x1a, severityText);
  }
  setEventName(eventName: string): void {
    setText(this.#edits, 0x62, eventName);
  }
}

/** Turns the changes to the item with the payload `[start, end)` into splices. */
export function finishItem(edits: AttributeEdits, start: number, end: number): void {
  if (edits.isEmpty) return;
  const mark = edits.splices.enter(start, end);
  edits.flush();
  edits.splices.sort(mark + 1);
  edits.splices.leave(mark, start, end);
}
