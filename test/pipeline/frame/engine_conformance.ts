import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { NumberBuilder, numberAt, TextBuilder, textAt } from "../../../pipeline/frame/builders.ts";
import type { Column } from "../../../pipeline/frame/columns.ts";
import type { Aggregation, AggregationEngine, Query } from "../../../pipeline/frame/engine.ts";
import { seededRandom } from "../../support/simulated_host.ts";
import { type AnswerRow, keyOf, naiveAnswer, type Row } from "./naive_aggregation.ts";

const seed = Number(process.env["OTELPIPE_SEED"] ?? 17);

const everything: readonly Aggregation[] = [
  { as: "rows", fn: "count" },
  { as: "values", fn: "count", column: "value" },
  { as: "sum", fn: "sum", column: "value" },
  { as: "mean", fn: "mean", column: "value" },
  { as: "min", fn: "min", column: "value" },
  { as: "max", fn: "max", column: "value" },
  { as: "std", fn: "std", column: "value" },
  { as: "distinct", fn: "nunique", column: "value" },
  { as: "users", fn: "nunique", column: "user" },
  { as: "named", fn: "count", column: "user" },
  { as: "p0", fn: "quantile", column: "value", q: 0 },
  { as: "p50", fn: "quantile", column: "value", q: 0.5 },
  { as: "p95", fn: "quantile", column: "value", q: 0.95 },
  { as: "p100", fn: "quantile", column: "value", q: 1 },
];

/** Column types of the rows below. */
const types = { model: "string", region: "string", user: "string", code: "f64", value: "f64" } as const;

/**
 * What every aggregation engine must do, registered as tests for the one that `open` opens.
 *
 * @param groups how many there are in the test of very many: a million unless said (OTELPIPE_GROUPS).
 */
export function engineConformance(
  name: string,
  open: () => Promise<AggregationEngine>,
  groups = Number(process.env["OTELPIPE_GROUPS"] ?? 1_000_000),
): void {
  describe(`${name} conforms as an aggregation engine`, () => {
    let engine: AggregationEngine;
    before(async () => {
      engine = await open();
    });
    after(async () => {
      await engine.close();
      await engine.close();
    });

    /** Compares with the plain computation, and returns the engine's answer by group. */
    async function check(rows: readonly Row[], query: Query): Promise<ReadonlyMap<string, AnswerRow>> {
      const table = tableOf(rows);
      const answer = await engine.aggregate(table, query);
      assertSame(answer, naiveAnswer(rows, query.groupBy, query.aggregations), query);
      assertSameTable(table, tableOf(rows));
      return rowsOf(answer, query);
    }

    it("answers every function, for known values", async () => {
      const rows = [4, 1, 3, 2].map((value) => ({ model: "a", user: value > 2 ? "x" : "y", value }));
      const answer = await check(rows, { groupBy: ["model"], aggregations: everything });
      assert.deepEqual(answer.get('["a"]'), [
        "a",
        4,
        4,
        10,
        2.5,
        1,
        4,
        1.2909944487358056,
        4,
        2,
        4,
        1,
        2.5,
        3.8499999999999996,
        4,
      ]);
    });

    it("has no value for functions of nothing, and no deviation of one value", async () => {
      const rows = [{ model: "none" }, { model: "one", value: 7 }, { model: "not a number", value: Number.NaN }];
      const answer = await check(rows, { groupBy: ["model"], aggregations: everything });
      const nothing = undefined;
      const absent = [nothing, nothing, nothing, nothing, nothing, 0, 0, 0, nothing, nothing, nothing, nothing];
      assert.deepEqual(answer.get('["none"]'), ["none", 1, 0, ...absent]);
      assert.deepEqual(answer.get('["not a number"]'), ["not a number", 1, 0, ...absent]);
      assert.deepEqual(answer.get('["one"]'), ["one", 1, 1, 7, 7, 7, 7, nothing, 1, 0, 0, 7, 7, 7, 7]);
    });

    it("keeps an absent group value apart from every text and number", async () => {
      const rows = [
        { model: "", code: 0, value: 1 },
        { value: 2 },
        { model: "null", code: 1, value: 3 },
        { code: Number.NaN, value: 4 },
      ];
      const aggregations: Aggregation[] = [{ as: "sum", fn: "sum", column: "value" }];
      assert.equal((await check(rows, { groupBy: ["model"], aggregations })).size, 3);
      const answer = await check(rows, { groupBy: ["model", "code"], aggregations });
      assert.deepEqual(answer.get("[null,null]"), [undefined, undefined, 6]);
    });

    it("makes the whole table one group when asked to group by nothing", async () => {
      const rows = [{ value: 1 }, { value: 2 }];
      assert.equal((await check(rows, { groupBy: [], aggregations: everything })).size, 1);
    });

    it("gives no row for a table without rows", async () => {
      assert.equal((await check([], { groupBy: ["model"], aggregations: everything })).size, 0);
      assert.equal((await check([], { groupBy: [], aggregations: everything })).size, 0);
    });

    it("takes negative, tiny, huge and equal values", async () => {
      const values = [-1e300, 1e-300, 0, -0, 5, 5, 5, 1e15, Number.MAX_SAFE_INTEGER];
      const rows = values.map((value, row) => ({ model: row % 2 === 0 ? "even" : "odd", value }));
      const aggregations = everything.filter(({ as }) => as !== "std");
      await check(rows, { groupBy: ["model"], aggregations });
    });

    // Columns are doubles: integers beyond 2^53 are the nearest double before an engine sees them, and stay that.
    it("takes 64-bit integers beyond 2^53 as the nearest doubles, and keeps those apart", async () => {
      const integers = [2n ** 53n + 1n, 2n ** 53n + 2n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n, 2n ** 62n + 512n];
      const rows = integers.map((integer) => ({ model: "a", code: Number(integer), value: Number(integer) }));
      const aggregations = everything.filter(({ as }) => as !== "std");
      const answer = await check(rows, { groupBy: ["model"], aggregations });
      assert.deepEqual(answer.get('["a"]')?.slice(5, 8), [-(2 ** 63), 2 ** 63, 5]);
      const byCode = await check(rows, { groupBy: ["code"], aggregations });
      assert.deepEqual(byCode.get(JSON.stringify([2 ** 53]))?.slice(0, 4), [2 ** 53, 1, 1, 2 ** 53]);
    });

    // Guarantees: the answer is complete and exact, and there at all, two minutes on a busy machine at the most.
    it(`keeps ${groups} groups apart`, { timeout: 120_000 }, async () => {
      const table = manyGroups(groups);
      const aggregations: Aggregation[] = [
        { as: "rows", fn: "count" },
        { as: "sum", fn: "sum", column: "value" },
        { as: "p50", fn: "quantile", column: "value", q: 0.5 },
      ];
      const [keys, rows, sum, p50] = await engine.aggregate(table, { groupBy: ["model"], aggregations });
      assert.ok(keys?.type === "string" && rows?.type === "f64" && sum?.type === "f64" && p50?.type === "f64");
      assert.equal(keys.length, groups);
      const seen = new Uint8Array(groups);
      for (let row = 0; row < groups; row++) {
        const id: number = Number(textAt(keys, row));
        seen[id] = 1;
        const count: number = id % 4 === 0 ? 2 : 1;
        const got: unknown[] = [rows.values[row], sum.values[row], p50.values[row]];
        const isRight = got[0] === count && got[1] === id * count && got[2] === id;
        if (!isRight) assert.deepEqual(got, [count, id * count, id], `group ${id}`);
      }
      assert.ok(!seen.includes(0));
    });

    it("keeps the digits of a deviation far from zero", async () => {
      const rows = Array.from({ length: 1000 }, (_, row) => ({ model: "a", value: 1e9 + (row % 2) }));
      const answer = await check(rows, {
        groupBy: ["model"],
        aggregations: [{ as: "std", fn: "std", column: "value" }],
      });
      assert.ok(Math.abs(Number(answer.get('["a"]')?.[1]) - 0.5) < 1e-3);
    });

    it(`agrees with a plain computation on random tables (OTELPIPE_SEED=${seed})`, async () => {
      const random = seededRandom(seed);
      for (let round = 0; round < 30; round++) {
        const rows = randomRows(Math.floor(random() * 400), random);
        for (const groupBy of [["model"], ["model", "region"], ["code"], ["user", "code"], []]) {
          await check(rows, { groupBy, aggregations: everything });
        }
      }
    });

    it(`agrees on a table of 150 000 rows in a few groups (OTELPIPE_SEED=${seed})`, async () => {
      const rows = randomRows(150_000, seededRandom(seed));
      await check(rows, { groupBy: ["model", "region"], aggregations: everything });
    });

    it("rejects a query for a column that is not there, and numbers from text", async () => {
      const table = tableOf([{ model: "a", user: "x", value: 1 }]);
      const ask = (column: string) =>
        engine.aggregate(table, { groupBy: [], aggregations: [{ as: "sum", fn: "sum", column }] });
      await assert.rejects(ask("missing"), /missing/);
      await assert.rejects(ask("user"), /user/);
      await assert.rejects(engine.aggregate(table, { groupBy: ["missing"], aggregations: [] }), /missing/);
    });
  });
}

/** A row for each of `count` groups, whose name is its value, and another one for every fourth. */
function manyGroups(count: number): Column[] {
  const length = count + Math.ceil(count / 4);
  const values = Int32Array.from({ length }, (_, row) => (row < count ? row : (row - count) * 4));
  const dictionary = Array.from({ length: count }, (_, id) => String(id));
  return [
    { name: "model", type: "string", length, values, dictionary },
    { name: "value", type: "f64", length, values: Float64Array.from(values) },
  ];
}

function randomRows(count: number, random: () => number): Row[] {
  const pick = (texts: readonly (string | undefined)[]) => texts[Math.floor(random() * texts.length)];
  return Array.from({ length: count }, () => ({
    model: pick(["gemma", "qwen", "llama", undefined]),
    region: pick(["eu", "us"]),
    user: random() < 0.1 ? undefined : `user ${Math.floor(random() * 50)}`,
    code: random() < 0.1 ? undefined : 200 + Math.floor(random() * 5),
    value: random() < 0.1 ? undefined : random() < 0.5 ? Math.floor(random() * 20) : Math.exp(random() * 10),
  }));
}

function tableOf(rows: readonly Row[]): Column[] {
  return Object.entries(types).map(([name, type]) => {
    if (type === "string") {
      const builder = new TextBuilder();
      for (const row of rows) builder.push(row[name] as string | undefined);
      return builder.finish(name);
    }
    const builder = new NumberBuilder();
    for (const row of rows) builder.push(row[name] as number | undefined);
    return builder.finish(name);
  });
}

function rowsOf(answer: readonly Column[], { groupBy }: Query): ReadonlyMap<string, AnswerRow> {
  const rows = Array.from({ length: answer[0]?.length ?? 0 }, (_, row) =>
    answer.map((column) => (column.type === "string" ? textAt(column, row) : numberAt(column, row))),
  );
  return new Map(rows.map((row) => [keyOf(row.slice(0, groupBy.length)), row]));
}

function assertSame(answer: readonly Column[], want: ReadonlyMap<string, AnswerRow>, query: Query): void {
  assert.deepEqual(
    answer.map(({ name }) => name),
    [...query.groupBy, ...query.aggregations.map(({ as }) => as)],
  );
  const got = rowsOf(answer, query);
  for (const column of answer) assert.equal(column.length, want.size, `rows of ${column.name}`);
  assert.deepEqual(new Set(got.keys()), new Set(want.keys()));
  for (const [key, row] of want) {
    row.forEach((value, place) => {
      const name = answer[place]?.name ?? "";
      const tolerance = name === "std" ? 1e-7 : 1e-9;
      assert.ok(
        isClose(got.get(key)?.[place], value, tolerance),
        `${key} ${name}: ${got.get(key)?.[place]}, want ${value}`,
      );
    });
  }
}

function isClose(got: AnswerRow[number], want: AnswerRow[number], tolerance: number): boolean {
  if (typeof got !== "number" || typeof want !== "number") return got === want;
  return got === want || Math.abs(got - want) <= tolerance * Math.max(1e-12, Math.abs(want));
}

function assertSameTable(got: readonly Column[], want: readonly Column[]): void {
  got.forEach((column, place) => {
    const expected = want[place]!;
    assert.equal(column.values.length, expected.values.length);
    assert.ok(
      column.values.every((value, row) => Object.is(value, expected.values[row])),
      `${column.name} was changed`,
    );
  });
}
