import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import type { Caller, ExporterHost } from "../../../pipeline/host.ts";
import type { Pdata, Traces } from "../../../pipeline/pdata/index.ts";
import { Arrivals, Departures, gateId, Visitors } from "../../../pipeline/workers/gates.ts";
import { recordedDelivery, simulatedHost } from "../../support/simulated_host.ts";
import { someSpans, spanNames } from "../../support/traces.ts";
import { turns } from "../../support/turns.ts";

const id = gateId("traces", 0);

interface Arrived {
  readonly data: Pdata;
  readonly caller: Caller;
  readonly answer: (error?: ConsumeError) => void;
}

/** A gate from one end to the other; messages are copied on the way, as between threads. */
async function joined() {
  const host = simulatedHost();
  const arrived: Arrived[] = [];
  const said: string[] = [];
  const arrivals = new Arrivals();
  const visitors = new Visitors(arrivals, (message) => {
    said.push(message.kind);
    const copy = structuredClone(message);
    if (copy.kind === "answers") copy.answers.forEach((answer) => void departures.answered(answer));
    else departures.noted(copy);
  });
  const departures = new Departures((message, transfer) => {
    const copy = structuredClone(message, { transfer });
    if (copy.kind === "gone") visitors.gone(copy.number);
    else visitors.arrived(copy);
  }, host.clock);
  const receiver = arrivals.gate(id, {
    traces: { offer: (data, caller, answer) => void arrived.push({ data, caller, answer }) },
  });
  await receiver.start?.();
  const exporter = departures.gate(id, host as unknown as ExporterHost, false);
  return { host, arrived, said, visitors, receiver, exporter };
}

describe("a gate between threads", () => {
  it("brings data and who sent it over, and the answer back; the sender's data stays", async () => {
    const { exporter, arrived } = await joined();
    const metadata = new Map([["x-tenant", ["a"]]]);
    const { delivery, answers } = recordedDelivery(someSpans(3), { metadata });
    exporter.consume(delivery);
    const [there] = arrived;
    assert.deepEqual(spanNames(there?.data as Traces), ["span-1", "span-2", "span-3"]);
    assert.deepEqual(there?.caller.client, { address: "127.0.0.1:1", transport: "grpc", metadata });
    assert.deepEqual(answers, []);
    there?.answer();
    await turns();
    assert.deepEqual(answers, ["ack"]);
    assert.deepEqual(spanNames(delivery.data), ["span-1", "span-2", "span-3"]);
  });

  it("brings a refusal back as it was", async () => {
    const { exporter, arrived } = await joined();
    const { delivery, answers } = recordedDelivery(someSpans(1));
    exporter.consume(delivery);
    arrived[0]?.answer(new ConsumeError("not now", { retryable: true, delayMs: 1500, grpcStatus: 8 }));
    await turns();
    const [error] = answers as ConsumeError[];
    assert.deepEqual([error?.message, error?.retryable, error?.delayMs, error?.grpcStatus], ["not now", true, 1500, 8]);
  });

  // Scenario: whoever holds a batch on the far side wants to know whether its caller still waits.
  // Guarantees: it hears of it; nothing is said and nobody listens where nobody asks, nor after the answer.
  it("says that the caller has gone when somebody wants to know", async () => {
    const { exporter, arrived, said } = await joined();
    const callers = [new AbortController(), new AbortController()];
    for (const { signal } of callers) exporter.consume({ ...recordedDelivery(someSpans(1)).delivery, signal });
    assert.deepEqual(said, []);
    const signals = arrived.map(({ caller }) => caller.signal);
    callers[0]?.abort();
    assert.deepEqual(
      signals.map((signal) => signal?.aborted),
      [true, false],
    );
    arrived[1]?.answer();
    await turns();
    assert.equal(getEventListeners(callers[1]?.signal ?? new EventTarget(), "abort").length, 0);
  });

  it("lets a caller wait where a setting does", async () => {
    const { exporter, arrived } = await joined();
    let waits = 0;
    exporter.consume({ ...recordedDelivery(someSpans(1)).delivery, mayWait: () => void (waits += 1) });
    arrived[0]?.caller.mayWait?.();
    assert.equal(waits, 1);
  });

  it("tells senders to come back when nothing is behind it any more", async () => {
    const { exporter, receiver, arrived } = await joined();
    await receiver.stop?.();
    const { delivery, answers } = recordedDelivery(someSpans(1));
    exporter.consume(delivery);
    await turns();
    assert.deepEqual(arrived, []);
    assert.equal((answers as ConsumeError[])[0]?.retryable, true);
  });

  it("ends the waiting of those whose thread is no more", async () => {
    const { exporter, arrived, visitors } = await joined();
    exporter.consume(recordedDelivery(someSpans(1)).delivery);
    const signal = arrived[0]?.caller.signal;
    visitors.allGone();
    assert.equal(signal?.aborted, true);
  });

  it("is empty when all is answered, or time is up", async () => {
    const { exporter, arrived, host } = await joined();
    let drained = 0;
    const drain = () => void exporter.drain?.(host.clock.monotonicMs() + 1_000).then(() => (drained += 1));
    drain();
    await turns();
    assert.equal(drained, 1);
    for (let count = 0; count < 2; count++) exporter.consume(recordedDelivery(someSpans(1)).delivery);
    drain();
    arrived[0]?.answer();
    await turns();
    assert.equal(drained, 1);
    arrived[1]?.answer();
    await turns();
    assert.equal(drained, 2);
    exporter.consume(recordedDelivery(someSpans(1)).delivery);
    drain();
    host.advance(1_000);
    await turns();
    assert.equal(drained, 3);
    assert.equal(host.clock.pendingTimers, 0);
  });
});
