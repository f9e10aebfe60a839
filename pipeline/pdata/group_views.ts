import { AttributeRange, type Attributes } from "./attributes.ts";
import type { Chunk } from "./chunk.ts";
import { findField, resourceColumn, scopeColumn } from "./rows.ts";
import { readText } from "./strings.ts";
import { afterLength, afterVarint } from "./wire.ts";

/** The instrumentation scope of an item. */
export interface Scope extends Attributes {
  readonly name: string;
  readonly version: string;
}

/** The text of the length-delimited field with this tag in `[start, end)`; empty when it is absent. */
export function textOf(chunk: Chunk, start: number, end: number, tag: number): string {
  const at = start === 0 ? 0 : findField(chunk.bytes, start, end, tag);
  return at === 0 ? "" : textAt(chunk, at + 1);
}

/** The text whose length stands at `lengthAt`; empty when that is 0. */
export function textAt(chunk: Chunk, lengthAt: number): string {
  if (lengthAt === 0) return "";
  const { bytes, view } = chunk;
  const size = bytes[lengthAt]!;
  if (size < 128) return readText(bytes, view, lengthAt + 1, lengthAt + 1 + size);
  return readText(bytes, view, afterVarint(bytes, lengthAt), afterLength(bytes, lengthAt));
}

/** A cursor over the resources of a chunk. */
export class ResourceView extends AttributeRange {
  moveTo(index: number): this {
    const { resources } = this.chunk.rows;
    this.from = resources[index * resourceColumn.width + resourceColumn.attributesFrom]!;
    this.to = resources[index * resourceColumn.width + resourceColumn.attributesTo]!;
    return this;
  }
}

/** A cursor over the scopes of a chunk. */
export class ScopeView extends AttributeRange implements Scope {
  #start = 0;
  #end = 0;

  moveTo(index: number): this {
    const { scopes } = this.chunk.rows;
    const row = index * scopeColumn.width;
    this.#start = scopes[row + scopeColumn.messageStart]!;
    this.#end = scopes[row + scopeColumn.messageEnd]!;
    this.from = scopes[row + scopeColumn.attributesFrom]!;
    this.to = scopes[row + scopeColumn.attributesTo]!;
    return this;
  }

  get name(): string {
    return textOf(this.chunk, this.#start, this.#end, 0x0a);
  }
  get version(): string {
    return textOf(this.chunk, this.#start, this.#end, 0x12);
  }
}

/** The resource of the scope in row `scope`. */
export function resourceOf(chunk: Chunk, scope: number): number {
  return chunk.rows.scopes[scope * scopeColumn.width + scopeColumn.resource]!;
}

/** One cursor after another over all resources of some chunks, the cursor being reused. */
export function* resourcesOf(chunks: readonly Chunk[]): Generator<Attributes> {
  for (const chunk of chunks) {
    const view = new ResourceView(chunk);
    const count = chunk.rows.resources.length / resourceColumn.width;
    for (let index = 0; index < count; index++) yield view.moveTo(index);
  }
}
