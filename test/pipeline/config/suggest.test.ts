import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closest, editDistance } from "../../../pipeline/config/suggest.ts";

describe("the distance between", () => {
  for (const [from, to, want] of [
    ["", "", 0],
    ["abc", "", 3],
    ["timout", "timeout", 1],
    ["tiemout", "timeout", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3],
  ] as const) {
    it(`${JSON.stringify(from)} and ${JSON.stringify(to)} is ${want}`, () => {
      assert.equal(editDistance(from, to), want);
      assert.equal(editDistance(to, from), want);
    });
  }
});

describe("what was meant by", () => {
  for (const { word, candidates, want } of [
    { word: "timout", candidates: ["send_batch_size", "timeout"], want: "timeout" },
    { word: "Timeout", candidates: ["timeout"], want: "timeout" },
    { word: "x", candidates: ["timeout", "batch"], want: undefined },
    { word: "grcp", candidates: ["http", "grpc"], want: "grpc" },
    { word: "sendbatchsize", candidates: ["send_batch_size", "send_batch_max_size"], want: "send_batch_size" },
    { word: "logging", candidates: ["debug", "otlp"], want: undefined },
    { word: "timeout", candidates: [], want: undefined },
  ]) {
    it(word, () => assert.equal(closest(word, candidates), want));
  }
});
