import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { encode, receive, toJson } from "../../../pipeline/pdata/index.ts";
import { someSpans } from "../../support/traces.ts";
import { type PostOptions, startReceiver, stopReceivers } from "./harness.ts";

after(stopReceivers);

/** A length-delimited field. */
function field(number: number, payload: Buffer): Buffer {
  const head = [number * 8 + 2];
  let rest = payload.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) head.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...head, rest]), payload]);
}

const size = 4 * 1024 * 1024 - 64;
const inSpan = (bytes: Buffer) => field(1, field(2, field(2, bytes)));
const json = { type: "application/json" };

const large = encode("traces", {
  resourceSpans: [
    { scopeSpans: [{ spans: Array.from({ length: 6000 }, (_, index) => ({ name: `span-${index}`.padEnd(100) })) }] },
  ],
});

const bodies: { name: string; body: Buffer; options?: PostOptions; status: number; items: number }[] = [
  {
    name: "attributes with their values first",
    body: inSpan(Buffer.alloc(size - (size % 6), Buffer.from([0x4a, 4, 0x12, 0, 0x0a, 0]))),
    status: 200,
    items: 1,
  },
  {
    name: "two million spans",
    body: field(1, field(2, Buffer.alloc(size, Buffer.from([0x12, 0])))),
    status: 200,
    items: size / 2,
  },
  {
    name: "protobuf that is cut short",
    body: inSpan(Buffer.alloc(size - 4, Buffer.from([0x4a, 4, 0x12, 0, 0x0a, 0]))),
    status: 400,
    items: 0,
  },
  { name: "much JSON", body: toJson(large), options: json, status: 200, items: 6000 },
  { name: "JSON that is cut short", body: toJson(large).subarray(0, 300_000), options: json, status: 400, items: 0 },
];

describe("a long body", () => {
  // Scenario: the body takes long to read; a small request comes behind it.
  // Guarantees: the small one is answered while the long one is being read, which is then answered as a short one would be.
  for (const { name, body, options, status, items } of bodies) {
    it(`lets others pass: ${name}`, async () => {
      assert.ok(options === undefined || body.length > 256 * 1024);
      const { host, offers, post } = await startReceiver();
      const order: string[] = [];
      const answered = (what: string) => (reply: Awaited<ReturnType<typeof post>>) => {
        order.push(what);
        return reply;
      };
      // The long one is being read from the moment that its bytes are in the budget until it is answered.
      const reading = new Promise<void>((resolve) => {
        const { tryTake } = host.budget;
        host.budget.tryTake = (bytes) => {
          if (bytes >= body.length * 2) resolve();
          return tryTake.call(host.budget, bytes);
        };
      });
      const long = post(body, options).then(answered("long"));
      await reading;
      const short = await post(someSpans(1).toBuffer()).then(answered("short"));
      const reply = await long;
      assert.deepEqual([short.status, reply.status, order], [200, status, ["short", "long"]]);
      assert.equal(
        offers.reduce((sum, { data }) => sum + data.itemCount, 0),
        items + 1,
      );
      assert.equal(host.budget.usedBytes, 0);
      const read = offers.find(({ data }) => data.sizeBytes > 1000)?.data;
      if (read !== undefined && options === undefined)
        assert.ok(read.toBuffer().equals(receive("traces", body).toBuffer()));
      await host.bodies.close();
    });
  }

  it("is refused for now when the budget has no room for it", async () => {
    const { post, malformed } = await startReceiver({ budgetBytes: 2_000_000 });
    const reply = await post(toJson(large), json);
    assert.equal(reply.status, 503);
    assert.deepEqual(malformed, []);
  });
});
