/**
 * The protobuf wire format for bytes that the validating walk has passed: nothing here checks a bound.
 * Readers return the next position instead of keeping one, which is what makes them fast.
 */

export const wireType = { varint: 0, fixed64: 1, length: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** Position behind the varint at `at`. */
export function afterVarint(bytes: Buffer, at: number): number {
  let position = at;
  while (bytes[position]! > 127) position += 1;
  return position + 1;
}

/** The varint at `at`, its low 32 bits as an unsigned number. */
export function readVarint(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 128) return first;
  let position = at + 1;
  let value = first & 127;
  for (let shift = 7; shift < 32; shift += 7) {
    const byte = bytes[position]!;
    position += 1;
    value |= (byte & 127) << shift;
    if (byte < 128) break;
  }
  return value >>> 0;
}

/** Position behind the length-delimited payload whose length stands at `at`. */
export function afterLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 128) return at + 1 + first;
  return afterVarint(bytes, at) + readVarint(bytes, at);
}

/** Position behind the field whose tag stands at `at`. */
export function afterField(bytes: Buffer, at: number): number {
  const type = bytes[at]! & 7;
  const body = bytes[at]! < 128 ? at + 1 : afterVarint(bytes, at);
  switch (type) {
    case wireType.varint:
      return afterVarint(bytes, body);
    case wireType.fixed64:
      return body + 8;
    case wireType.length:
      return afterLength(bytes, body);
    case wireType.fixed32:
      return body + 4;
    default:
      return afterGroup(bytes, body);
  }
}

function afterGroup(bytes: Buffer, body: number): number {
  let position = body;
  while ((bytes[position]! & 7) !== wireType.endGroup) position = afterField(bytes, position);
  return afterVarint(bytes, position);
}

/** Bytes a varint of this value (0 to 2^32 - 1) takes. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

/** Writes `value` (0 to 2^32 - 1) as a minimal varint and returns the position behind it. */
export function writeVarint(bytes: Buffer, at: number, value: number): number {
  let position = at;
  let rest = value;
  while (rest > 127) {
    bytes[position] = (rest & 127) | 128;
    position += 1;
    rest >>>= 7;
  }
  bytes[position] = rest;
  return position + 1;
}

/** Position of the length of a message whose payload is `[start, end)`; lengths are minimal in ordinary form. */
export function lengthBefore(start: number, end: number): number {
  return start - varintSize(end - start);
}
