import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { ConsumeError, neverAborted } from "../../../pipeline/delivery.ts";
import { fromParts, toJson } from "../../../pipeline/pdata/index.ts";
import type { Outcome, Task } from "../../../pipeline/process/cold_tasks.ts";
import { ColdWorker } from "../../../pipeline/process/cold_worker.ts";
import { readingBodies } from "../../../pipeline/process/reading_bodies.ts";
import { someSpans, spanNames } from "../../support/traces.ts";

const started: ColdWorker<Task, Outcome>[] = [];
after(() => Promise.all(started.map((worker) => worker.close())));

/** A worker that runs our own thread, or one that runs this program instead. */
function worker(program?: string): ColdWorker<Task, Outcome> {
  const made = new ColdWorker(program === undefined ? readingBodies() : readingBodies(fileOf(program)));
  started.push(made);
  return made;
}

const folder = mkdtempSync(join(tmpdir(), "otelpipe-thread-"));
let files = 0;

function fileOf(program: string): string {
  const path = join(folder, `${files++}.mjs`);
  writeFileSync(path, `import { parentPort } from "node:worker_threads";\n${program}`);
  return path;
}

function task(spans: number, encoding: Task["encoding"] = "protobuf"): Task {
  const data = someSpans(spans);
  return { signal: "traces", encoding, body: new Uint8Array(encoding === "json" ? toJson(data) : data.toBuffer()) };
}

const isRetryable = (error: unknown) => error instanceof ConsumeError && error.retryable;

describe("the thread for long tasks", () => {
  for (const encoding of ["protobuf", "json"] as const) {
    it(`reads ${encoding}`, async () => {
      const outcome = await worker().perform(task(3, encoding), neverAborted);
      assert.ok("parts" in outcome);
      const data = fromParts("traces", outcome.parts);
      assert.equal(data.itemCount, 3);
      assert.deepEqual(spanNames(data), ["span-1", "span-2", "span-3"]);
    });
  }

  it("says what is wrong with a body", async () => {
    const body = new Uint8Array([0x0a, 3, 1]);
    const outcome = await worker().perform({ signal: "traces", encoding: "protobuf", body }, neverAborted);
    assert.deepEqual(outcome, {
      fault: { reason: "a length of 3 bytes reaches past the end", path: "resourceSpans[0]", offset: 1 },
    });
  });

  it("performs one task after the other, in order", async () => {
    const one = worker();
    const order: number[] = [];
    const each = [3, 1, 2].map(async (spans) => {
      await one.perform(task(spans), neverAborted);
      order.push(spans);
    });
    await Promise.all(each);
    assert.deepEqual(order, [3, 1, 2]);
  });

  // Scenario: the thread dies of a task; another one waits, a third comes later.
  // Guarantees: the sender of the first is told to come back, the others are served by a new thread.
  it("survives the death of the thread", async () => {
    const one = worker(`parentPort.postMessage("ready");
      parentPort.on("message", ({ body }) => {
        if (body.length === 1) throw new Error("this task is deadly");
        parentPort.postMessage({ fault: { reason: "alive", path: "", offset: 0 } });
      });`);
    const of = (size: number) => ({ signal: "traces", encoding: "json", body: new Uint8Array(size) }) as const;
    const [first, second] = [one.perform(of(1), neverAborted), one.perform(of(2), neverAborted)];
    await assert.rejects(first, isRetryable);
    assert.deepEqual(await second, { fault: { reason: "alive", path: "", offset: 0 } });
    assert.deepEqual(await one.perform(of(3), neverAborted), { fault: { reason: "alive", path: "", offset: 0 } });
  });

  it("works in place where no thread can be had", async () => {
    const one = worker("process.exit(1);");
    await assert.rejects(one.perform(task(1), neverAborted), isRetryable);
    assert.ok("parts" in (await one.perform(task(2), neverAborted)));
  });

  it("refuses what waits when its caller goes away, and does not perform it", async () => {
    const one = worker(`parentPort.postMessage("ready");
      let count = 0;
      parentPort.on("message", () => parentPort.postMessage({ fault: { reason: String(++count), path: "", offset: 0 } }));`);
    const caller = new AbortController();
    const first = one.perform(task(1), neverAborted);
    const gone = one.perform(task(1), caller.signal);
    caller.abort();
    await assert.rejects(gone, isRetryable);
    await first;
    assert.deepEqual(await one.perform(task(1), neverAborted), { fault: { reason: "2", path: "", offset: 0 } });
    await assert.rejects(one.perform(task(1), caller.signal), isRetryable);
  });

  it("refuses what is too much to wait, and all that waits when it is closed", async () => {
    const one = worker('parentPort.postMessage("ready"); parentPort.on("message", () => {});');
    const results = Array.from({ length: 70 }, () => one.perform(task(1), neverAborted));
    const refused = Promise.all(results.map((result) => assert.rejects(result, isRetryable)));
    await assert.rejects(results.at(-1)!, isRetryable);
    await one.close();
    await refused;
    await assert.rejects(one.perform(task(1), neverAborted), isRetryable);
  });
});
