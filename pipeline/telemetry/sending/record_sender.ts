import type { ProcessorSettings } from "../../config/telemetry/exporter.ts";
import type { Clock, Logger } from "../../host.ts";
import type { Resource } from "../resource.ts";
import { type Encoded, openDestination } from "./destination.ts";
import { RecordBatches } from "./record_batches.ts";

/** What sends own telemetry needs to know of it. */
export interface SendingOptions {
  readonly clock: Clock;
  /** Gets what goes wrong. Its lines are not sent. */
  readonly logger: Logger;
  readonly userAgent: string;
  readonly resource: Resource;
  readonly schemaUrl: string | undefined;
  /** Gets what the console exporter says; standard output unless given. */
  readonly print?: (text: string) => void;
}

/** Own log records or spans on their way out. */
export interface RecordSender<T> {
  add(record: T): void;
  /** Sends what waits. */
  stop(): Promise<void>;
}

/** What differs between own log records and own spans. */
export interface RecordKind<T> {
  readonly signal: "logs" | "traces";
  readonly encode: (records: T[]) => Encoded;
  readonly failed: (error: unknown, records: number) => readonly [fields: object, message: string];
  /** Said when they come faster than they are sent. */
  readonly overflow: string;
}

/** Sends records of `kind`, to each of `processors`. @throws {Error} when one cannot be opened. */
export async function openRecordSender<T>(
  kind: RecordKind<T>,
  processors: readonly ProcessorSettings[],
  options: SendingOptions,
): Promise<RecordSender<T>> {
  const { clock, logger } = options;
  const ways = await Promise.all(
    processors.map(async (settings) => {
      const destination = await openDestination(settings.exporter, kind.signal, options);
      const send = (records: readonly T[]) =>
        destination.send(kind.encode([...records]), settings.timeoutMs).catch((error: unknown) => {
          logger.warn(...kind.failed(error, records.length));
        });
      return { batches: new RecordBatches(settings, clock, send, () => logger.warn({}, kind.overflow)), destination };
    }),
  );
  return {
    add(record) {
      for (const { batches } of ways) batches.add(record);
    },
    async stop() {
      await Promise.all(ways.map(({ batches }) => batches.stop()));
      for (const { destination } of ways) destination.close();
    },
  };
}
