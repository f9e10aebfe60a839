import type { Lifecycle } from "../../pipeline/component.ts";
import { ConsumeError } from "../../pipeline/delivery.ts";
import type { Clock, Logger } from "../../pipeline/host.ts";
import type { Output } from "./output.ts";
import { messageSampler } from "./sampling.ts";

export interface Sampling {
  readonly initial: number;
  readonly thereafter: number;
}

/** Where messages of the exporter go. `fields` makes the fields of a message that is not left out. */
export interface Writer extends Lifecycle {
  write(message: string, fields?: () => Readonly<Record<string, number>>): Promise<void> | void;
}

/** Messages as lines of the service's log. */
export function loggerWriter(logger: Logger, clock: Clock, { initial, thereafter }: Sampling): Writer {
  const isSampled = messageSampler(clock, initial, thereafter);
  return {
    write(message, fields) {
      if (isSampled(message)) logger.info(fields?.() ?? {}, message);
    },
  };
}

/** Messages as they are, fields behind a tab, to outputs of the exporter's own. */
export function outputWriter(outputs: readonly Output[], clock: Clock, { initial, thereafter }: Sampling): Writer {
  const isSampled = messageSampler(clock, initial, thereafter);
  return {
    async start() {
      await Promise.all(outputs.map((output) => output.open()));
    },
    async write(message, fields) {
      if (!isSampled(message)) return;
      const line = fields === undefined ? message : `${message}\t${spaced(fields())}`;
      try {
        await Promise.all(outputs.map((output) => output.write(`${line}\n`)));
      } catch (cause) {
        throw new ConsumeError("debug exporter: writing failed", { retryable: true, cause });
      }
    },
    async stop() {
      await Promise.all(outputs.map((output) => output.close()));
    },
  };
}

/** Counts as JSON with the spaces that the Collector prints. */
function spaced(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).map(([name, count]) => `${JSON.stringify(name)}: ${count}`);
  return `{${entries.join(", ")}}`;
}
