import { createHash, timingSafeEqual } from "node:crypto";

/**
 * How htpasswd files encode passwords: those that contrib's extension reads. What begins like none of the others is plain
 * text.
 *
 * @see Apache: "Password Formats". Go: `github.com/tg123/go-htpasswd`, DefaultSystems.
 */

const slow = /^\$(?:apr1|1|2[abxy]|5|6)\$/;

/** Whether an encoding takes long on purpose. */
export function isSlow(encoded: string): boolean {
  return slow.test(encoded);
}

/** Whether an encoded password can be right for anybody. */
export function isWellFormed(encoded: string): boolean {
  if (encoded.startsWith("{SHA}")) return digestOf(encoded)?.length === 20;
  if (encoded.startsWith("{SSHA}")) return (digestOf(encoded)?.length ?? 0) >= 20;
  return !/^\$(?:apr1|1|5|6)\$/.test(encoded) || /^\$\w+\$[^$]*\$/.test(encoded);
}

/** Whether a password is the one behind an encoding that is not slow. Takes the same time whatever is wrong. */
export function matchesAtOnce(password: string, encoded: string): boolean {
  const digest = digestOf(encoded);
  if (digest === undefined) return areEqual(password, encoded) || areEqual(`{PLAIN}${password}`, encoded);
  const salt = digest.subarray(20);
  return timingSafeEqual(createHash("sha1").update(password).update(salt).digest(), digest.subarray(0, 20));
}

/** The digest and salt of `{SHA}` and `{SSHA}`; undefined of anything else. */
function digestOf(encoded: string): Buffer | undefined {
  const [, base64] = /^\{S?SHA\}(.*)$/.exec(encoded) ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, "base64");
}

function areEqual(left: string, right: string): boolean {
  const [first, second] = [left, right].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(first as Buffer, second as Buffer);
}
