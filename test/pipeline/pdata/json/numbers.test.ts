import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { integer, readInteger, readNumber, readShortInteger } from "../../../../pipeline/pdata/json/numbers.ts";
import { JsonScanner } from "../../../../pipeline/pdata/json/scanner.ts";
import { TextWriter } from "../../../../pipeline/pdata/json/text_writer.ts";
import { seed } from "../oracle/property.ts";

const options = { seed, numRuns: 30_000 };

/** Integers all over 64 bits, and beside the multiples of 1e9 where the writer splits them. */
const unsigned = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc.nat({ max: 63 }).chain((bits) => fc.bigInt(0n, 2n ** BigInt(bits))),
  fc.tuple(fc.bigInt(0n, 18_446_744_073n), fc.bigInt(-2n, 2n)).map(([whole, step]) => {
    const value = whole * 1_000_000_000n + step;
    return value < 0n ? 0n : value;
  }),
);
const doubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -100_000, max: 100_000 }).map((value) => value / 1000),
  fc.bigInt(0n, 10n ** 16n).map(Number),
);

function written(write: (out: TextWriter) => void): string {
  const out = new TextWriter(64);
  write(out);
  return out.finish().toString();
}

const low = (value: bigint) => Number(BigInt.asUintN(32, value));
const high = (value: bigint) => Number(BigInt.asUintN(64, value) >> 32n);

/** What the scanner's last token is as an integer. */
function scanned(text: string, isSigned: boolean): bigint | undefined {
  const scanner = new JsonScanner(Buffer.from(text));
  if (!readInteger(scanner, scanner.number(), isSigned)) return undefined;
  return (BigInt(integer.high) << 32n) | BigInt(integer.low);
}

it(`writes and reads unsigned 64-bit integers (OTELPIPE_SEED=${seed})`, () => {
  fc.assert(
    fc.property(unsigned, (value) => {
      assert.equal(
        written((out) => out.integer64(low(value), high(value), false)),
        `"${value}"`,
      );
      assert.equal(scanned(String(value), false), value);
    }),
    options,
  );
});

it(`writes and reads signed 64-bit integers (OTELPIPE_SEED=${seed})`, () => {
  fc.assert(
    fc.property(unsigned, (bits) => {
      const value = BigInt.asIntN(64, bits);
      assert.equal(
        written((out) => out.integer64(low(value), high(value), true)),
        `"${value}"`,
      );
      assert.equal(scanned(String(value), true), bits);
    }),
    options,
  );
});

it(`reads short integers at once, in quotes and without (OTELPIPE_SEED=${seed})`, () => {
  fc.assert(
    fc.property(unsigned, fc.boolean(), (value, isQuoted) => {
      const text = isQuoted ? `"${value}"` : String(value);
      const end = readShortInteger(Buffer.from(`${text},`), 0, text.length + 1);
      if (String(value).length > 19) assert.equal(end, 0);
      else assert.deepEqual([end, integer.low, integer.high], [text.length, low(value), high(value)]);
    }),
    options,
  );
});

it("leaves what is no short integer to the general reader", () => {
  for (const text of ["", "-1,", "1.5,", "1e3,", '"1.0"', '"-1"', '""', '"', "1", '"1', "01,", "1x,", '"1 "']) {
    assert.equal(readShortInteger(Buffer.from(text), 0, text.length), 0, text);
  }
});

it(`writes and reads doubles (OTELPIPE_SEED=${seed})`, () => {
  fc.assert(
    fc.property(doubles, (value) => {
      const text = written((out) => out.double(value));
      assert.ok(Object.is(JSON.parse(text), value), text);
      assert.ok(text.length <= String(value).length + 1, `${text} is longer than ${value}`);
      const scanner = new JsonScanner(Buffer.from(text));
      scanner.number();
      assert.ok(Object.is(readNumber(scanner), value), text);
    }),
    options,
  );
});

it(`reads decimals of any length as V8 does (OTELPIPE_SEED=${seed})`, () => {
  const digits = (maximum: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maximum}}$`));
  const whole = fc.oneof(
    fc.constant("0"),
    digits(20).map((text) => text.replace(/^0+(?=.)/, "")),
  );
  fc.assert(
    fc.property(fc.constantFrom("", "-"), whole, fc.option(digits(24)), (sign, integral, fraction) => {
      const text = `${sign}${integral}${fraction === null ? "" : `.${fraction}`}`;
      const scanner = new JsonScanner(Buffer.from(text));
      scanner.number();
      assert.ok(Object.is(readNumber(scanner), Number(text)), text);
    }),
    options,
  );
});
