import { ConsumeError, neverAborted } from "../delivery.ts";
import type { BodyEncoding, BodyReader, ByteBudget, Caller } from "../host.ts";
import {
  type EncodedBody,
  fromJson,
  fromParts,
  type PdataOf,
  receiveShort,
  type Signal,
  WireError,
  withEncoded,
} from "../pdata/index.ts";
import type { Outcome, Task } from "./cold_tasks.ts";
import type { ColdWorker } from "./cold_worker.ts";

type BodyWorker = ColdWorker<Task, Outcome>;

/** Bytes of JSON that are read in place: some milliseconds. */
const longestJson = 256 * 1024;

/** What is held of a body that is read elsewhere, times its length: itself, the copy that was sent and what comes back. */
const copies = 3;

/**
 * Reads short bodies in place, and long ones (JSON over 256 KiB; protobuf that is in an odd encoding, is malformed or has
 * very many small parts, or is over 4 MiB) in a thread of its own, which the first of them starts.
 */
export class ThreadedBodyReader implements BodyReader {
  readonly #budget: ByteBudget;
  readonly #makeWorker: () => Promise<BodyWorker>;
  #worker: Promise<BodyWorker> | undefined;

  constructor(budget: ByteBudget, makeWorker = importWorker) {
    this.#budget = budget;
    this.#makeWorker = makeWorker;
  }

  read<S extends Signal>(
    signal: S,
    encoding: BodyEncoding,
    body: Buffer,
    caller: Caller,
    encoded?: EncodedBody,
  ): PdataOf[S] | Promise<PdataOf[S]> {
    const read = this.#read(signal, encoding, body, caller);
    if (encoded === undefined || encoding !== "protobuf") return read;
    return read instanceof Promise ? read.then((data) => withEncoded(data, encoded)) : withEncoded(read, encoded);
  }

  #read<S extends Signal>(
    signal: S,
    encoding: BodyEncoding,
    body: Buffer,
    caller: Caller,
  ): PdataOf[S] | Promise<PdataOf[S]> {
    const short =
      encoding === "protobuf"
        ? receiveShort(signal, body)
        : body.length <= longestJson
          ? fromJson(signal, body, encoding === "strict_json")
          : undefined;
    return short ?? this.#readElsewhere(signal, encoding, body, caller);
  }

  async #readElsewhere<S extends Signal>(
    signal: S,
    encoding: BodyEncoding,
    body: Buffer,
    caller: Caller,
  ): Promise<PdataOf[S]> {
    const heldBytes = body.length * copies;
    if (!this.#budget.tryTake(heldBytes)) {
      throw new ConsumeError("memory for requests is used up", { retryable: true, delayMs: 1_000 });
    }
    try {
      this.#worker ??= this.#makeWorker();
      const worker = await this.#worker;
      const task = { signal, encoding, body: new Uint8Array(body) };
      const outcome = await worker.perform(task, caller.signal ?? neverAborted);
      if ("parts" in outcome) return fromParts(signal, outcome.parts);
      const { reason, path, offset } = outcome.fault;
      throw new WireError(reason, path, offset);
    } finally {
      this.#budget.give(heldBytes);
    }
  }

  /** Ends the thread, if there is one. */
  async close(): Promise<void> {
    await (await this.#worker)?.close();
  }
}

async function importWorker(): Promise<BodyWorker> {
  const [{ ColdWorker }, { readingBodies }] = await Promise.all([
    import("./cold_worker.ts"),
    import("./reading_bodies.ts"),
  ]);
  return new ColdWorker(readingBodies());
}
