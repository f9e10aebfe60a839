import type { Readable } from "node:stream";
import type { ByteBudget } from "../host.ts";
import type { EncodedBody } from "../pdata/index.ts";
import { decompress, type Encoding } from "./compression.ts";
import type { BodyTaker, Exchange } from "./exchange.ts";
import { passable } from "./passable.ts";
import { Reservation } from "./reservation.ts";
import { BodyError, type Problem } from "./transport.ts";

interface Limits {
  /** Before and after decompression. */
  readonly maxBytes: number;
  readonly budget: ByteBudget;
}

interface Outcome {
  /** `encoded` is the body as it came, where it may be sent on like that. */
  complete(body: Buffer, encoded: EncodedBody | undefined): void;
  failed(problem: Problem): void;
}

/**
 * Reads a request's body and decompresses it. Its length is judged by `content-length` before the first byte is read,
 * and its bytes are held in the budget as they come until `outcome` is told; whoever takes the body then accounts for it. When the caller goes away in the
 * middle, `outcome` hears nothing.
 */
export function readBody(exchange: Exchange, encoding: Encoding, limits: Limits, outcome: Outcome): void {
  const reservation = new Reservation(limits.budget);
  const announced = Number(exchange.headers["content-length"] ?? 0);
  let problem: Problem | undefined;
  if (announced > limits.maxBytes) problem = tooLarge();
  else if (!reservation.fits(announced)) problem = busy();
  if (problem !== undefined) {
    outcome.failed(problem);
    return;
  }
  const failed = (reason: Problem) => {
    reservation.release();
    outcome.failed(reason);
  };
  exchange.takeBody({
    arrived(size) {
      if (size <= limits.maxBytes && reservation.arrived(size)) return true;
      failed(size > limits.maxBytes ? tooLarge() : busy());
      return false;
    },
    complete: (body) =>
      inflate(encoding, body, limits.maxBytes, reservation, {
        failed,
        complete(inflated, encoded) {
          reservation.release();
          outcome.complete(inflated, encoded);
        },
      }),
    gone: () => reservation.release(),
  });
}

/** Gives a body that comes as a stream to `taker`; `isComplete` says of one that has ended whether it is whole. */
export function takeStream(source: Readable, isComplete: () => boolean, taker: BodyTaker): void {
  const parts: Buffer[] = [];
  let size = 0;
  let isGivenUp = false;
  source.on("data", (part: Buffer) => {
    size += part.length;
    if (isGivenUp) return;
    if (taker.arrived(size)) {
      parts.push(part);
      return;
    }
    isGivenUp = true;
    parts.length = 0;
  });
  source.once("end", () => {
    if (isGivenUp || !isComplete()) return;
    taker.complete(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, size));
    parts.length = 0;
  });
  source.once("close", () => {
    if (!isGivenUp && !isComplete()) taker.gone();
  });
  source.on("error", () => {}); // "close" follows
}

/** Decompresses and tells `outcome`, at once when the body is small. */
export function inflate(
  encoding: Encoding,
  body: Buffer,
  maxBytes: number,
  reservation: Reservation,
  outcome: Outcome,
): void {
  let output: Buffer | Promise<Buffer>;
  try {
    output = decompress(encoding, body, { maxBytes, reserve: (bytes) => reservation.add(bytes) });
  } catch (error) {
    outcome.failed(asProblem(error));
    return;
  }
  if (Buffer.isBuffer(output)) {
    outcome.complete(output, passable(encoding, body));
    return;
  }
  output.then(
    (inflated) => outcome.complete(inflated, passable(encoding, body)),
    (error: unknown) => outcome.failed(asProblem(error)),
  );
}

function asProblem(error: unknown): Problem {
  return error instanceof BodyError ? error : new BodyError("broken", String(error));
}

function tooLarge(): BodyError {
  return new BodyError("too_large", "http: request body too large");
}

function busy(): BodyError {
  return new BodyError("busy", "memory for requests is used up");
}
