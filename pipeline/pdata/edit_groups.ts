import { type Attribute, AttributeEdits, type AttributesEditor } from "./attribute_edits.ts";
import { AttributeRange } from "./attributes.ts";
import type { Chunk } from "./chunk.ts";
import { finishItem } from "./edit_records.ts";
import { setText } from "./field_edits.ts";
import { rewrite } from "./filter.ts";
import { textOf } from "./group_views.ts";
import type { Key } from "./keys.ts";
import type { Logs, Metrics, Traces } from "./pdata.ts";
import { resourceColumn, scopeColumn } from "./rows.ts";
import type { Splices } from "./splices.ts";
import type { DoubleValue, Value } from "./value.ts";

const messageTag = 0x0a;
const resourceAttributeTag = 0x0a;
const scopeAttributeTag = 0x1a;

/** A scope being edited; `name` and `version` read as they arrived and may be assigned. */
export interface ScopeEditor extends AttributesEditor {
  name: string;
  version: string;
}

/**
 * Edits every resource, with or without items; one that is missing reads as empty and is made when something is set.
 * The same object comes back when nothing changed.
 */
export function editResources<T extends Traces | Metrics | Logs>(
  data: T,
  edit: (resource: AttributesEditor) => void,
): T {
  return rewrite(data, (chunk, splices) => {
    const { resources } = chunk.rows;
    const editor = new GroupEditCursor(chunk, splices);
    for (let row = 0; row < resources.length; row += resourceColumn.width) {
      const mark = splices.enter(resources[row]!, resources[row + 1]!);
      editor.begin(resources, row, resourceAttributeTag);
      edit(editor);
      editor.finish(resources[row]!);
      splices.leave(mark, resources[row]!, resources[row + 1]!);
    }
    return 0;
  });
}

/** Edits every instrumentation scope; see `editResources`. */
export function editScopes<T extends Traces | Metrics | Logs>(data: T, edit: (scope: ScopeEditor) => void): T {
  return rewrite(data, (chunk, splices) => {
    const { resources, scopes } = chunk.rows;
    const editor = new GroupEditCursor(chunk, splices);
    let row = 0;
    for (let resource = 0; resource * resourceColumn.width < resources.length; resource++) {
      const start = resources[resource * resourceColumn.width]!;
      const end = resources[resource * resourceColumn.width + 1]!;
      const outer = splices.enter(start, end);
      while (row < scopes.length && scopes[row + scopeColumn.resource] === resource) {
        const mark = splices.enter(scopes[row]!, scopes[row + 1]!);
        editor.begin(scopes, row, scopeAttributeTag);
        edit(editor);
        editor.finish(scopes[row]!);
        splices.leave(mark, scopes[row]!, scopes[row + 1]!);
        row += scopeColumn.width;
      }
      splices.leave(outer, start, end);
    }
    return 0;
  });
}

/** Edits the resource or scope message of a group. */
class GroupEditCursor extends AttributeRange implements ScopeEditor {
  readonly #edits: AttributeEdits;

  constructor(chunk: Chunk, splices: Splices) {
    super(chunk);
    this.#edits = new AttributeEdits(chunk, splices);
  }

  /** Turns to the message named in a row of resources or scopes, whose first columns are the same. */
  begin(rows: Int32Array, row: number, tag: number): void {
    this.from = rows[row + resourceColumn.attributesFrom]!;
    this.to = rows[row + resourceColumn.attributesTo]!;
    const start = rows[row + resourceColumn.messageStart]!;
    this.#edits.open(start, rows[row + resourceColumn.messageEnd]!, this.from, this.to, tag);
  }

  /** Turns the changes into splices; a message that was not there is put at `groupStart`. */
  finish(groupStart: number): void {
    const { start, end, splices } = this.#edits;
    if (start !== 0) {
      finishItem(this.#edits, start, end);
      return;
    }
    if (this.#edits.isEmpty) return;
    const { piece, size } = this.#edits.flushNew(messageTag);
    if (size > 0) splices.add(groupStart, 0, piece, size);
  }

  get name(): string {
    return textOf(this.chunk, this.#edits.start, this.#edits.end, 0x0a);
  }
  set name(name: string) {
    setText(this.#edits, 0x0a, name);
  }
  get version(): string {
    return textOf(this.chunk, this.#edits.start, this.#edits.end, 0x12);
  }
  set version(version: string) {
    setText(this.#edits, 0x12, version);
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
