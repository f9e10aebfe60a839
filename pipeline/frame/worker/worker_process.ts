import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { neverAborted } from "../../delivery.ts";
import { messageOf } from "../../error_text.ts";
import type { Clock, Logger, Timer } from "../../host.ts";
import type { Column } from "../columns.ts";
import { pauseOn, type Query } from "../engine.ts";
import { fromArrowStream, toArrowStream } from "./arrow.ts";
import { type Frame, FrameReader, frameHeader, frameKind, protocolVersion } from "./frames.ts";

/** How to start a worker. */
export interface WorkerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Bytes of a device, or of the worker's process where there is none. */
export type WorkerMemory = Readonly<Record<string, number>>;

/** What a worker says of itself when it starts. */
export interface Hello {
  readonly protocol: number;
  /** Library and version: `cudf 26.10.2`. */
  readonly engine: string;
  /** Name of the GPU; null when it computes on the CPU. */
  readonly device: string | null;
  readonly gpu: boolean;
  readonly functions: readonly string[];
  readonly memory: WorkerMemory;
}

/** Why a worker gave no answer. `isFatal`: it is of no use any more and has been ended. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
  readonly code: string;
  readonly isFatal: boolean;

  constructor(code: string, message: string, isFatal: boolean) {
    super(message);
    this.code = code;
    this.isFatal = isFatal;
  }
}

/** The import of a GPU library and its first context take seconds. */
const helloDeadlineMs = 60_000;

/** Between closing its input and ending it. */
const goodbyeMs = 2_000;

interface Waiting {
  readonly resolve: (answer: { facts: Answer; table: Uint8Array }) => void;
  readonly reject: (error: WorkerError) => void;
}

interface Answer {
  readonly id: number;
  readonly memory: WorkerMemory;
}

export interface WorkerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long an answer may take, milliseconds. */
  readonly deadlineMs: number;
}

/**
 * A child process that computes group-bys, spoken to over its pipes. One request at a time. Whatever breaks the
 * conversation (end, silence past the deadline, a frame that makes no sense) ends the process and fails the request.
 */
export class WorkerProcess {
  readonly hello: Hello;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #options: WorkerOptions;
  readonly #reader: FrameReader;
  #memory: WorkerMemory;
  #waiting: Waiting | undefined;
  #answer: Answer | undefined;
  #requests = 0;
  #end: WorkerError | undefined;
  #resolveEnded: (error: WorkerError) => void = () => {};
  /** Resolves when it is of no use any more, with the reason; also after `close`. */
  readonly ended = new Promise<WorkerError>((resolve) => (this.#resolveEnded = resolve));

  /**
   * Starts a worker; resolves when it has said hello. `signal` gives it up.
   * @throws {WorkerError} when it does not, or cannot be started.
   */
  static async start(command: WorkerCommand, options: WorkerOptions, signal = neverAborted): Promise<WorkerProcess> {
    await import("apache-arrow"); // 100 ms at once, so not while a window waits
    const child = spawned(command);
    const lines: string[] = [];
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
        if (lines.push(line) > 5) lines.shift();
        options.logger.debug({ line: line.slice(0, 500) }, "The aggregation worker says something.");
      }
    });
    const reader = new FrameReader();
    const { clock } = options;
    return await new Promise<WorkerProcess>((resolve, reject) => {
      const fail = (code: string, message: string) => {
        clock.clearTimer(timer);
        signal.removeEventListener("abort", onAbort);
        child.kill("SIGKILL");
        reject(new WorkerError(code, [message, ...lines].join("; "), true));
      };
      const timer = clock.setTimer(() => fail("timeout", "it does not say hello"), helloDeadlineMs);
      const onClose = (code: number | null) => fail("died", `it ended with ${code ?? "a signal"} before it said hello`);
      const onError = (error: Error) => fail("cannot_start", error.message);
      const onData = (part: Buffer) => {
        try {
          const [frame] = reader.push(part);
          if (frame === undefined) return;
          const hello = helloOf(frame);
          clock.clearTimer(timer);
          signal.removeEventListener("abort", onAbort);
          child.off("close", onClose).off("error", onError);
          child.stdout.off("data", onData);
          resolve(new WorkerProcess(child, reader, hello, options));
        } catch (error) {
          fail("protocol", String(error));
        }
      };
      const onAbort = () => fail("closed", "nobody wants it any more");
      child.once("close", onClose).once("error", onError);
      child.stdout.on("data", onData);
      signal.addEventListener("abort", onAbort);
      if (signal.aborted) onAbort();
      child.stdin.on("error", () => {}); // it shows as the end of the process
    });
  }

  private constructor(
    child: ChildProcessWithoutNullStreams,
    reader: FrameReader,
    hello: Hello,
    options: WorkerOptions,
  ) {
    this.#child = child;
    this.#reader = reader;
    this.hello = hello;
    this.#memory = hello.memory;
    this.#options = options;
    child.stdout.on("data", (part: Buffer) => this.#read(part));
    child.once("close", (code, signal) => this.#fail("died", `it ended with ${signal ?? code}`));
    child.on("error", (error) => this.#fail("died", error.message));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it can be asked. */
  get isAlive(): boolean {
    return this.#end === undefined;
  }

  /** What it said last. */
  get memory(): WorkerMemory {
    return this.#memory;
  }

  /** Answers `query` over `table`. One at a time. @throws {WorkerError} */
  async aggregate(table: readonly Column[], query: Query): Promise<readonly Column[]> {
    const stream = await toArrowStream(table, pauseOn(this.#options.clock));
    const { facts, table: answer } = await this.#ask({ id: ++this.#requests, ...query }, stream);
    this.#memory = facts.memory;
    try {
      const columns = await fromArrowStream(answer);
      assertAnswers(columns, query);
      return columns;
    } catch (error) {
      throw this.#fail("protocol", `its answer makes no sense: ${String(error)}`);
    }
  }

  /** Ends it: politely, then for certain. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => void this.#child.once("close", () => resolve()));
    this.#child.stdin.end();
    const timer = this.#options.clock.setTimer(() => void this.#child.kill("SIGKILL"), goodbyeMs);
    await ended;
    this.#options.clock.clearTimer(timer);
  }

  #ask(request: { readonly id: number }, table: readonly Uint8Array[]): Promise<{ facts: Answer; table: Uint8Array }> {
    const { clock, deadlineMs } = this.#options;
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) {
        reject(this.#end);
        return;
      }
      if (this.#waiting !== undefined) throw new Error("a worker is asked one thing at a time");
      const timer: Timer = clock.setTimer(() => {
        this.#write(frameKind.cancel, [json({ id: request.id })]);
        this.#fail("timeout", `it has not answered for ${deadlineMs / 1000} s`);
      }, deadlineMs);
      const settled = () => {
        clock.clearTimer(timer);
        this.#waiting = undefined;
      };
      this.#waiting = {
        resolve: (answer) => {
          settled();
          resolve(answer);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      this.#write(frameKind.request, [json(request)]);
      this.#write(frameKind.table, table);
    });
  }

  #write(kind: number, payload: readonly Uint8Array[]): void {
    const sizeBytes = payload.reduce((size, { length }) => size + length, 0);
    this.#child.stdin.write(frameHeader(kind, sizeBytes));
    for (const part of payload) this.#child.stdin.write(part);
  }

  #read(part: Buffer): void {
    try {
      for (const frame of this.#reader.push(part)) this.#take(frame);
    } catch (error) {
      this.#fail("protocol", String(error));
    }
  }

  #take({ kind, payload }: Frame): void {
    const waiting = this.#waiting;
    const answer = this.#answer;
    this.#answer = undefined;
    if (waiting === undefined) throw new Error(`a frame of kind ${kind} that nobody asked for`);
    if (kind === frameKind.error) {
      const { id, code, message } = JSON.parse(String(Buffer.from(payload)));
      this.#assertCurrent(id);
      waiting.reject(new WorkerError(String(code), String(message), false));
    } else if (kind === frameKind.answer) {
      this.#answer = JSON.parse(String(Buffer.from(payload))) as Answer;
      this.#assertCurrent(this.#answer.id);
    } else if (kind === frameKind.table && answer !== undefined) {
      waiting.resolve({ facts: answer, table: payload });
    } else {
      throw new Error(`a frame of kind ${kind} out of turn`);
    }
  }

  #assertCurrent(id: unknown): void {
    if (id !== this.#requests) throw new Error(`an answer to request ${id} instead of ${this.#requests}`);
  }

  /** Ends the process and fails what waits. Gives back the error, for who wants to throw it. */
  #fail(code: string, message: string): WorkerError {
    this.#end ??= new WorkerError(code, message, true);
    this.#child.kill("SIGKILL");
    this.#waiting?.reject(this.#end);
    this.#resolveEnded(this.#end);
    return this.#end;
  }
}

/** A process that has been started, or will say why not. @throws {WorkerError} when that is known at once. */
function spawned({ program, args, environment }: WorkerCommand): ChildProcessWithoutNullStreams {
  try {
    const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ["pipe", "pipe", "pipe"] });
    // Without file descriptors to spare there are no pipes, and an `error` follows that somebody must listen to.
    child.on("error", () => {});
    if (child.stdout === undefined) throw new Error("no pipes can be opened");
    return child;
  } catch (error) {
    throw new WorkerError("cannot_start", messageOf(error), true);
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function helloOf({ kind, payload }: Frame): Hello {
  if (kind !== frameKind.hello) throw new Error(`a frame of kind ${kind} instead of hello`);
  const hello = JSON.parse(String(Buffer.from(payload))) as Hello;
  if (hello.protocol !== protocolVersion)
    throw new Error(`it speaks version ${hello.protocol} of the protocol, not ${protocolVersion}`);
  return hello;
}

/** @throws {Error} when the columns are not those of an answer to `query`. */
function assertAnswers(columns: readonly Column[], { groupBy, aggregations }: Query): void {
  const names = columns.map(({ name }) => name);
  const wanted = [...groupBy, ...aggregations.map(({ as }) => as)];
  if (names.join("\n") !== wanted.join("\n")) throw new Error(`the columns ${names.join(", ")}`);
  if (columns.slice(groupBy.length).some(({ type }) => type !== "f64")) throw new Error("an aggregation of texts");
  if (columns.some(({ length }) => length !== columns[0]?.length)) throw new Error("columns of unequal length");
}
