import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SharedAccount } from "../../../pipeline/workers/shared_account.ts";

describe("the account that threads share", () => {
  const accounts = () => {
    const buffer = SharedAccount.bufferFor(3);
    return [0, 1, 2].map((index) => new SharedAccount(buffer, index, 100)) as [
      SharedAccount,
      SharedAccount,
      SharedAccount,
    ];
  };

  it("has one limit for all of them", () => {
    const [main, one, two] = accounts();
    assert.equal(one.budget.tryTake(60), true);
    assert.equal(two.budget.tryTake(50), false);
    assert.equal(two.budget.tryTake(40), true);
    main.budget.take(10);
    assert.deepEqual(
      [main, one, two].map(({ budget }) => budget.usedBytes),
      [110, 110, 110],
    );
    one.budget.give(60);
    assert.equal(main.budget.usedBytes, 50);
  });

  it("gets back what a thread had that is no more", () => {
    const [main, one, two] = accounts();
    one.budget.take(60);
    two.budget.take(20);
    main.clear(1);
    assert.equal(main.budget.usedBytes, 20);
  });

  it("adds up the memory that each has said it has", () => {
    const [main, one, two] = accounts();
    const alone = main.memory(1e9).usedBytes();
    const ofThree = [one, two, main].map((account) => account.memory(1e9).usedBytes()).at(-1) ?? 0;
    assert.ok(ofThree > 2.5 * alone, `${ofThree} is about three times ${alone}`);
    assert.equal(two.memory(1e9).limitBytes, 1e9);
  });
});
