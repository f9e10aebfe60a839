import assert from "node:assert/strict";
import { describe, it } from "node:test";
import zlib from "node:zlib";
import {
  compress,
  decompress,
  type Encoding,
  encodingOf,
  grpcEncodingOf,
  type InflateLimits,
} from "../../../pipeline/net/compression.ts";
import { BodyError } from "../../../pipeline/net/transport.ts";

const megabyte = 1024 * 1024;
const limits: InflateLimits = { maxBytes: 20 * megabyte, reserve: () => true };
const packed = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, zstd: zlib.zstdCompressSync };
const small = Buffer.from("hello world ".repeat(50));

/** Bytes that compress badly, so that the compressed form is large as well. */
const large = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 2_654_435_761) >>> 11));

async function refused(
  encoding: Encoding,
  body: Buffer,
  kind: string,
  maxBytes = limits.maxBytes,
  reserve = limits.reserve,
) {
  const run = async () => await decompress(encoding, body, { maxBytes, reserve });
  await assert.rejects(run, (error: unknown) => error instanceof BodyError && error.kind === kind);
}

for (const encoding of ["gzip", "deflate", "zstd"] as const) {
  describe(encoding, () => {
    for (const { name, body } of [
      { name: "small", body: small },
      { name: "large", body: large },
      { name: "empty", body: Buffer.alloc(0) },
      { name: "small, inflating to much", body: Buffer.alloc(5 * megabyte, 1) },
    ]) {
      it(`reads a ${name} body`, async () => {
        assert.ok(body.equals(await decompress(encoding, packed[encoding](body), limits)));
      });
      it(`writes a ${name} body that others read`, async () => {
        const read = { gzip: zlib.gunzipSync, deflate: zlib.inflateSync, zstd: zlib.zstdDecompressSync }[encoding];
        assert.ok(body.equals(read(await compress(encoding, 0, body))));
      });
    }

    for (const { name, body } of [
      { name: "small", body: small },
      { name: "large", body: large },
    ]) {
      it(`refuses a truncated ${name} body`, () => refused(encoding, packed[encoding](body).subarray(0, -3), "broken"));
      it(`refuses a damaged ${name} body`, () => {
        const damaged = Buffer.from(packed[encoding](body));
        damaged[2] = 0xff;
        damaged.fill(0xaa, damaged.length >> 1);
        return refused(encoding, damaged, "broken");
      });
      it(`refuses a ${name} body with something behind it`, () =>
        refused(encoding, Buffer.concat([packed[encoding](body), Buffer.from("xyz")]), "broken"));
      it(`refuses a ${name} body with zero bytes behind it`, () =>
        refused(encoding, Buffer.concat([packed[encoding](body), Buffer.alloc(4)]), "broken"));
    }

    it("takes an empty body for nothing where a stream may have no parts, as the Collector does", async () => {
      if (encoding === "zstd") assert.equal((await decompress(encoding, Buffer.alloc(0), limits)).length, 0);
      else await refused(encoding, Buffer.alloc(0), "broken");
    });

    // Scenario: 64 MiB of zeros in a few kilobytes, with limits below and above what is inflated in place.
    // Guarantees: the bomb is given up at the limit, with no more memory asked for than that and one piece.
    for (const maxBytes of [1000, megabyte, 8 * megabyte]) {
      it(`stops a bomb at ${maxBytes} bytes`, async () => {
        let asked = 0;
        const reserve = (bytes: number) => {
          asked += bytes;
          return true;
        };
        await refused(encoding, packed[encoding](Buffer.alloc(64 * megabyte)), "too_large", maxBytes, reserve);
        assert.ok(asked <= maxBytes + megabyte);
      });
    }

    it("takes a body of exactly the limit", async () => {
      const body = Buffer.alloc(3 * megabyte, 7);
      const output = await decompress(encoding, packed[encoding](body), { ...limits, maxBytes: body.length });
      assert.equal(output.length, body.length);
      await refused(encoding, packed[encoding](body), "too_large", body.length - 1);
    });

    it("gives up when the memory for it is refused", async () => {
      await refused(encoding, packed[encoding](small), "busy", limits.maxBytes, () => false);
      await refused(encoding, packed[encoding](large), "busy", limits.maxBytes, () => false);
    });
  });
}

for (const encoding of ["gzip", "zstd"] as const) {
  it(`reads all ${encoding === "gzip" ? "members" : "frames"} of a ${encoding} body`, async () => {
    for (const parts of [
      [small, small],
      [large, small, large],
      [Buffer.alloc(2 * megabyte), small],
    ]) {
      const body = Buffer.concat(parts.map((part) => packed[encoding](part)));
      assert.ok(Buffer.concat(parts).equals(await decompress(encoding, body, limits)));
    }
  });

  it(`refuses a ${encoding} body whose second part is cut`, () =>
    refused(encoding, Buffer.concat([packed[encoding](small), packed[encoding](small).subarray(0, -2)]), "broken"));
}

// What a body says of its size is asked for before it is inflated: exactly that where it is true.
for (const { encoding, body } of [
  { encoding: "gzip", body: small },
  { encoding: "zstd", body: small },
  { encoding: "gzip", body: Buffer.concat([large, large, large, large, large]) },
  { encoding: "zstd", body: Buffer.concat([large, large, large, large, large]) },
] as const) {
  it(`asks for the memory that a ${encoding} body of ${body.length} bytes takes, once`, async () => {
    const asked: number[] = [];
    const reserve = (bytes: number) => asked.push(bytes) > 0;
    assert.ok(body.equals(await decompress(encoding, packed[encoding](body), { ...limits, reserve })));
    assert.deepEqual(asked, [body.length]);
  });
}

for (const claim of [0, 1, small.length - 1, small.length + 1, 100_000, 0xffff_ffff]) {
  it(`refuses a gzip body that claims ${claim} bytes and is not that long`, async () => {
    const body = Buffer.from(packed.gzip(small));
    body.writeUInt32LE(claim, body.length - 4);
    let asked = 0;
    const reserve = (bytes: number) => {
      asked += bytes;
      return true;
    };
    await refused("gzip", body, "broken", limits.maxBytes, reserve);
    assert.ok(asked <= body.length * 1032 + small.length);
  });
}

it("reads members of which the last claims more or less than all together", async () => {
  for (const parts of [
    [large, small],
    [small, large],
    [Buffer.alloc(0), small],
    [small, Buffer.alloc(0)],
  ]) {
    const body = Buffer.concat(parts.map((part) => packed.gzip(part)));
    assert.ok(Buffer.concat(parts).equals(await decompress("gzip", body, limits)));
  }
});

it("refuses a second deflate stream behind the first", () =>
  refused("deflate", Buffer.concat([packed.deflate(small), packed.deflate(small)]), "broken"));

it("refuses a zstd frame that claims a window of 2 GiB", () =>
  refused("zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (31 - 10) << 3, 1, 0, 0]), "broken"));

it("refuses a zstd frame that claims 2^60 bytes of content", () =>
  refused("zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0, 0]), "broken"));

it("knows the names of codings in any case, and no others", () => {
  assert.deepEqual(["", "identity", "gzip", "GZIP", "zstd", "deflate", "zlib"].map(encodingOf), [
    "identity",
    "identity",
    "gzip",
    "gzip",
    "zstd",
    "deflate",
    "deflate",
  ]);
  for (const name of ["snappy", "lz4", "x-snappy-framed"]) assert.equal(encodingOf(name), name);
  assert.deepEqual(["br", "gzip, gzip"].map(encodingOf), [undefined, undefined]);
  assert.equal(grpcEncodingOf("snappy"), "x-snappy-framed");
  assert.equal(grpcEncodingOf("lz4"), undefined);
});

it("takes any level of zstd for the nearest there is", async () => {
  for (const level of [-1_000_000, -5, 1, 22, 1_000]) {
    assert.ok(zlib.zstdDecompressSync(await compress("zstd", level, small)).equals(small));
  }
});

it("compresses harder when told to", () => {
  const text = Buffer.from(Array.from({ length: 4000 }, (_, index) => `${index * index},`).join(""));
  const fast = compress("gzip", 1, text.subarray(0, 20_000)) as Buffer;
  const best = compress("gzip", 9, text.subarray(0, 20_000)) as Buffer;
  assert.ok(best.length < fast.length);
});
