import { type Attribute, AttributeEdits, type AttributesEditor } from "./attribute_edits.ts";
import type { Chunk } from "./chunk.ts";
import { finishItem } from "./edit_records.ts";
import { rewrite } from "./filter.ts";
import type { Key } from "./keys.ts";
import type { Metrics } from "./pdata.ts";
import { type DataPoint, PointCursor } from "./point.ts";
import { attributeTagOf } from "./rows_metrics.ts";
import type { Splices } from "./splices.ts";
import { sweep } from "./sweep.ts";
import type { DoubleValue, Value } from "./value.ts";

/** A data point being edited: a cursor like `DataPoint`, whose reads see the point as it arrived. */
export interface DataPointEditor extends DataPoint, AttributesEditor {
  /** Removes the data point; whatever else is done to it is forgotten. */
  drop(): void;
}

/** Edits every data point in order; see `editSpans`. */
export function editPoints(data: Metrics, edit: (point: DataPointEditor) => void): Metrics {
  return rewrite(data, (chunk, splices) => {
    const editor = new PointEditCursor(chunk, splices);
    return sweep(chunk, splices, (index) => {
      editor.begin(index);
      edit(editor);
      return editor.finish();
    });
  });
}

class PointEditCursor extends PointCursor implements DataPointEditor {
  readonly #edits: AttributeEdits;
  #isDropped = false;

  constructor(chunk: Chunk, splices: Splices) {
    super(chunk);
    this.#edits = new AttributeEdits(chunk, splices);
  }

  begin(index: number): void {
    this.moveTo(index);
    this.#isDropped = false;
    this.#edits.open(this.start, this.end, this.attributesFrom, this.attributesTo, attributeTagOf(this.dataTag));
  }

  /** Leaves the point's changes in the splices and says whether the point stays. */
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
}
