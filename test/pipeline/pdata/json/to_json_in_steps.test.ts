import assert from "node:assert/strict";
import { it } from "node:test";
import { encode, receive, toJson, toJsonInSteps } from "../../../../pipeline/pdata/index.ts";
import { toJsonBytes, toJsonBytesInSteps } from "../../../../pipeline/pdata/json/to_json.ts";
import { randomRequest } from "../wire/generate.ts";
import { addUnknownFields, encodeRequest } from "../wire/protobuf.ts";
import { Random, seed } from "../wire/random.ts";

const random = new Random(seed());

for (const signal of ["traces", "metrics", "logs"] as const) {
  it(`is the text that is written at once, wherever it pauses: ${signal}`, async () => {
    let pauses = 0;
    for (let round = 0; round < 100; round++) {
      const chunks = Array.from({ length: 1 + random.below(3) }, () => {
        const request = randomRequest(signal, random, 6);
        addUnknownFields(request, () => random.chance(0.1));
        return receive(signal, encodeRequest(signal, request)).chunks[0]?.bytes ?? Buffer.alloc(0);
      });
      const atOnce = toJsonBytes(signal, chunks);
      for (const stepBytes of [1, 20, 100, 1000]) {
        const pause = async () => void (pauses += 1);
        const inSteps = await toJsonBytesInSteps(signal, chunks, pause, "\n", stepBytes);
        assert.equal(Buffer.concat(inSteps).toString(), `${atOnce}\n`);
      }
    }
    assert.ok(pauses > 1000, `${pauses} pauses`);
  });
}

it("lets other texts be written in the pauses", async () => {
  const spans = (name: string) =>
    encode("traces", {
      resourceSpans: [{ scopeSpans: [{ spans: Array.from({ length: 40_000 }, () => ({ name })) }] }],
    });
  const [one, other] = [spans("one"), spans("other")];
  const written: string[] = [];
  const inSteps = await toJsonInSteps(one, async () => void written.push(toJson(other).toString()));
  assert.ok(written.length > 1);
  assert.deepEqual([...new Set(written)], [toJson(other).toString()]);
  assert.equal(Buffer.concat(inSteps).toString(), toJson(one).toString());
});

it("pauses within a single span that is long", async () => {
  const list = { arrayValue: { values: Array.from({ length: 100_000 }, (_, index) => ({ intValue: BigInt(index) })) } };
  const attributes = Array.from({ length: 3 }, (_, index) => ({ key: `k${index}`, value: list }));
  const data = encode("traces", { resourceSpans: [{ scopeSpans: [{ spans: [{ attributes }] }] }] });
  let pauses = 0;
  const inSteps = await toJsonInSteps(data, async () => void (pauses += 1));
  assert.ok(pauses > 5, `${pauses} pauses`);
  assert.equal(Buffer.concat(inSteps).toString(), toJson(data).toString());
});
