import { createHash, timingSafeEqual } from "node:crypto";
import { hashSync } from "bcryptjs";
import { encrypt as shaCrypt } from "unixcrypt";

/** A password to be checked against an encoding that takes long. */
export interface PasswordTask {
  readonly password: string;
  readonly encoded: string;
}

/** Whether a password is the one behind its encoding. Takes from 2 ms to seconds, as the encoding says. */
export function matchesSlowly({ password, encoded }: PasswordTask): boolean {
  try {
    const computed = Buffer.from(encode(password, encoded));
    const wanted = Buffer.from(encoded.slice(encoded.startsWith("$2") ? 29 : encoded.lastIndexOf("$") + 1));
    return computed.length === wanted.length && timingSafeEqual(computed, wanted);
  } catch {
    return false; // an encoding with parts that mean nothing
  }
}

/** The part of an encoding that depends on the password. */
function encode(password: string, encoded: string): string {
  // All revisions of bcrypt are one here, as in Go: they differ in mistakes of other programs.
  if (encoded.startsWith("$2")) return hashSync(password, `$2b${encoded.slice(3, 29)}`).slice(29);
  const [, kind = "", ...parts] = encoded.split("$");
  if (kind === "5" || kind === "6") {
    const computed = shaCrypt(password, encoded.slice(0, encoded.lastIndexOf("$")));
    return computed.slice(computed.lastIndexOf("$") + 1);
  }
  return md5Crypt(password, parts[0] ?? "", `$${kind}$`);
}

const digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * The digest of `$1$` and `$apr1$`: a thousand rounds of MD5 over password, salt and the round before.
 * @see Apache: `support/htpasswd`, `apr_md5_encode`.
 */
function md5Crypt(password: string, salt: string, magic: string): string {
  const md5 = (...parts: readonly (string | Uint8Array)[]) => {
    const hash = createHash("md5");
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const bytes = Buffer.from(password);
  const seed = md5(bytes, salt, bytes);
  const start: (string | Uint8Array)[] = [bytes, magic, salt];
  for (let left = bytes.length; left > 0; left -= 16) start.push(seed.subarray(0, Math.min(left, 16)));
  for (let left = bytes.length; left > 0; left >>= 1) start.push(left & 1 ? new Uint8Array(1) : bytes.subarray(0, 1));
  let digest = md5(...start);
  for (let round = 0; round < 1000; round++) {
    const isOdd = (round & 1) === 1;
    digest = md5(
      isOdd ? bytes : digest,
      round % 3 === 0 ? "" : salt,
      round % 7 === 0 ? "" : bytes,
      isOdd ? digest : bytes,
    );
  }
  const group = (first: number, second: number, third: number) => {
    const value = ((digest[first] ?? 0) << 16) | ((digest[second] ?? 0) << 8) | (digest[third] ?? 0);
    return [0, 6, 12, 18].map((shift) => digits[(value >> shift) & 63]).join("");
  };
  const last = digest[11] ?? 0;
  const text = group(0, 6, 12) + group(1, 7, 13) + group(2, 8, 14) + group(3, 9, 15) + group(4, 10, 5);
  return `${text}${digits[last & 63]}${digits[last >> 6]}`;
}
