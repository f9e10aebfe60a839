import type { AttributeEdits } from "./attribute_edits.ts";
import { findField } from "./rows.ts";
import { putText } from "./value_writer.ts";
import { afterField, varintSize, writeVarint } from "./wire.ts";

/** Replaces the owner's text field with this tag; an empty text removes it, as proto3 writes it. */
export function setText(edits: AttributeEdits, tag: number, value: string): void {
  const at = edits.start === 0 ? 0 : findField(edits.chunk.bytes, edits.start, edits.end, tag);
  const end = at === 0 ? 0 : afterField(edits.chunk.bytes, at);
  const { piece, size } = value === "" ? { piece: 0, size: 0 } : putText(edits.splices.arena, tag, value);
  edits.replaceField(at, end, piece, size, tag);
}

/** Replaces the owner's varint field with this tag; 0 removes it. */
export function setVarint(edits: AttributeEdits, tag: number, value: number): void {
  const at = findField(edits.chunk.bytes, edits.start, edits.end, tag);
  const end = at === 0 ? 0 : afterField(edits.chunk.bytes, at);
  if (value === 0) {
    edits.replaceField(at, end, 0, 0, tag);
    return;
  }
  const { arena } = edits.splices;
  const size = 1 + varintSize(value);
  const piece = arena.reserve(size);
  arena.bytes[piece] = tag;
  writeVarint(arena.bytes, piece + 1, value);
  edits.replaceField(at, end, piece, size, tag);
}
