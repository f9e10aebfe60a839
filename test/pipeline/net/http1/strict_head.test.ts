import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HeadFinder, mostHeadBytes } from "../../../../pipeline/net/http1/strict_head.ts";
import { departures, strictRequest } from "./requests.ts";

const found = (finder: HeadFinder, text: string) => {
  const bytes = Buffer.from(text, "latin1");
  return finder.find(bytes, 0, bytes.length);
};

it("reads a head: the target, the headers by lower-case names, the length, where the body starts", () => {
  const text = "POST /v1/traces?a=b HTTP/1.1\r\nHost: x:1\r\nContent-LENGTH: 12\r\nX-Tenant:\t a b \r\n\r\nbody";
  const result = found(new HeadFinder(), text);
  assert.ok(typeof result === "object");
  assert.equal(result.end, text.length - "body".length);
  assert.equal(result.head.url, "/v1/traces?a=b");
  assert.equal(result.head.contentLength, 12);
  assert.deepEqual({ ...result.head.headers }, { host: "x:1", "content-length": "12", "x-tenant": "a b" });
  assert.equal(result.head.headers["constructor"], undefined);
});

describe("is not for what is written otherwise", () => {
  for (const { name, bytes } of departures) {
    it(name, () => assert.equal(found(new HeadFinder(), bytes), "other"));
    it(`${name}, behind a head that is alike but for that`, () => {
      const finder = new HeadFinder();
      found(finder, strictRequest("a"));
      assert.equal(found(finder, bytes), "other");
    });
  }
});

it("waits for the end of a head, at whatever byte it is cut", () => {
  const text = strictRequest("");
  for (let cut = 1; cut < text.length; cut++) {
    assert.equal(found(new HeadFinder(), text.slice(0, cut)), "partial", `${cut}`);
  }
});

it("does not wait for the end of a head that is too long", () => {
  assert.equal(found(new HeadFinder(), `POST / HTTP/1.1\r\nX: ${"y".repeat(mostHeadBytes)}`), "other");
});

// Scenario: heads of one sender, alike but for their lengths, lie in a buffer whose rest is of an earlier read.
// Guarantees: each is read as if it were the first; bytes behind `end` are not looked at.
it("reads heads that are like the last one as it reads others", () => {
  const finder = new HeadFinder();
  for (const length of [5, 5, 50, 7, 0, 123_456]) {
    const text = `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\nX-A: b\r\n\r\n`;
    const result = found(finder, text);
    assert.ok(typeof result === "object");
    assert.deepEqual([result.head.contentLength, result.end], [length, text.length]);
    assert.equal(result.head.headers["content-length"], String(length));
    for (let end = text.length - 1; end > 0; end--) {
      assert.equal(finder.find(Buffer.from(text), 0, end), "partial");
    }
  }
  assert.equal(found(finder, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: \r\nX-A: b\r\n\r\n"), "other");
  assert.equal(
    found(finder, `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${"1".repeat(13)}\r\nX-A: b\r\n\r\n`),
    "other",
  );
});
