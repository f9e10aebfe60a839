import type { ProtoWriter } from "./proto_writer.ts";
import type { JsonScanner } from "./scanner.ts";

const hexDigits = new Int8Array(256).fill(-1);
const base64Digits = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit += 1) {
  hexDigits[digit.toString(16).charCodeAt(0)] = digit;
  hexDigits[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}
for (const [digit, letter] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries()) {
  base64Digits[letter.charCodeAt(0)] = digit;
}
base64Digits["-".charCodeAt(0)] = 62;
base64Digits["_".charCodeAt(0)] = 63;

/** Writes the bytes that the hex digits in `[start, stop)`, an even number, stand for; false when they are no hex digits. */
export function readHex(bytes: Buffer, start: number, stop: number, out: ProtoWriter): boolean {
  const target = out.bytes;
  let { at } = out;
  for (let from = start; from < stop; from += 2) {
    const value = (hexDigits[bytes[from]!]! << 4) | hexDigits[bytes[from + 1]!]!;
    if (value < 0) return false;
    target[at] = value;
    at += 1;
  }
  out.at = at;
  return true;
}

/**
 * Writes the bytes that the last string holds in base64; false when it does not. Either alphabet; padding is optional
 * but, where there is any, right.
 */
export function readBase64(scanner: JsonScanner, out: ProtoWriter): boolean {
  const text = scanner.isEscaped ? Buffer.from(scanner.text()) : scanner.bytes.subarray(scanner.start, scanner.stop);
  let size = text.length;
  while (size > text.length - 2 && size > 0 && text[size - 1] === 61) size -= 1;
  if (size % 4 === 1 || (size !== text.length && text.length % 4 !== 0)) return false;
  for (let index = 0; index < size; index += 1) if (base64Digits[text[index]!]! < 0) return false;
  out.at += out.bytes.write(text.toString("latin1", 0, size), out.at, "base64");
  return true;
}
