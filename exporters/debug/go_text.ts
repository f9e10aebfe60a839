/** A number as Go's `%f` writes it: six digits after the point, ties to even. */
export function fixedText(value: number): string {
  if (!Number.isFinite(value)) return specialText(value);
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}.000000`;
  const text = value.toFixed(6);
  const scaled = value * 128;
  // Only multiples of 1/128 can lie exactly between two sixth digits; toFixed rounds those up, Go to the even digit.
  const isTie = Number.isInteger(scaled) && scaled % 2 !== 0;
  const signed = Object.is(value, -0) || (value < 0 && !text.startsWith("-")) ? `-${text}` : text;
  return isTie && Number(signed.at(-1)) % 2 === 1 ? evenBefore(signed) : signed;
}

/** The text whose last digit is one less: an odd digit never borrows. */
function evenBefore(text: string): string {
  return text.slice(0, -1) + String(Number(text.at(-1)) - 1);
}

/** A number as Go's `%v` writes it: as short as possible, with an exponent below 1e-4 and from 1e+06 on. */
export function shortText(value: number): string {
  if (!Number.isFinite(value)) return specialText(value);
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (value === 0 || (exponent >= -4 && exponent < 6)) return Object.is(value, -0) ? "-0" : String(value);
  return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function specialText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

/** A timestamp in nanoseconds as Go prints a time in UTC: `2020-02-11 20:26:12.000000321 +0000 UTC`. */
export function timeText(unixNano: bigint): string {
  const nanos = BigInt.asIntN(64, unixNano);
  const fraction = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (nanos - fraction) / 1_000_000_000n;
  const [date, time] = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).split("T");
  const digits = fraction === 0n ? "" : `.${fraction.toString().padStart(9, "0").replace(/0+$/, "")}`;
  return `${date} ${time}${digits} +0000 UTC`;
}
