import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crc32c, xxh32 } from "../../../pipeline/net/codecs/checksums.ts";
import type { OwnEncoding } from "../../../pipeline/net/codecs/index.ts";
import { compress, decompress, type InflateLimits } from "../../../pipeline/net/compression.ts";
import { BodyError } from "../../../pipeline/net/transport.ts";
import { seededRandom } from "../../support/simulated_host.ts";

const megabyte = 1024 * 1024;
const limits: InflateLimits = { maxBytes: 20 * megabyte, reserve: () => true };
const hello = Buffer.from("hello world ".repeat(50));
const hex = (text: string) => Buffer.from(text.replace(/\s/g, ""), "hex");

/** `hello` by Go's libraries: golang/snappy 1.0.0 and pierrec/lz4 4.1. */
const block = hex(`d8042c68656c6c6f20776f726c6420fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c002e0c00`);
const framed = Buffer.concat([hex("ff060000734e615070590031000045fda583"), block]);
const lz4 = hex(`04224d186470b922000000cf68656c6c6f20776f726c64200c00ffff2b004002c068656c6c6f20776f726c6420
  00000000bdd8e470`);
/** The same with a size and checksums of blocks, in blocks of 64 KiB. */
const lz4Checked = hex(`04224d187c4058020000000000004a22000000cf68656c6c6f20776f726c64200c00ffff2b004002c0
  68656c6c6f20776f726c64206ff782de00000000bdd8e470`);
const skippable = hex("502a4d1803000000 616263");

const encodings = ["snappy", "x-snappy-framed", "lz4"] as const;

async function refused(encoding: OwnEncoding, body: Buffer, kind = "broken", maxBytes = limits.maxBytes) {
  const run = async () => await decompress(encoding, body, { ...limits, maxBytes });
  await assert.rejects(run, (error: unknown) => error instanceof BodyError && error.kind === kind);
}

describe("what others have written", () => {
  for (const { name, encoding, body } of [
    { name: "a block of Snappy", encoding: "snappy", body: block },
    { name: "frames of Snappy under the name of blocks", encoding: "snappy", body: framed },
    { name: "frames of Snappy", encoding: "x-snappy-framed", body: framed },
    { name: "a frame of LZ4", encoding: "lz4", body: lz4 },
    { name: "a frame of LZ4 with all that it can have", encoding: "lz4", body: lz4Checked },
    { name: "a frame of LZ4 behind one to be skipped", encoding: "lz4", body: Buffer.concat([skippable, lz4]) },
  ] as const) {
    it(`is read: ${name}`, async () => assert.deepEqual(await decompress(encoding, body, limits), hello));
  }

  it("is read: frames one behind the other", async () => {
    const twice = Buffer.concat([hello, hello]);
    for (const [encoding, body] of [
      ["x-snappy-framed", framed],
      ["lz4", lz4],
    ] as const) {
      assert.deepEqual(await decompress(encoding, Buffer.concat([body, body]), limits), twice);
    }
  });

  it("is read: padding and chunks of Snappy to be skipped", async () => {
    const body = Buffer.concat([framed, hex("fe020000 0000 80010000 00")]);
    assert.deepEqual(await decompress("x-snappy-framed", body, limits), hello);
  });
});

/** Bodies of every kind: what repeats near and far, what does not, borders of pieces. */
function* bodies(random: () => number): Generator<Buffer> {
  yield Buffer.alloc(0);
  for (const length of [1, 11, 12, 13, 65_535, 65_536, 65_537]) yield Buffer.alloc(length, 7);
  yield Buffer.alloc(3 * megabyte, "a sentence that comes back again, ");
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => random() * 256));
  yield bytes(140_000);
  for (let round = 0; round < 60; round++) {
    const words = Array.from({ length: 1 + Math.floor(random() * 20) }, () => bytes(1 + Math.floor(random() * 80)));
    const count = Math.floor(random() * 100);
    yield Buffer.concat(Array.from({ length: count }, () => words[Math.floor(random() * words.length)] as Buffer));
  }
}

for (const encoding of encodings) {
  describe(encoding, () => {
    it("gives back what it was given", async () => {
      const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);
      for (const body of bodies(seededRandom(seed))) {
        const coded = await compress(encoding, 0, body);
        const name = `${body.length} bytes, seed ${seed}`;
        assert.ok(body.equals(await decompress(encoding, coded, limits)), name);
        assert.ok(coded.length <= body.length + body.length / 200 + 32, `${name} became ${coded.length}`);
      }
    });

    it("makes less of what repeats", async () => {
      assert.ok((await compress(encoding, 0, hello)).length < hello.length / 8);
    });

    // Scenario: every prefix of a body, and the body with each of its bits turned.
    // Guarantees: an error or an output within the limit, soon; never one that claims to be whole where checksums say no.
    it("refuses what is cut or damaged", async () => {
      const body = { snappy: block, "x-snappy-framed": framed, lz4: lz4Checked }[encoding];
      for (let length = 1; length < body.length; length++) {
        if (encoding === "x-snappy-framed" && length === 10) continue; // frames of nothing
        await refused(encoding, body.subarray(0, length));
      }
      for (let bit = 0; bit < body.length * 8; bit++) {
        const damaged = Buffer.from(body);
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
        const output = await Promise.resolve(decompress(encoding, damaged, limits)).catch((error: unknown) => error);
        if (Buffer.isBuffer(output)) assert.ok(encoding === "snappy" || output.equals(hello) || output.length === 0);
        else assert.ok(output instanceof BodyError);
      }
    });

    it("refuses what has something behind it", async () => {
      const coded = await compress(encoding, 0, hello);
      await refused(encoding, Buffer.concat([coded, Buffer.from("xyz")]));
      await refused(encoding, Buffer.concat([coded, Buffer.alloc(4)]));
    });

    it("stops a bomb at the limit, wherever that is", async () => {
      const bomb = await compress(encoding, 0, Buffer.alloc(32 * megabyte));
      for (const maxBytes of [1_000, megabyte, 8 * megabyte]) await refused(encoding, bomb, "too_large", maxBytes);
    });

    it("takes a body of exactly the limit", async () => {
      const body = Buffer.alloc(3 * megabyte, 7);
      const coded = await compress(encoding, 0, body);
      assert.ok(body.equals(await decompress(encoding, coded, { ...limits, maxBytes: body.length })));
      await refused(encoding, coded, "too_large", body.length - 1);
    });

    it("gives up when the memory for it is refused", async () => {
      const coded = await compress(encoding, 0, hello);
      const run = async () => await decompress(encoding, coded, { ...limits, reserve: () => false });
      await assert.rejects(run, (error: unknown) => error instanceof BodyError && error.kind === "busy");
    });

    it("lets others work while it does", async () => {
      const body = Buffer.alloc(8 * megabyte, "a sentence that comes back again, ");
      let turns = 0;
      let isDone = false;
      const count = () => {
        turns++;
        if (!isDone) setImmediate(count);
      };
      setImmediate(count);
      assert.ok(body.equals(await decompress(encoding, await compress(encoding, 0, body), limits)));
      isDone = true;
      assert.ok(turns > 16, `${turns} turns`);
    });
  });
}

describe("malformed input", () => {
  for (const { name, encoding, body } of [
    { name: "a block without a length", encoding: "snappy", body: hex("ffffffffff") },
    { name: "a length of more than 32 bits", encoding: "snappy", body: hex("ffffffff7f 00") },
    { name: "an empty block", encoding: "snappy", body: Buffer.alloc(0) },
    { name: "a literal longer than the block", encoding: "snappy", body: hex("05 10 6162") },
    { name: "a literal of 4 GiB", encoding: "snappy", body: hex("05 fc ffffffff 61") },
    { name: "a literal of a negative length, read as 32 bits", encoding: "snappy", body: hex("05 fc f0ffffff 61") },
    { name: "a copy from before the start", encoding: "snappy", body: hex("08 00 61 0e 0200") },
    { name: "a copy from nowhere back", encoding: "snappy", body: hex("08 00 61 0e 0000") },
    { name: "a copy past the announced length", encoding: "snappy", body: hex("02 00 61 0e 0100") },
    { name: "less than announced", encoding: "snappy", body: hex("05 00 61") },
    { name: "frames without their name", encoding: "x-snappy-framed", body: framed.subarray(10) },
    {
      name: "a chunk that may not be skipped",
      encoding: "x-snappy-framed",
      body: Buffer.concat([framed, hex("02000000")]),
    },
    {
      name: "a chunk without a checksum",
      encoding: "x-snappy-framed",
      body: Buffer.concat([framed, hex("01020000 0000")]),
    },
    {
      name: "another name in the middle",
      encoding: "x-snappy-framed",
      body: Buffer.concat([framed, hex("ff010000 73")]),
    },
    { name: "another magic number", encoding: "lz4", body: hex("04224d19 6470b9") },
    { name: "another version", encoding: "lz4", body: hex("04224d18 2470b9") },
    { name: "a frame with a dictionary", encoding: "lz4", body: hex("04224d18 6570 00000000 b9") },
    { name: "a wrong checksum of the head", encoding: "lz4", body: hex("04224d18 6470ba") },
    { name: "a block that is larger than blocks are", encoding: "lz4", body: hex("04224d18 6470b9 01004080") },
    { name: "a match from before the start", encoding: "lz4", body: hex("04224d18 6470b9 04000000 10 61 0200") },
    { name: "a length that never ends", encoding: "lz4", body: hex("04224d18 6470b9 04000000 f0 ffffff") },
  ] as const) {
    it(`is refused: ${name}`, () => refused(encoding, body));
  }
});

it("knows the checksums' known values", () => {
  assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(xxh32(Buffer.alloc(0)), 0x02cc5d05);
  assert.equal(xxh32(Buffer.from("a")), 0x550d7456);
  assert.equal(xxh32(Buffer.from("Nobody inspects the spammish repetition")), 0xe2293b2f);
});
