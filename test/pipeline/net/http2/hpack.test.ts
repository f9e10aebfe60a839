import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  HpackDecoder,
  indexedField,
  literalField,
  namedField,
  tableBytes,
} from "../../../../pipeline/net/http2/hpack.ts";
import { staticTable } from "../../../../pipeline/net/http2/static_table.ts";

function decoded(decoder: HpackDecoder, block: Buffer): readonly string[] {
  return decoder.decode(block, 0, block.length).list;
}

const hex = (text: string) => Buffer.from(text, "hex");

describe("HPACK", () => {
  // RFC 7541, C.2.1, C.4.1 to C.4.3: plain and Huffman texts, entries that are added and named again.
  it("reads the examples of its specification", () => {
    const plain = decoded(new HpackDecoder(16_384), hex("400a637573746f6d2d6b65790d637573746f6d2d686561646572"));
    assert.deepEqual(plain, ["custom-key", "custom-header"]);
    const decoder = new HpackDecoder(16_384);
    const first = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"];
    assert.deepEqual(decoded(decoder, hex("828684418cf1e3c2e5f23a6ba0ab90f4ff")), first);
    assert.deepEqual(decoded(decoder, hex("828684be5886a8eb10649cbf")), [...first, "cache-control", "no-cache"]);
    const third = [":method", "GET", ":scheme", "https", ":path", "/index.html", ":authority", "www.example.com"];
    const block = hex("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf");
    assert.deepEqual(decoded(decoder, block), [...third, "custom-key", "custom-value"]);
  });

  it("reads what it writes, whatever was read before", () => {
    const decoder = new HpackDecoder(16_384);
    const value = "ü~".repeat(200);
    const block = Buffer.concat([indexedField(3), namedField(31, "application/grpc"), literalField("x-text", value)]);
    const fields = [":method", "POST", "content-type", "application/grpc", "x-text", value];
    assert.deepEqual(decoded(decoder, block), fields);
    for (let entry = 1; entry <= staticTable.length / 2; entry++) {
      assert.deepEqual(decoded(decoder, indexedField(entry)), staticTable.slice(entry * 2 - 2, entry * 2));
    }
  });

  it("gives the same object for a block like the one before, unless that has changed the table", () => {
    const decoder = new HpackDecoder(16_384);
    const steady = indexedField(3);
    const inserting = hex("400161016240016301643e"); // a: b, c: d, and entry 62, the latest
    const before = decoder.decode(steady, 0, 1);
    assert.equal(decoder.decode(steady, 0, 1), before);
    assert.deepEqual(decoded(decoder, Buffer.concat([hex("4001610162"), hex("4001630164"), hex("be")])), [..."abcdcd"]);
    assert.deepEqual(decoded(decoder, hex("be")), ["c", "d"]);
    assert.deepEqual(decoded(decoder, hex("4001650166")), ["e", "f"]);
    assert.deepEqual(decoded(decoder, hex("be")), ["e", "f"]);
    assert.ok(inserting.length > 0);
  });

  // Scenario: hundreds of requests as grpc-go sends them, each with another timeout that enters the table.
  // Guarantees: entries that are still there are found where they are, those that left are not.
  it("evicts the oldest entries of its table", () => {
    const decoder = new HpackDecoder(16_384);
    const insert = (name: string, value: string) =>
      Buffer.concat([
        Buffer.from([0x40, name.length]),
        Buffer.from(name),
        Buffer.from([value.length]),
        Buffer.from(value),
      ]);
    for (let call = 0; call < 500; call++) {
      assert.deepEqual(decoded(decoder, insert("grpc-timeout", `${call}m`)), ["grpc-timeout", `${call}m`]);
    }
    assert.deepEqual(decoded(decoder, Buffer.from([0x80 | 62])), ["grpc-timeout", "499m"]);
    assert.deepEqual(decoded(decoder, Buffer.from([0x80 | 72])), ["grpc-timeout", "489m"]);
    const fitting = Math.floor(tableBytes / ("grpc-timeout499m".length + 32));
    const oldest = 62 + fitting - 1 - 127;
    assert.deepEqual(decoded(decoder, Buffer.from([0xff, oldest])), ["grpc-timeout", `${500 - fitting}m`]);
    assert.throws(() => decoded(decoder, Buffer.from([0xff, oldest + 1])), { code: 9 });
  });

  it("empties its table when told that it is smaller", () => {
    const decoder = new HpackDecoder(16_384);
    decoded(decoder, hex("4001610162"));
    assert.deepEqual(decoded(decoder, hex("203fe11f82")), [":method", "GET"]);
    assert.throws(() => decoded(decoder, hex("be")), { code: 9 });
  });

  for (const { name, block } of [
    { name: "index 0", block: "80" },
    { name: "an index beyond the table", block: "be" },
    { name: "an integer that does not end", block: "ff8080" },
    { name: "an integer that is too large", block: "ffffffffffff7f" },
    { name: "a text that is cut short", block: "000561" },
    { name: "the end of the string inside a text", block: "000184ffffffff" },
    { name: "padding that is not all ones", block: "00018118" },
    { name: "padding of a whole byte", block: "0001821fff" },
    { name: "a table larger than was announced", block: "3fe21f" },
    { name: "a table size inside a block", block: "8220" },
  ]) {
    it(`refuses ${name}`, () => {
      const bytes = hex(block);
      assert.throws(() => new HpackDecoder(16_384).decode(bytes, 0, bytes.length), { name: "Http2Error", code: 9 });
    });
  }

  // Scenario: one entry of 4000 bytes, named a thousand times by one byte each.
  // Guarantees: the fields are cut off at the limit, and the table is what it was.
  it("counts fields as they are decoded", () => {
    const decoder = new HpackDecoder(16_384);
    const value = Buffer.alloc(4000, "x");
    decoded(decoder, Buffer.concat([hex("400161"), hex("7fa11e"), value]));
    const bomb = decoder.decode(Buffer.alloc(1000, 0xbe), 0, 1000);
    assert.equal(bomb.isTooLarge, true);
    assert.equal(bomb.list.length, 8);
    assert.deepEqual(decoded(decoder, hex("be")), ["a", value.toString()]);
  });
});
