import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NestedCalls, type Share } from "../../../pipeline/llm/nested_calls.ts";
import { isRequest } from "../../../pipeline/llm/request.ts";
import { type MadeSpan, traces } from "../../support/dashboard_data.ts";
import { seededRandom } from "../../support/simulated_host.ts";

const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);
console.log(`seed ${seed}`);

type What = "chat" | "embeddings" | "tool" | "plain";

interface Made {
  readonly id: number;
  readonly parent: number;
  readonly what: What;
  readonly tokens: number;
}

function spanOf({ id, parent, what, tokens }: Made, traceId = "ab".repeat(16)): MadeSpan {
  const hex = (number: number) => number.toString(16).padStart(16, "0");
  const operation = { chat: "chat", embeddings: "embeddings", tool: "execute_tool", plain: undefined }[what];
  return {
    traceId,
    spanId: hex(id),
    parentSpanId: parent === 0 ? "" : hex(parent),
    name: what,
    status: "OK",
    startUnixMs: 1_790_000_000_000,
    durationMs: 5,
    attributes: {
      ...(operation !== undefined && { "gen_ai.operation.name": operation }),
      ...(tokens > 0 && { "gen_ai.usage.input_tokens": tokens }),
    },
  };
}

/** What each request adds, by its id, when the spans come in this order. */
function sharesOf(made: readonly Made[]): Map<number, Share | "counts"> {
  const shares = new Map<number, Share | "counts">();
  const calls = new NestedCalls((row, share) => {
    assert.ok(shares.get(row) !== "repeats" || share === "repeats", "a repeat does not come back");
    shares.set(row, share);
  });
  for (const one of made) {
    for (const span of traces([spanOf(one)]).spans()) {
      const request = isRequest(span);
      if (request) shares.set(one.id, "counts");
      calls.add(span, request ? one.id : -1, one.tokens > 0);
    }
  }
  return shares;
}

/** The rule again, on the whole tree. */
function expected(made: readonly Made[]): Map<number, Share | "counts"> {
  const below = (id: number): Made[] =>
    made.filter(({ parent }) => parent === id).flatMap((one) => (one.what === "tool" ? [] : [one, ...below(one.id)]));
  return new Map(
    made
      .filter(({ what }) => what === "chat" || what === "embeddings")
      .map(({ id, what, tokens }) => {
        const same = below(id).filter((one) => one.what === what);
        if (same.length === 0) return [id, "counts"];
        return [id, tokens > 0 && same.every((one) => one.tokens === 0) ? "tokens" : "repeats"];
      }),
  );
}

describe("spans of one call", () => {
  const sdk = { id: 1, parent: 0, what: "chat", tokens: 7 } as const;
  for (const { name, made, shares } of [
    {
      name: "an SDK and a gateway behind HTTP: the gateway's counts",
      made: [sdk, { id: 2, parent: 1, what: "plain", tokens: 0 }, { id: 3, parent: 2, what: "chat", tokens: 7 }],
      shares: { 1: "repeats", 3: "counts" },
    },
    {
      name: "a gateway that tried twice: both attempts count, the SDK's span does not",
      made: [sdk, { id: 2, parent: 1, what: "chat", tokens: 0 }, { id: 3, parent: 1, what: "chat", tokens: 7 }],
      shares: { 1: "repeats", 2: "counts", 3: "counts" },
    },
    {
      name: "a gateway that reports no tokens: one request, the SDK's tokens",
      made: [sdk, { id: 2, parent: 1, what: "chat", tokens: 0 }],
      shares: { 1: "tokens", 2: "counts" },
    },
    {
      name: "a gateway that answers from a cache it searches by an embedding: two calls",
      made: [sdk, { id: 2, parent: 1, what: "embeddings", tokens: 3 }],
      shares: { 1: "counts", 2: "counts" },
    },
    {
      name: "a model called by a tool that a model called: two calls",
      made: [sdk, { id: 2, parent: 1, what: "tool", tokens: 0 }, { id: 3, parent: 2, what: "chat", tokens: 9 }],
      shares: { 1: "counts", 3: "counts" },
    },
    {
      name: "three on top of each other",
      made: [sdk, { id: 2, parent: 1, what: "chat", tokens: 7 }, { id: 3, parent: 2, what: "chat", tokens: 7 }],
      shares: { 1: "repeats", 2: "repeats", 3: "counts" },
    },
    {
      name: "one that names itself as its parent",
      made: [{ ...sdk, parent: 1 }],
      shares: { 1: "counts" },
    },
  ] as { name: string; made: Made[]; shares: Record<number, string> }[]) {
    for (const order of ["callers first", "callers last"]) {
      it(`${name} (${order})`, () => {
        const got = sharesOf(order === "callers first" ? made : made.toReversed());
        assert.deepEqual(Object.fromEntries(got), shares);
      });
    }
  }

  it("keeps traces apart whose spans have the same ids", () => {
    let told = 0;
    const calls = new NestedCalls(() => void told++);
    const child: Made = { ...sdk, id: 2, parent: 1 };
    for (const span of traces([spanOf(sdk), spanOf(child, "cd".repeat(16))]).spans()) calls.add(span, 1, true);
    assert.equal(told, 0);
  });

  it("are found in any tree, whatever the order they come in", () => {
    const random = seededRandom(seed);
    const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
    for (let round = 0; round < 300; round++) {
      const made = Array.from({ length: 1 + Math.floor(random() * 12) }, (_, index): Made => {
        const what = pick(["chat", "chat", "plain", "embeddings", "tool"] as const);
        return { id: index + 1, parent: Math.floor(random() * (index + 1)), what, tokens: pick([0, 5]) };
      });
      const shuffled = made.map((one) => ({ one, at: random() })).sort((left, right) => left.at - right.at);
      const got = sharesOf(shuffled.map(({ one }) => one));
      const sorted = [...got].sort(([left], [right]) => left - right);
      assert.deepEqual(sorted, [...expected(made)], JSON.stringify(shuffled));
    }
  });
});
