import type { Message } from "./operations.ts";
import type { Random } from "./random.ts";
import type { Secret } from "./span.ts";

const words = (
  "the order report of this week shows that customer delivery was late because an invoice for the northern warehouse " +
  "had no number please explain how we can compare both contracts and write a short answer with three points about " +
  "price quality and time then check whether it agrees with our policy on returns before you send it to them"
).split(" ");

/** Share of texts with something personal in them. */
const secretShare = 0.03;

/** Texts are cut here, so that a span stays below the usual limit of a gRPC message. */
const mostCharacters = 512 * 1024;

/** Synthetic text of about `characters` characters; now and then with an address, a number or a key in it. */
export function message(random: Random, role: Message["role"], characters: number): Message {
  const secrets = random.chance(secretShare) ? [secret(random)] : [];
  const length = Math.min(characters, mostCharacters);
  const opening = secrets.map(({ value }) => `${value} `).join("");
  return { role, content: opening + sentence(random, length - opening.length), secrets };
}

function sentence(random: Random, characters: number): string {
  const parts: string[] = [];
  for (let length = 0; length < characters; ) {
    // Long texts repeat a paragraph: what matters is their size.
    const part = length > 4096 ? parts.slice(0, 64).join(" ") : random.pick(words);
    parts.push(part);
    length += part.length + 1;
  }
  return parts.join(" ").slice(0, Math.max(1, characters));
}

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => random.integer(0, 9)).join("");
}

function secret(random: Random): Secret {
  const kind = random.pick(["email", "phone", "card", "iban", "api_key"] as const);
  switch (kind) {
    case "email":
      return { kind, value: `${random.pick(words)}.${random.pick(words)}${random.integer(1, 99)}@example.com` };
    case "phone":
      return { kind, value: `+1 555 01${digits(random, 2)} ${digits(random, 4)}` };
    case "card":
      return { kind, value: withLuhnDigit(`4${digits(random, 14)}`) };
    case "iban":
      return { kind, value: iban(digits(random, 18)) };
    case "api_key":
      return { kind, value: `sk-proj-${random.hex(40)}` };
  }
}

/** A number with the check digit that payment cards end in. */
export function withLuhnDigit(number: string): string {
  const sum = [...number].reverse().reduce((total, digit, index) => {
    const doubled = Number(digit) * (index % 2 === 0 ? 2 : 1);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return `${number}${(10 - (sum % 10)) % 10}`;
}

/** A German account number with its check digits (ISO 13616): remainder 1 modulo 97. */
export function iban(account: string): string {
  const check = 98n - (BigInt(`${account}131400`) % 97n);
  return `DE${String(check).padStart(2, "0")}${account}`;
}
