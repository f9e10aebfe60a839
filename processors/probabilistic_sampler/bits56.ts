/**
 * A 56-bit unsigned number in two halves of 28 bits, each seven hex digits: what consistent sampling compares, and more
 * than a JavaScript number holds. As a threshold it may be 2^56, which no randomness reaches.
 * @see OpenTelemetry tracestate handling, `th` and `rv`.
 */
export interface Bits56 {
  readonly high: number;
  readonly low: number;
}

const half = 2 ** 28;

/** The threshold that every item passes. */
export const always: Bits56 = { high: 0, low: 0 };

/** The threshold that no item passes. */
export const never: Bits56 = { high: half, low: 0 };

/** The greatest randomness: it passes every threshold but `never`. */
export const greatest: Bits56 = { high: half - 1, low: half - 1 };

/** Whether an item of this randomness passes: threshold <= randomness. */
export function passes(randomness: Bits56, threshold: Bits56): boolean {
  return threshold.high < randomness.high || (threshold.high === randomness.high && threshold.low <= randomness.low);
}

/** Fourteen lower-case hex digits. */
export function toHex(bits: Bits56): string {
  return bits.high.toString(16).padStart(7, "0") + bits.low.toString(16).padStart(7, "0");
}

/** The number of up to fourteen hex digits, the missing ones being zeros behind them; undefined if it is not hex. */
export function fromHex(digits: string): Bits56 | undefined {
  if (!/^[0-9a-fA-F]{1,14}$/.test(digits)) return undefined;
  const all = digits.padEnd(14, "0");
  return { high: Number.parseInt(all.slice(0, 7), 16), low: Number.parseInt(all.slice(7), 16) };
}

/** A threshold as `th` writes it: without the zeros behind, `0` for all, empty for none. */
export function thresholdText(threshold: Bits56): string {
  if (threshold.high >= half) return "";
  return toHex(threshold).replace(/0+$/, "") || "0";
}

/** The share of items that pass, in [0, 1]. */
export function probabilityOf(threshold: Bits56): number {
  return Number((1n << 56n) - toBigInt(threshold)) / 2 ** 56;
}

/**
 * The threshold of a probability, rounded half up to `precision` hex digits; the nearer the probability is to 0 or 1,
 * the more digits are kept, so that it stays about as exact. Undefined outside [2^-56, 1].
 */
export function thresholdOf(probability: number, precision: number): Bits56 | undefined {
  if (!(probability >= 2 ** -56 && probability <= 1)) return undefined;
  if (probability === 1) return always;
  const digits = Math.min(14, precision + Math.max(leadingDigits(probability), leadingDigits(1 - probability)));
  const exact = (1n << 56n) - BigInt(Math.round(probability * 2 ** 56));
  const shift = BigInt(4 * (14 - digits));
  const rounded = shift === 0n ? exact : ((exact + (1n << (shift - 1n))) >> shift) << shift;
  return fromBigInt(rounded);
}

/** How many hex digits a fraction in (0, 1) begins with that are zero. */
function leadingDigits(fraction: number): number {
  return Math.floor(-binaryExponent(fraction) / 4);
}

/** The e of fraction = m * 2^e with m in [0.5, 1). */
function binaryExponent(fraction: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, fraction);
  return ((view.getUint16(0) >> 4) & 0x7ff) - 1022;
}

/** The same number. */
export function toBigInt(bits: Bits56): bigint {
  return (BigInt(bits.high) << 28n) | BigInt(bits.low);
}

function fromBigInt(value: bigint): Bits56 {
  return { high: Number(value >> 28n), low: Number(value & 0xfffffffn) };
}
