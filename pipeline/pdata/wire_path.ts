import type { Field, Message } from "./messages.ts";
import { afterField, afterVarint, readVarint, wireType } from "./wire.ts";

/**
 * Names the field that the element at `offset` belongs to, as `resourceSpans[0].scopeSpans[1].spans[3].name`.
 * Everything before `offset` must have passed the validating walk; unknown fields are named `#number`.
 */
export function locatePath(bytes: Buffer, request: Message, offset: number): string {
  const names: string[] = [];
  let type: Message | undefined = request;
  let position = 0;
  while (type !== undefined) {
    const step: Step = findField(bytes, type, position, offset);
    if (step.name === undefined) break;
    names.push(step.name);
    type = step.message;
    position = step.start;
  }
  return names.join(".");
}

interface Step {
  /** Undefined when the offending element is a tag, and so belongs to no field of this message. */
  readonly name: string | undefined;
  readonly message: Message | undefined;
  readonly start: number;
}

function findField(bytes: Buffer, type: Message, from: number, offset: number): Step {
  const counts = new Map<number, number>();
  let position = from;
  while (position < offset) {
    const tag = readVarint(bytes, position);
    const body = afterVarint(bytes, position);
    const field = type.byNumber.get(tag >>> 3);
    const isLength = (tag & 7) === wireType.length;
    const payload = isLength && body < offset ? afterVarint(bytes, body) : body;
    const end = isLength && body < offset ? payload + readVarint(bytes, body) : offset;
    if (body >= offset || (isLength && end >= offset && !(end === offset && payload < offset && !holdsFault(field)))) {
      const nested = isLength && payload <= offset && body < offset ? field?.message?.() : undefined;
      return { name: nameOf(tag >>> 3, field, counts), message: nested, start: payload };
    }
    const next = isLength ? end : afterField(bytes, position);
    if (next > offset) return { name: nameOf(tag >>> 3, field, counts), message: undefined, start: payload };
    counts.set(tag >>> 3, (counts.get(tag >>> 3) ?? 0) + 1);
    position = next;
  }
  return { name: undefined, message: undefined, start: position };
}
