import assert from "node:assert/strict";
import { it } from "node:test";
import { ConsumeError, type Delivery } from "../../../pipeline/delivery.ts";
import { fanOut } from "../../../pipeline/graph/fan_out.ts";
import { recordedDelivery } from "../../support/simulated_host.ts";
import { someSpans } from "../../support/traces.ts";

it("a branch that answers twice counts once and is reported as a bug", () => {
  const branches: Delivery[] = [];
  const inlet = { take: (delivery: Delivery) => void branches.push(delivery) };
  const { delivery, answers } = recordedDelivery(someSpans(1));
  let reported = 0;
  fanOut(delivery, [inlet, inlet], () => reported++);
  branches[0]!.ack();
  branches[0]!.nack(new ConsumeError("again", { retryable: false }));
  assert.deepEqual([answers, reported], [[], 1]);
  branches[1]!.ack();
  assert.deepEqual([answers, reported], [["ack"], 1]);
});
