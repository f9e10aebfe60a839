import assert from "node:assert/strict";
import { describe, it } from "node:test";
import zlib from "node:zlib";
import { isCutZstd, zstdContentSize } from "../../../pipeline/net/zstd_frames.ts";

const { ZSTD_c_checksumFlag: checksum, ZSTD_c_contentSizeFlag: contentSize } = zlib.constants;
const text = Buffer.from("a few words, a few words; ".repeat(40));
const noise = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 2_654_435_761) >>> 11));
const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

describe("a zstd body", () => {
  for (const { name, body } of [
    { name: "of one frame", body: zlib.zstdCompressSync(text) },
    { name: "of nothing", body: zlib.zstdCompressSync(Buffer.alloc(0)) },
    { name: "with a checksum", body: zlib.zstdCompressSync(text, { params: { [checksum]: 1 } }) },
    { name: "that does not say its size", body: zlib.zstdCompressSync(text, { params: { [contentSize]: 0 } }) },
    { name: "of one byte again and again", body: zlib.zstdCompressSync(Buffer.alloc(700_000, 7)) },
    { name: "of several blocks", body: zlib.zstdCompressSync(noise) },
    { name: "of two frames", body: Buffer.concat([zlib.zstdCompressSync(text), zlib.zstdCompressSync(text)]) },
    { name: "with a frame to skip", body: Buffer.concat([skippable, zlib.zstdCompressSync(text)]) },
  ]) {
    it(`${name} is whole`, () => assert.equal(isCutZstd(body), false));
  }

  it("is cut wherever it is cut, but between two frames", () => {
    const first = zlib.zstdCompressSync(text, { params: { [checksum]: 1 } });
    const body = Buffer.concat([first, skippable, zlib.zstdCompressSync(Buffer.alloc(700_000, 7))]);
    const whole = Array.from({ length: body.length }, (_, size) => size).filter(
      (size) => !isCutZstd(body.subarray(0, size)),
    );
    assert.deepEqual(whole, [0, first.length, first.length + skippable.length]);
  });

  it("is left to the decoder when it is none", () => {
    assert.equal(isCutZstd(Buffer.from("something else")), false);
  });
});

describe("the size of what a zstd frame holds", () => {
  const { ZSTD_c_contentSizeFlag: withSize } = zlib.constants;
  for (const size of [1, 255, 256, 300, 65_791, 65_792, 3_000_000]) {
    it(`is read: ${size}`, () => assert.equal(zstdContentSize(zlib.zstdCompressSync(Buffer.alloc(size, 7))), size));
  }
  it("is read from eight bytes", () => {
    const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 1, 2, 0, 0, 0, 0, 0, 0]);
    assert.equal(zstdContentSize(head), 0x201);
  });
  it("is 0 where the frame does not say, is cut, or is none", () => {
    const silent = zlib.zstdCompressSync(Buffer.alloc(300, 7), { params: { [withSize]: 0 } });
    assert.equal(zstdContentSize(silent), 0);
    for (const body of ["", "(", "something else"]) assert.equal(zstdContentSize(Buffer.from(body)), 0);
    const whole = zlib.zstdCompressSync(Buffer.alloc(300, 7));
    for (let size = 0; size < 7; size++) assert.equal(zstdContentSize(whole.subarray(0, size)), 0);
  });
});
