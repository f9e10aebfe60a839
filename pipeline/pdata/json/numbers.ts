import type { JsonScanner } from "./scanner.ts";

/** Those that are doubles exactly. */
const powersOfTen = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

/** The 64 bits of an integer as two unsigned halves. */
export const integer = { low: 0, high: 0 };

/**
 * Reads an integer of at most 19 digits without sign at `at`, in quotes or not, into `integer`: the position behind it,
 * or 0, with nothing said, for anything else.
 */
export function readShortInteger(bytes: Buffer, at: number, end: number): number {
  const isQuoted = bytes[at] === 34;
  const start = isQuoted ? at + 1 : at;
  const limit = Math.min(end, start + 20);
  let leading = 0;
  let trailing = 0;
  let position = start;
  let digit = 0;
  const middle = Math.min(limit, start + 10);
  for (; position < middle; position += 1) {
    digit = bytes[position]! - 48;
    if (digit < 0 || digit > 9) break;
    leading = leading * 10 + digit;
  }
  const from = position;
  if (position === start + 10) {
    for (; position < limit; position += 1) {
      digit = bytes[position]! - 48;
      if (digit < 0 || digit > 9) break;
      trailing = trailing * 10 + digit;
    }
  }
  // The byte behind the digits was looked at: it is what ended the loop.
  if (position === start || position === limit) return 0;
  if (isQuoted ? digit !== -14 : !endsNumber(digit + 48) || (bytes[start] === 48 && position > start + 1)) return 0;
  const power = powersOfTen[position - from]!;
  const low = (Math.imul(leading >>> 0, power) + trailing) >>> 0;
  integer.low = low;
  integer.high = Math.round((leading * power + trailing - low) / 4294967296);
  return isQuoted ? position + 1 : position;
}

/** Whether a number is over at this byte: no point, exponent or letter. */
function endsNumber(byte: number): boolean {
  return byte === 44 || byte === 125 || byte === 93 || byte <= 32;
}

/**
 * Reads the scanner's last token, `isPlain` when it can only be digits with a minus, into `integer` as two's
 * complement: false when it is no integer or does not fit 64 bits (signed ones, or unsigned ones).
 * Fractions and exponents are fine as long as the value is integral, which JSON in protobuf allows.
 */
export function readInteger(scanner: JsonScanner, isPlain: boolean, isSigned: boolean): boolean {
  const { bytes } = scanner;
  let from = scanner.start;
  const { stop } = scanner;
  const isNegative = from < stop && bytes[from] === 45;
  if (isNegative) from += 1;
  if (!(isPlain || onlyDigits(bytes, from, stop)) || stop - from > 20) return readExact(scanner.text(), isSigned);
  return readDigits(bytes, from, stop) && applySign(isNegative, isSigned);
}

function onlyDigits(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at]!;
    if (byte < 48 || byte > 57) return false;
  }
  return to > from;
}

/** Up to 20 digits: the last nine apart, so that both parts are exact. */
function readDigits(bytes: Buffer, from: number, to: number): boolean {
  if (to - from <= 15) {
    const value = digitsValue(bytes, from, to);
    integer.low = value >>> 0;
    integer.high = Math.floor(value / 4294967296);
    return true;
  }
  const leading = digitsValue(bytes, from, to - 9);
  const trailing = digitsValue(bytes, to - 9, to);
  const low = (Math.imul(leading >>> 0, 1000000000) + trailing) >>> 0;
  const high = Math.round((leading * 1e9 + trailing - low) / 4294967296);
  integer.low = low;
  integer.high = high;
  return high <= 0xffffffff;
}

function digitsValue(bytes: Buffer, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + (bytes[at]! - 48);
  return value;
}

/** Turns the magnitude in `integer` into two's complement. */
function applySign(isNegative: boolean, isSigned: boolean): boolean {
  const { low, high } = integer;
  if (!isNegative) return !isSigned || high < 0x80000000;
  if (!isSigned) return low === 0 && high === 0;
  if (high > 0x80000000 || (high === 0x80000000 && low !== 0)) return false;
  integer.low = -low >>> 0;
  integer.high = (~high + (low === 0 ? 1 : 0)) >>> 0;
  return true;
}

const decimal = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

function readExact(text: string, isSigned: boolean): boolean {
  const match = decimal.exec(text);
  if (match === null) return false;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  if (whole + fraction === "") return false;
  const digits = (whole + fraction).replace(/^0+/, "");
  const scale = Number(exponent) - fraction.length;
  if (digits !== "" && digits.length + scale > 20) return false;
  const kept = scale >= 0 ? digits.padEnd(digits === "" ? 0 : digits.length + scale, "0") : digits.slice(0, scale);
  if (scale < 0 && /[1-9]/.test(digits.slice(scale))) return false;
  const value = BigInt(kept === "" ? "0" : kept);
  if (value >= 1n << 64n) return false;
  integer.low = Number(value & 0xffffffffn);
  integer.high = Number(value >> 32n);
  return applySign(sign === "-", isSigned);
}

/** A double from a JSON number that the scanner has passed: undefined when it is beyond the largest double. */
export function readNumber(scanner: JsonScanner): number | undefined {
  const short = readShort(scanner.bytes, scanner.start, scanner.stop);
  if (short !== undefined) return short;
  const value = Number(scanner.text());
  return Number.isFinite(value) ? value : undefined;
}

/** Digits and a point that are the quotient of two exact numbers, which is the right double. */
function readShort(bytes: Buffer, start: number, stop: number): number | undefined {
  const isNegative = bytes[start] === 45;
  const from = isNegative ? start + 1 : start;
  if (stop - from > powersOfTen.length) return undefined;
  let value = 0;
  let point = stop - 1;
  for (let at = from; at < stop; at += 1) {
    const digit = bytes[at]! - 48;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (digit === -2) point = at;
    else return undefined;
  }
  if (value > Number.MAX_SAFE_INTEGER) return undefined;
  const magnitude = value / powersOfTen[stop - 1 - point]!;
  return isNegative ? -magnitude : magnitude;
}

const special = new Map([
  ["nan", Number.NaN],
  ["inf", Number.POSITIVE_INFINITY],
  ["infinity", Number.POSITIVE_INFINITY],
  ["+inf", Number.POSITIVE_INFINITY],
  ["+infinity", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
  ["-infinity", Number.NEGATIVE_INFINITY],
]);

/** A double from a string, as Go's ParseFloat reads decimal ones: undefined for anything else and beyond the range. */
export function readNumberText(text: string): number | undefined {
  const named = special.get(text.toLowerCase());
  if (named !== undefined) return named;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
