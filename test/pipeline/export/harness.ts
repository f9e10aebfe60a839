import { type ClientInfo, ConsumeError } from "../../../pipeline/delivery.ts";
import { queuedExporter } from "../../../pipeline/export/queued_exporter.ts";
import type { Attempt } from "../../../pipeline/export/sender.ts";
import { queueSettings, retrySettings } from "../../../pipeline/export/settings.ts";
import type { Traces } from "../../../pipeline/pdata/index.ts";
import {
  type Answers,
  recordedDelivery,
  type SimulatedHostOptions,
  simulatedHost,
} from "../../support/simulated_host.ts";
import { namesOf, spans } from "./spans.ts";

export const down = new ConsumeError("backend down", { retryable: true });
export const bad = new ConsumeError("bad data", { retryable: false });

export interface Sent {
  readonly names: readonly string[];
  readonly atMs: number;
  readonly attempt: Attempt;
  /** Ends the attempt, when the destination is one that waits. */
  readonly finish: (error?: ConsumeError) => Promise<void>;
}

export interface HarnessOptions extends SimulatedHostOptions {
  queue?: object | null;
  retry?: object;
  timeoutMs?: number;
  /** What the destination says at each attempt; "wait" leaves it to `finish`. */
  reply?: (attempt: number) => ConsumeError | "wait" | undefined;
}

/** A queued exporter in simulated time, with a destination that does as told. */
export function harness(options: HarnessOptions = {}) {
  const host = simulatedHost(options);
  const sent: Sent[] = [];
  const settings = {
    sending_queue: queueSettings().parse(options.queue === null ? { enabled: false } : (options.queue ?? {})),
    retry_on_failure: retrySettings().parse({ randomization_factor: 0, ...options.retry }),
    timeout: options.timeoutMs ?? 0,
  };
  const exporter = queuedExporter<Traces>(settings, host, (data, attempt) => {
    const index = sent.length;
    const one = { names: namesOf(data), atMs: host.clock.monotonicMs(), attempt, finish: settled as Sent["finish"] };
    sent.push(one);
    const reply = options.reply?.(index);
    if (reply instanceof ConsumeError) throw reply;
    if (reply !== "wait") return undefined;
    return new Promise<void>((resolve, reject) => {
      one.finish = (error) => {
        if (error === undefined) resolve();
        else reject(error);
        return settled();
      };
    });
  });
  const pushAs = (client: Partial<ClientInfo>, ...names: string[]) => {
    const { delivery, answers } = recordedDelivery(spans(...names), client);
    exporter.consume(delivery);
    return answers;
  };
  const push = (...names: string[]) => pushAs({}, ...names);
  return { host, exporter, sent, push, pushAs, messages: () => host.logs.map((line) => line.message) };
}

/** Lets promises that are settled run what waits for them. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** A destination that leaves every attempt to the test. */
export const waiting = () => "wait" as const;

/** The kinds of answers: `ack`, or the error's message. */
export function said(answers: Answers): string[] {
  return answers.map((each) => (each === "ack" ? each : each.message));
}
