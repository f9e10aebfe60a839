/** The few protobuf messages that transports themselves speak (statuses, responses) are small: fields are read one by one. */

/** Calls `visit` for every field; a varint or fixed value comes as a number (signed 64 bit), the others as bytes. @throws {RangeError} */
export function readFields(bytes: Buffer, visit: (field: number, value: number | Buffer) => void): void {
  let at = 0;
  const varint = () => {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError("truncated varint");
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, result));
    }
    throw new RangeError("varint too long");
  };
  const take = (length: number) => {
    if (length < 0 || at + length > bytes.length) throw new RangeError("truncated field");
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    if (field < 1) throw new RangeError("invalid tag");
    switch (tag % 8) {
      case 0:
        visit(field, varint());
        break;
      case 1:
        visit(field, Number(take(8).readBigInt64LE()));
        break;
      case 2:
        visit(field, take(varint()));
        break;
      case 5:
        visit(field, take(4).readInt32LE());
        break;
      default:
        throw new RangeError(`unexpected wire type ${tag % 8}`);
    }
  }
}

function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

/** A varint field, or nothing when it is zero. */
export function varintField(field: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([varintBytes(field * 8), varintBytes(value)]);
}

/** A string, bytes or message field. */
export function bytesField(field: number, value: Buffer | string): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
  return Buffer.concat([varintBytes(field * 8 + 2), varintBytes(bytes.length), bytes]);
}
