import assert from "node:assert/strict";
import { describe, it } from "node:test";
import zlib from "node:zlib";
import { compress, type Encoding } from "../../../pipeline/net/compression.ts";
import { codedAs, passable } from "../../../pipeline/net/passable.ts";

const text = Buffer.from("hello world ".repeat(50));
const noise = Buffer.from(Array.from({ length: 9 << 20 }, (_, index) => (index * 2_654_435_761) >>> 13));
const gzip = zlib.gzipSync(text);
const zstd = zlib.zstdCompressSync(text);
const { ZSTD_c_contentSizeFlag: contentSize, ZSTD_c_windowLog: windowLog } = zlib.constants;
const unsized = (log: number) => zlib.zstdCompressSync(noise, { params: { [contentSize]: 0, [windowLog]: log } });
const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);

describe("a compressed body may be sent on", () => {
  for (const encoding of ["gzip", "zstd", "deflate", "snappy", "x-snappy-framed"] as const) {
    it(`in ${encoding}, as one stream`, async () => {
      const bytes = await compress(encoding, 0, text);
      assert.deepEqual(passable(encoding, bytes), { encoding, bytes });
    });
  }
  it("in zstd without its size, of a window that every reader has", () => {
    assert.notEqual(passable("zstd", unsized(23)), undefined);
  });
});

describe("a compressed body is not sent on", () => {
  const cases: readonly { name: string; encoding: Encoding; body: Buffer }[] = [
    { name: "of two gzip members", encoding: "gzip", body: Buffer.concat([gzip, gzip]) },
    {
      name: "of an empty gzip member and a full one",
      encoding: "gzip",
      body: Buffer.concat([zlib.gzipSync(""), gzip]),
    },
    { name: "of two zstd frames", encoding: "zstd", body: Buffer.concat([zstd, zstd]) },
    { name: "of a zstd frame behind one to skip", encoding: "zstd", body: Buffer.concat([skippable, zstd]) },
    { name: "of a zstd frame before one to skip", encoding: "zstd", body: Buffer.concat([zstd, skippable]) },
    { name: "of a zstd frame with a large window", encoding: "zstd", body: unsized(24) },
    { name: "of no bytes", encoding: "zstd", body: Buffer.alloc(0) },
    { name: "in lz4, which few read", encoding: "lz4", body: Buffer.alloc(20) },
    { name: "that is not compressed", encoding: "identity", body: text },
  ];
  for (const { name, encoding, body } of cases) {
    it(name, () => assert.equal(passable(encoding, body), undefined));
  }
  it("of snappy's frames under the name of its blocks, which strict readers expect", async () => {
    assert.equal(passable("snappy", await compress("x-snappy-framed", 0, text)), undefined);
  });
});

it("stands in for compressing anew in its own coding alone", () => {
  const encoded = { encoding: "gzip", bytes: gzip };
  assert.equal(codedAs("gzip", encoded), gzip);
  assert.equal(codedAs("zstd", encoded), undefined);
  assert.equal(codedAs("gzip", undefined), undefined);
});
