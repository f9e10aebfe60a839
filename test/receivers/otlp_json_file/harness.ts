import { mkdtempSync, rmSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import type { Outlets, ReceiverHost } from "../../../pipeline/host.ts";
import { type Pdata, type Signal, signals, type Traces, toJson } from "../../../pipeline/pdata/index.ts";
import otlpJsonFile from "../../../receivers/otlp_json_file/index.ts";
import { simulatedHost } from "../../support/simulated_host.ts";
import { someSpans, spanNames } from "../../support/traces.ts";
import { eventually } from "../../support/turns.ts";

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** An empty folder, gone when the tests are over. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "otelpipe-json-file-"));
  folders.push(folder);
  return folder;
}

/** A line with one span of that name. */
export function line(name: string): string {
  return `${toJson(someSpans(1)).toString().replace("span-1", name)}\n`;
}

export interface Options {
  readonly settings?: object;
  readonly signals?: readonly Signal[];
  readonly extensions?: Record<string, unknown>;
  /** How the pipelines answer the n-th offer, from 1; without it they take everything. */
  readonly answer?: (offer: number, data: Pdata) => ConsumeError | undefined;
}

/** The receiver on real files and in simulated time, with pipelines that write down what they took. */
export async function startFileReceiver(folder: string, options: Options = {}) {
  const taken: { readonly signal: Signal; readonly data: Pdata }[] = [];
  const malformed: string[] = [];
  let offers = 0;
  const outlets = Object.fromEntries(
    (options.signals ?? signals).map((signal) => [
      signal,
      {
        offer(data: Pdata, _caller: unknown, answer: (error?: ConsumeError) => void) {
          offers += 1;
          const error = options.answer?.(offers, data);
          if (error === undefined) taken.push({ signal, data });
          answer(error);
        },
      },
    ]),
  );
  const host = simulatedHost({
    id: "otlp_json_file",
    outlets: outlets as Outlets,
    extensions: options.extensions ?? {},
  });
  const receiverHost: ReceiverHost = {
    ...host,
    kind: "receiver",
    malformed: (signal, transport, reason) => void malformed.push(`${signal} ${transport} ${reason}`),
  };
  const settings = { include: join(folder, "*"), start_at: "beginning", include_file_name: false, ...options.settings };
  const receiver = otlpJsonFile.create(otlpJsonFile.config.parse(settings), receiverHost);
  await receiver.start?.();
  return {
    host,
    malformed,
    taken,
    offers: () => offers,
    receiver,
    /** The names of all spans that were taken, in order. */
    names: () => taken.flatMap(({ signal, data }) => (signal === "traces" ? spanNames(data as Traces) : [])),
    /** Lets one poll happen, from its beginning to its end; `waitMs` later than the interval says. */
    async poll(waitMs = 0): Promise<void> {
      host.advance(200 + waitMs);
      await eventually(() => host.clock.pendingTimers === 1);
    },
    async stop(): Promise<void> {
      await receiver.stop?.();
    },
  };
}

export async function append(folder: string, file: string, text: string | Buffer): Promise<void> {
  await appendFile(join(folder, file), text);
}

/** A refusal for now. */
export const later = (delayMs?: number) =>
  new ConsumeError("busy", { retryable: true, ...(delayMs !== undefined && { delayMs }) });
